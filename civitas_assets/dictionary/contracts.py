"""Contracts of the shared models, as dbt's manifest has them: grain, key, columns with units and codes, relations.

How they are shown is in `model_pages.py` and `json_schema.py`, how they may change in `compare.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from civitas_assets.errors import DictionaryError

if TYPE_CHECKING:
    from civitas_assets.harmonise.project import Project

# The types that columns may have; each has its counterpart in JSON Schema.
TYPES = frozenset({"varchar", "double", "integer", "bigint", "boolean", "date", "timestamptz", "blob"})
_SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


@dataclass(frozen=True)
class ModelColumn:
    """A column: its DuckDB type, its unit as a UCUM code, or the column that names the unit of each row.

    `renamed_from` is what it was called before; destinations rename it then instead of losing what they have.
    `free_text` says that hardly two rows have the same text, so that nothing is won by keeping each text once.
    `counts` is a condition in SQL on other columns under which the column counts people or things; `counted` says that
    it follows from such counts of its row.
    """

    type: str
    description: str
    nullable: bool = True
    unit: str | None = None
    unit_column: str | None = None
    codes: tuple[str, ...] = ()
    renamed_from: str | None = None
    free_text: bool = False
    counts: str = ""
    counted: bool = False


@dataclass(frozen=True)
class ForeignKey:
    """A column whose values are keys of another model."""

    column: str
    model: str
    field: str


@dataclass(frozen=True)
class Contract:
    """What a shared model promises; `grain` says what one row is, `key` which columns tell rows apart."""

    name: str
    version: str
    grain: str
    description: str
    standard: str
    example: str
    replaced: str
    key: tuple[str, ...]
    columns: Mapping[str, ModelColumn]
    relations: tuple[ForeignKey, ...] = ()
    renamed_from: str | None = None


@lru_cache(maxsize=4)  # a turn asks several times, and what is prepared stays as it is
def read_contracts(project: Project) -> Mapping[str, Contract]:
    """The contracts of all shared models by name, in alphabetical order.

    Raises:
        DictionaryError: a model's YAML lacks what the dictionary needs; the message names file and entry.
    """
    nodes = {
        node["name"]: node for node in project.manifest["nodes"].values() if node["resource_type"] == "model"
    }
    contracts = {
        name: _contract(nodes[name], list(_tests(project, nodes[name]["unique_id"])))
        for name in sorted(project.models)
    }
    for contract in contracts.values():
        _check_names(contract, contracts)
    return contracts


def parse_version(version: str) -> tuple[int, int, int]:
    """Major, minor and patch number.

    Raises:
        DictionaryError: the text is no version by SemVer of three numbers.
    """
    numbers = _SEMVER.fullmatch(version)
    if not numbers:
        raise DictionaryError(f"{version!r} is no version; write three numbers, as in 1.0.0")
    major, minor, patch = (int(number) for number in numbers.groups())
    return major, minor, patch


def _tests(project: Project, model: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Kind, column and arguments of the generic tests of a model."""
    for node in project.manifest["nodes"].values():
        if node["resource_type"] == "test" and node.get("attached_node") == model:
            yield node["test_metadata"]["name"], node["column_name"], node["test_metadata"]["kwargs"]


def _contract(node: Mapping[str, Any], tests: list[tuple[str, str, Mapping[str, Any]]]) -> Contract:
    name, path, meta = (
        node["name"],
        node["original_file_path"].removesuffix(".sql") + ".yml",
        node["config"]["meta"],
    )
    for entry in ("version", "standard", "example", "publish"):
        if not str(meta.get(entry) or "").strip():
            raise DictionaryError(f"{path}: config.meta of {name} lacks {entry}")
    parse_version(meta["version"])
    description = " ".join(node["description"].split())
    codes = {column: arguments["values"] for kind, column, arguments in tests if kind == "accepted_values"}
    for column in node["columns"].values():
        if column["data_type"].lower() not in TYPES:
            raise DictionaryError(
                f"{path}: {column['name']} of {name} is of type {column['data_type']}; use {', '.join(sorted(TYPES))}"
            )
    key = next((arguments["columns"] for kind, _, arguments in tests if kind == "unique_combination"), None)
    if key is None:
        raise DictionaryError(f"{path}: no test unique_combination says what tells the rows of {name} apart")
    return Contract(
        name=name,
        version=meta["version"],
        grain=re.split(r"(?<=[.])\s", description, maxsplit=1)[0],
        description=description,
        standard=meta["standard"],
        example=meta["example"].strip(),
        replaced=meta["publish"],
        key=tuple(key),
        columns={
            column["name"]: _column(column, codes.get(column["name"], ()))
            for column in node["columns"].values()
        },
        relations=tuple(_relations(path, node["columns"].values(), tests)),
        renamed_from=meta.get("renamed_from"),
    )


def _column(column: Mapping[str, Any], codes: list[str] | tuple[()]) -> ModelColumn:
    meta = column["config"]["meta"]
    return ModelColumn(
        type=column["data_type"].lower(),
        description=" ".join(column["description"].split()),
        nullable=all(constraint["type"] != "not_null" for constraint in column["constraints"]),
        unit=meta.get("unit"),
        unit_column=meta.get("unit_column"),
        codes=tuple(codes),
        renamed_from=meta.get("renamed_from"),
        free_text=bool(meta.get("free_text", False)),
        counts=str(meta.get("counts") or ""),
        counted=bool(meta.get("counted", False)),
    )


def _relations(
    path: str, columns: Any, tests: list[tuple[str, str, Mapping[str, Any]]]
) -> Iterator[ForeignKey]:
    """Those that a test guards, and those that only the column's `references: model.column` states."""
    guarded = {
        column: (re.sub(r"^ref\(['\"](\w+)['\"]\)$", r"\1", arguments["to"]), arguments["field"])
        for kind, column, arguments in tests
        if kind == "refers_to"
    }
    for column in columns:
        stated = column["config"]["meta"].get("references")
        if column["name"] in guarded:
            yield ForeignKey(column["name"], *guarded[column["name"]])
        elif stated:
            model, _, field = stated.partition(".")
            if not field:
                raise DictionaryError(
                    f"{path}: references of {column['name']} is {stated!r}; write model.column"
                )
            yield ForeignKey(column["name"], model, field)


def _check_names(contract: Contract, contracts: Mapping[str, Contract]) -> None:
    """Every column that a contract names is there."""
    named = {
        *contract.key,
        *(column.unit_column for column in contract.columns.values() if column.unit_column),
    }
    missing = sorted(named - contract.columns.keys())
    missing += [
        f"{relation.model}.{relation.field}"
        for relation in contract.relations
        if relation.model not in contracts or relation.field not in contracts[relation.model].columns
    ]
    if missing:
        raise DictionaryError(
            f"the contract of {contract.name} names columns that are not there: {', '.join(missing)}"
        )

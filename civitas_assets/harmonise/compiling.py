"""Making the plan of dbt's manifest, when the project is prepared, and refusing what a plan cannot carry.

Compiled SQL is not all of dbt: what dbt would only find out or do while it runs would be fixed or left out here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import jinja2

from civitas_assets.errors import HarmoniseError
from civitas_assets.harmonise.plan import Node, Plan, PlannedColumn, PlannedModel, PlannedTest

_Node: TypeAlias = Mapping[str, Any]

# What asks the database, the environment or the invocation, so that its answer would be that of the preparation.
_UNFIXED = frozenset({
    "run_query", "statement", "load_result", "is_incremental", "invocation_id", "run_started_at", "env_var",
    "invocation_args_dict", "selected_resources", "thread_id", "datetime", "pytz", "load_cached_relation",
    "load_relation", "get_columns_in_query", "get_columns_in_relation", "get_column_values", "get_relation",
    "store_result", "should_full_refresh",
})  # fmt: skip
_FIXED_OF_ADAPTER = frozenset({"dispatch", "quote", "quote_as_configured", "type"})
_PACKAGES_OF_DBT = frozenset({"dbt", "dbt_duckdb"})
_MATERIALISED = frozenset({"table", "view", "ephemeral"})
_OWN_MATERIALISATIONS = frozenset({"materialization_table_duckdb", "materialization_view_duckdb"})
_SPELLED = frozenset({"mapping"})  # tables that a workspace has before it is asked anything
_WRAPPERS = ("get_test_sql", "get_limit_subquery_sql", "should_store_failures")


def make_plan(manifest: _Node, folder: Path, connection: duckdb.DuckDBPyConnection) -> Plan:
    """The plan of a compiled manifest, whose files are below `folder`; `connection` is to the blank workspace.

    Raises:
        HarmoniseError: the project has something that a plan cannot carry, or a table is not as its contract says.
    """
    compiled = _Compiled(manifest, folder)
    faults = [*compiled.refusals(), *_broken_contracts(compiled, connection)]
    if faults:
        raise HarmoniseError("the dbt project cannot be planned:\n" + "\n".join(faults))
    return Plan([*compiled.nodes()], [*compiled.prepared()])


def is_made_by_runs(node: _Node) -> bool:
    """Tables and data tests, but neither what is prepared once nor tests of the project itself."""
    kind = node["resource_type"]
    return "project" not in node["tags"] and (
        kind == "test" or (kind == "model" and node["config"]["materialized"] == "table")
    )


class _Compiled:
    """A manifest in which every model and every data test is compiled."""

    def __init__(self, manifest: _Node, folder: Path) -> None:
        self._manifest, self._folder = manifest, folder
        self._nodes: Mapping[str, _Node] = manifest["nodes"]

    def nodes(self) -> Iterator[Node]:
        """The nodes of runs, in order."""
        for unique_id in TopologicalSorter(self._after).static_order():
            node = self._nodes.get(unique_id)
            if node is not None and is_made_by_runs(node):
                yield self._planned(node)

    def prepared(self) -> Iterator[PlannedModel]:
        """The views that are tables in the blank workspace, in order."""
        for unique_id in TopologicalSorter({i: _parents(n) for i, n in self._nodes.items()}).static_order():
            node = self._nodes.get(unique_id)
            if node is not None and _is_prepared(node):
                made = self._planned(node)
                if isinstance(made, PlannedModel):
                    yield made

    @cached_property
    def models(self) -> list[PlannedModel]:
        """The tables of runs."""
        return [node for node in self.nodes() if isinstance(node, PlannedModel)]

    def refusals(self) -> Iterator[str]:
        """What a plan cannot carry, a line each."""
        for unique_id, node in sorted(self._nodes.items()):
            where = f"{unique_id} ({node['original_file_path']})"
            if node["resource_type"] == "operation":
                yield f"{where}: is an operation of {node['tags']}; a run has no hooks"
            elif node["resource_type"] == "snapshot":
                yield f"{where}: is a snapshot; models are made of the records alone"
            elif node["resource_type"] in {"model", "test"} and "project" not in node["tags"]:
                yield from (f"{where}: {reason}" for reason in self._reasons(node))
        for unique_id, macro in sorted(self._manifest["macros"].items()):
            name = macro["name"]
            if macro["package_name"] not in _PACKAGES_OF_DBT and (
                (name.startswith("materialization_") and name not in _OWN_MATERIALISATIONS)
                or name.removeprefix("default__").removeprefix("duckdb__") in _WRAPPERS
            ):
                where = f"{unique_id} ({macro['original_file_path']})"
                yield f"{where}: changes how dbt makes or tests, which runs do without dbt"

    def _reasons(self, node: _Node) -> Iterator[str]:
        config = node["config"]
        if node["language"] != "sql":
            yield f"is written in {node['language']}; a plan has SQL alone"
        elif node["resource_type"] == "model" and config["materialized"] not in _MATERIALISED:
            yield f"is materialised as {config['materialized']}; a plan knows {', '.join(sorted(_MATERIALISED))}"
        if _is_prepared(node) and (config["materialized"] != "view" or self._sources_above(node) - _SPELLED):
            yield f"is prepared: true, which only a view of seeds and of {', '.join(_SPELLED)} can be"
        if any(config.get(hook) for hook in ("pre-hook", "post-hook", "pre_hook", "post_hook")):
            yield "has hooks, which no run would take"
        if config.get("sql_header"):
            yield "has an sql_header, which is no part of its compiled SQL"
        if config.get("store_failures") or config.get("store_failures_as"):
            yield "stores its failures; a failed workspace stays to be looked at instead"
        for name, where in self._unfixed(node):
            yield f"uses {name}{where}, which would say once and for all what was so when the project was prepared"

    def _sources_above(self, node: _Node) -> frozenset[str]:
        found = set[str]()
        for parent in _parents(node):
            if parent in self._nodes:
                found |= self._sources_above(self._nodes[parent])
            elif parent.startswith("source."):
                found.add(parent.split(".")[-1])
        return frozenset(found)

    def _unfixed(self, node: _Node) -> Iterator[tuple[str, str]]:
        yield from ((name, "") for name in _unfixed_names(node["raw_code"]))
        seen, waiting = set[str](), list(node["depends_on"]["macros"])
        while waiting:
            unique_id = waiting.pop()
            macro = self._manifest["macros"].get(unique_id)
            if unique_id in seen or macro is None:
                continue
            seen.add(unique_id)
            if macro["package_name"] not in _PACKAGES_OF_DBT:
                where = f" in the macro {macro['name']}"
                yield from ((name, where) for name in _unfixed_names(macro["macro_sql"]))
                waiting.extend(macro["depends_on"]["macros"])

    @cached_property
    def _after(self) -> Mapping[str, frozenset[str]]:
        """What has to be there before each node: its parents, and the tests of what it is made of alone, as in dbt."""
        above = self._above
        tests = [(t, frozenset(_parents(n))) for t, n in self._nodes.items() if _is_test(n)]
        return {
            unique_id: frozenset(_parents(node)).union(
                () if _is_test(node) else (t for t, tested in tests if tested and tested <= above[unique_id])
            )
            for unique_id, node in self._nodes.items()
        }

    @cached_property
    def _above(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        parents = {unique_id: _parents(node) for unique_id, node in self._nodes.items()}
        for unique_id in TopologicalSorter(parents).static_order():
            own = parents.get(unique_id, ())
            found[unique_id] = frozenset(own).union(*(found[parent] for parent in own))
        return found

    def _planned_above(self, unique_id: str) -> tuple[str, ...]:
        """The nearest nodes of runs that have to be well before this one, also by way of views."""
        found, waiting, seen = set[str](), list(self._after[unique_id]), set[str]()
        while waiting:
            above = waiting.pop()
            if above in seen or above not in self._nodes:
                continue
            seen.add(above)
            if is_made_by_runs(self._nodes[above]):
                found.add(above)
            else:
                waiting.extend(self._after[above])
        return tuple(sorted(found))

    def _planned(self, node: _Node) -> Node:
        unique_id, config = node["unique_id"], node["config"]
        if not node.get("compiled_code"):
            raise HarmoniseError(f"dbt has not compiled {unique_id}")
        file = str(Path(node["compiled_path"]).relative_to(self._folder))
        after = self._planned_above(unique_id)
        if node["resource_type"] == "test":
            return PlannedTest(
                unique_id, node["name"], file, node["compiled_code"], after,
                severity=config["severity"].upper(), fail_calc=config["fail_calc"], warn_if=config["warn_if"],
                error_if=config["error_if"], limit=config["limit"],
            )  # fmt: skip
        return PlannedModel(
            unique_id, node["name"], file, node["compiled_code"], after, node["relation_name"],
            columns=tuple(_contract(node)), shared="shared" in node["fqn"][:2],
        )  # fmt: skip


def _contract(node: _Node) -> Iterator[PlannedColumn]:
    if node["contract"]["enforced"]:
        for column in node["columns"].values():
            constraints = {constraint["type"] for constraint in column["constraints"]}
            yield PlannedColumn(column["name"], column["data_type"], "not_null" not in constraints)


def _broken_contracts(compiled: _Compiled, connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Tables of the blank workspace that are not as their contract says, by names, order, types and not null."""
    for model in compiled.models:
        if not model.columns:
            continue
        described = connection.execute(f"describe {model.relation}").fetchall()
        made = [PlannedColumn(name, kind.lower(), null == "YES") for name, kind, null, *_ in described]
        asked = [
            PlannedColumn(column.name, _type_of(connection, column.type), column.nullable)
            for column in model.columns
        ]
        for number, (found, wanted) in enumerate(zip(made, asked, strict=False), 1):
            if found != wanted:
                yield f"{model.unique_id}: column {number} is {found}, its contract says {wanted}"
        if len(made) != len(asked):
            yield f"{model.unique_id}: has {len(made)} columns, its contract says {len(asked)}"


def _type_of(connection: duckdb.DuckDBPyConnection, alias: str) -> str:
    row = connection.execute(f"select lower(typeof(null::{alias}))").fetchone()
    return row[0] if row else alias


def _parents(node: _Node) -> Sequence[str]:
    found: Sequence[str] = node["depends_on"].get("nodes", ())  # a seed has none
    return found


def _is_test(node: _Node) -> bool:
    return bool(node["resource_type"] == "test")


def _is_prepared(node: _Node) -> bool:
    return bool(node["config"].get("meta", {}).get("prepared"))


def _unfixed_names(template: str) -> list[str]:
    """The names in a template's expressions that a plan cannot carry."""
    tokens = [
        (kind, value)
        for _, kind, value in jinja2.Environment(autoescape=True).lex(template)
        if kind in {"name", "operator"}
    ]
    found = []
    for place, (kind, value) in enumerate(tokens):
        if kind != "name":
            continue
        following = [part for _, part in tokens[place + 1 : place + 3]]
        if value in _UNFIXED and following[:1] != ["="]:
            found.append(value)
        elif value == "adapter" and (following[:1] != ["."] or following[1] not in _FIXED_OF_ADAPTER):
            found.append(".".join(["adapter", *following[1:2]]))
    return sorted(set(found))

"""The project's own contracts: complete, with known units, with examples that run, and documented as they are."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from civitas_assets import __version__
from civitas_assets.cli.models import FOLDER
from civitas_assets.dictionary.compare import compare_contracts
from civitas_assets.dictionary.contracts import Contract, ForeignKey, parse_version, read_contracts
from civitas_assets.dictionary.documents import (
    derive_documents,
    find_release_faults,
    read_last_release,
)
from civitas_assets.errors import DictionaryError
from civitas_assets.harmonise.project import Project

SEEDS = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds"
# Endings of names that are units, longest first where one ends like another.
ENDINGS = {
    "_m3_s": "m3/s", "_us_cm": "uS/cm", "_mg_l": "mg/L", "_ntu": "[NTU]", "_dba": "dB[A]",
    "_ug_m3": "ug/m3", "_mg_m3": "mg/m3", "_w_m2": "W/m2", "_km_h": "km/h", "_m_s": "m/s", "_ppm": "[ppm]",
    "_cel": "Cel", "_hpa": "hPa", "_percent": "%", "_ratio": "1", "_min": "min", "_deg": "deg", "_mm": "mm",
    "_cm": "cm", "_lx": "lx", "_kw": "kW", "_s": "s", "_m": "m",
}  # fmt: skip


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def contracts(project: Project) -> Mapping[str, Contract]:
    """The contracts as dbt has them."""
    return read_contracts(project)


def test_a_contract_says_what_dbt_enforces_and_tests(
    contracts: Mapping[str, Contract], project: Project
) -> None:
    assert contracts.keys() == project.models.keys()
    status = contracts["parking_status"]
    assert status.grain == "One row per parking site and time of observation."
    assert status.description.startswith(status.grain + " Where two of free")
    assert status.key == ("site_key", "observed_at")
    assert status.replaced == "replace_days"
    assert status.relations == (ForeignKey("site_key", "parking_site", "site_key"),)
    assert not status.columns["observed_at"].nullable
    assert status.columns["observed_at"].type == "timestamptz"
    assert status.columns["free"].nullable
    assert status.columns["occupancy_ratio"].unit == "1"
    assert status.columns["opening_status"].codes == ("open", "closed", "unknown")
    assert contracts["observation"].columns["value"].unit_column == "unit"
    assert ForeignKey("datastream_key", "datastream", "datastream_key") in contracts["observation"].relations


def test_every_grain_is_one_row_per_something(contracts: Mapping[str, Contract]) -> None:
    for contract in contracts.values():
        assert re.fullmatch(r"One row per [^.]+\.", contract.grain), contract.name


def test_every_unit_is_known_and_that_of_the_property(contracts: Mapping[str, Contract]) -> None:
    codes = {row["code"] for row in seed("units")}
    for contract in contracts.values():
        for name, column in contract.columns.items():
            where = f"{contract.name}.{name}"
            assert column.unit is None or column.unit in codes, where
            if not column.unit_column:
                ending = next((unit for end, unit in ENDINGS.items() if name.endswith(end)), column.unit)
                assert column.unit == ending, where
            if column.type == "double":
                assert column.unit or column.unit_column, f"{where} has no unit"
    for row in seed("observed_properties"):
        if row["wide_model"]:
            column = contracts[row["wide_model"]].columns[row["wide_column"]]
            assert column.unit == row["canonical_unit"], row["wide_column"]


def test_every_example_runs_on_the_published_tables(contracts: Mapping[str, Contract]) -> None:
    with duckdb.connect() as connection:
        for contract in contracts.values():
            columns = ", ".join(
                f'"{name}" {column.type}{"" if column.nullable else " not null"}'
                for name, column in contract.columns.items()
            )
            connection.execute(f'create table "{contract.name}" ({columns})')
        for contract in contracts.values():
            assert re.search(rf"\b(from|join) {contract.name}\b", contract.example), contract.name
            assert connection.execute(contract.example).fetchall() == [], contract.name


def test_the_dictionary_is_up_to_date(contracts: Mapping[str, Contract]) -> None:
    stale = derive_documents(FOLDER, contracts).list_outdated()
    assert not stale, f"run `make models`: {', '.join(stale)}"


def test_no_contract_has_changed_since_its_release_without_its_version(
    contracts: Mapping[str, Contract],
) -> None:
    before = read_last_release(FOLDER)
    assert before.models, "nothing was released yet: civitas models --release"
    wrong = find_release_faults(before, contracts, __version__)
    difference = "\n".join(map(str, compare_contracts(before.models, contracts)))
    assert not wrong, "\n".join([*wrong, "", "The difference:", difference])


def test_each_contract_is_released_at_1_0_or_later_and_none_breaks_without_a_major_version() -> None:
    """The committed snapshot, and of each model what would break it: a column that is gone."""
    before = read_last_release(FOLDER)
    assert len(before.models) >= 38
    for name, contract in before.models.items():
        assert parse_version(contract.version) >= (1, 0, 0), name
        left = dict([*contract.columns.items()][:-1])
        broken = {**before.models, name: replace(contract, columns=left)}
        (fault,) = find_release_faults(before, broken, __version__)
        assert fault.startswith(f"{name} {contract.version} was released before these changes: they ask for ")
        assert fault.split()[-3].endswith(".0.0"), fault


def changed(project: Project, tmp_path: Path, path: str, value: Any) -> Project:
    """The project with one entry of parking_status in its manifest set to another value."""
    copy = Project(project.folder, tmp_path)
    nodes = dict(project.manifest["nodes"])
    node = dict(nodes["model.civitas.parking_status"])
    place = node
    *way, last = path.split(".")
    for step in way:
        place[step] = dict(place[step])
        place = place[step]
    place[last] = value
    copy.__dict__["manifest"] = {**project.manifest, "nodes": {**nodes, "model.civitas.parking_status": node}}
    return copy


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("config.meta.version", None, "parking_status.yml: config.meta of parking_status lacks version"),
        ("config.meta.version", "1.0", "'1.0' is no version; write three numbers, as in 1.0.0"),
        ("config.meta.standard", " ", "config.meta of parking_status lacks standard"),
        ("config.meta.example", None, "config.meta of parking_status lacks example"),
        (
            "columns.free.config.meta",
            {"references": "station"},
            "references of free is 'station'; write model.column",
        ),
        ("columns.free.config.meta", {"references": "station.nothing"}, "not there: station.nothing"),
        ("columns.free.config.meta", {"unit_column": "unit"}, "not there: unit"),
        ("columns.free.data_type", "struct(a int)", "free of parking_status is of type struct(a int)"),
        ("unique_id", "model.civitas.other", "no test unique_combination says what tells the rows"),
    ],
)
def test_what_a_contract_lacks_is_said(
    path: str, value: Any, message: str, project: Project, tmp_path: Path
) -> None:
    with pytest.raises(DictionaryError, match=re.escape(message)):
        read_contracts(changed(project, tmp_path, path, value))

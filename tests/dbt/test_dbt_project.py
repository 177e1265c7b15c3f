"""The dbt project as a whole: it builds when empty, makes exact rows of a town's records, keeps its rules.

Single rules of single models are dbt's own unit tests, beside the models; the first test here runs them.
"""

from __future__ import annotations

import csv
import json
import random
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.harmonise.build import run_nodes
from civitas_assets.harmonise.project import Project
from civitas_assets.harmonise.workspace_tables import WORKSPACE_FILE, create_tables

Records = Mapping[str, Sequence[Mapping[str, object]]]
Models = Mapping[str, Mapping[str, Any]]

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
HERE = Path(__file__).parent
RECORDS: Records = json.loads((HERE / "records.json").read_text(encoding="utf-8"))
EXPECTED: Mapping[str, Any] = json.loads((HERE / "expected.json").read_text(encoding="utf-8"))
_SEEN: Mapping[str, object] = {"received_at": "2026-03-30 03:00:00+00", "revision": 1, "run_id": "r1"}
BROKEN: Records = {
    **RECORDS,
    "station": [*RECORDS["station"], {"station_id": "900", "lon": 999, "lat": 1, "source": "sites", **_SEEN}],
    "event": [{"event_id": "e", "event_type": "nonsense", "source": "sites", "title": "Fest", **_SEEN}],
    "parking_status": [
        *RECORDS["parking_status"],
        {**RECORDS["parking_status"][0], "site_id": "P9"},
    ],
    "statistic": [
        {
            "indicator_id": "people",
            "area_id": "1",
            "category": "people",
            "value": 3,
            "source": "sites",
            "period_start": "2026-01-01 00:00:00+00",
            "day": None,
            **_SEEN,
        }
    ],
}

# dbt deprecates in its own code; what this project does wrong is an error all the same.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:dbt.*"),
]


@dataclass(frozen=True)
class Workspace:
    """A workspace that dbt has built, with the status of each node and the manifest."""

    database: Path
    statuses: Mapping[str, str]
    failures: Mapping[str, int]
    messages: str
    manifest: Mapping[str, Any]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The answer to a query, times in UTC."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(query).fetchall()


def _insert(connection: duckdb.DuckDBPyConnection, table: str, row: Mapping[str, object]) -> None:
    columns = ", ".join(f'"{column}"' for column in row)
    marks = ", ".join("?" for _ in row)
    statement = f'insert into records."{table}" ({columns}) values ({marks})'  # noqa: S608
    connection.execute(statement, list(row.values()))


def _insert_all(connection: duckdb.DuckDBPyConnection, records: Records) -> None:
    for table, rows in records.items():
        for row in rows:
            _insert(connection, table, row)


def _invoke(folder: Path, manifest: Any, *command: str) -> Any:
    """What dbt makes of a command; it parses the project unless it is given what it has parsed."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # noqa: PLC0415 - its warnings are ignored in tests only
    from dbt.cli.main import dbtRunner  # noqa: PLC0415

    try:
        outcome = dbtRunner(manifest=manifest).invoke(
            [
                *command,
                *("--project-dir", str(PROJECT), "--profiles-dir", str(folder)),
                *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
                *("--log-level", "none", "--log-level-file", "none"),
            ]
        )
    finally:
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    assert outcome.exception is None, outcome.exception
    return outcome.result


def _write_profile(folder: Path) -> Path:
    """Say where dbt finds its workspace; where that is."""
    database = folder / "workspace.duckdb"
    output = {
        "type": "duckdb",
        "path": str(database),
        "schema": "shared",
        "threads": 2,
        "settings": {"TimeZone": "UTC"},
    }
    profile = {"civitas": {"target": "workspace", "outputs": {"workspace": output}}}
    (folder / "profiles.yml").write_text(json.dumps(profile), encoding="utf-8")
    return database


def _make_database(folder: Path, records: Records) -> Path:
    """A workspace with these records in which nothing is made yet."""
    database = _write_profile(folder)
    with duckdb.connect(str(database)) as connection:
        create_tables(connection)
        _insert_all(connection, records)
    return database


def _build(folder: Path, parsed: Any, database: Path, *selection: str) -> Workspace:
    results = [
        result
        for result in _invoke(folder, parsed, "build", *selection)
        if result.node.resource_type != "exposure"  # nothing is made or tested of one
    ]
    return Workspace(
        database,
        {result.node.unique_id: str(result.status) for result in results},
        {result.node.unique_id: int(result.failures or 0) for result in results},
        "\n".join(f"{r.node.name}: {r.message}" for r in results if r.status not in {"success", "pass"}),
        json.loads((folder / "target" / "manifest.json").read_text(encoding="utf-8")),
    )


def _build_on(prepared: Workspace, folder: Path, parsed: Any, records: Records) -> Workspace:
    """What a run makes of records, in a copy of what was prepared without any."""
    database = _write_profile(folder)
    shutil.copyfile(prepared.database, database)
    with duckdb.connect(str(database)) as connection:
        _insert_all(connection, records)
    made = _build(folder, parsed, database, "--selector", "run")
    return replace(
        made,
        statuses={**prepared.statuses, **made.statuses},
        failures={**prepared.failures, **made.failures},
        messages="\n".join(filter(None, (prepared.messages, made.messages))),
    )


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The project as dbt understands it, which is the same for every workspace."""
    folder = tmp_path_factory.mktemp("parsed")
    _write_profile(folder)
    return _invoke(folder, None, "parse")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory, parsed: Any) -> Workspace:
    """A workspace without any record, with all unit tests run."""
    folder = tmp_path_factory.mktemp("empty")
    return _build(folder, parsed, _make_database(folder, {}))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, parsed: Any) -> Workspace:
    """A workspace with what is made once per state of the project."""
    folder = tmp_path_factory.mktemp("prepared")
    return _build(folder, parsed, _make_database(folder, {}), "--selector", "prepare")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, parsed: Any, prepared: Workspace) -> Workspace:
    """A workspace with the records of a small town, built as a run builds it."""
    return _build_on(prepared, tmp_path_factory.mktemp("town"), parsed, RECORDS)


@pytest.fixture(scope="module")
def broken_town(tmp_path_factory: pytest.TempPathFactory, parsed: Any, prepared: Workspace) -> Workspace:
    """The town with records that break a contract, tests that warn, and tests that stop what builds on them."""
    return _build_on(prepared, tmp_path_factory.mktemp("broken"), parsed, BROKEN)


@pytest.fixture(scope="module")
def shared_models(empty: Workspace) -> Models:
    """The shared models in the manifest, by name."""
    nodes = empty.manifest["nodes"].values()
    return {n["name"]: n for n in nodes if n["resource_type"] == "model" and n["fqn"][1] == "shared"}


def test_an_empty_workspace_builds_and_all_unit_tests_pass(empty: Workspace) -> None:
    assert not empty.messages
    assert set(empty.statuses.values()) == {"success", "pass"}
    assert any(node.startswith("unit_test.") for node in empty.statuses)


def test_a_run_leaves_out_what_depends_on_the_project_alone(town: Workspace) -> None:
    assert not town.messages
    assert not any(node.startswith("unit_test.") for node in town.statuses)
    assert not any("is_listed" in node and "_spellings" in node for node in town.statuses)
    made = {node for node in town.manifest["nodes"] if node.startswith(("model.", "seed."))}
    assert made <= town.statuses.keys()


def _relations(database: Path) -> dict[str, tuple[list[Any], list[Any]]]:
    """Columns with order, types and nullability, and the rows, of every table and view of dbt's schemas."""
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        names = connection.execute(
            "select schema_name, table_name from duckdb_tables() union all "
            "select schema_name, view_name from duckdb_views() where not internal"
        ).fetchall()
        return {
            f'"workspace"."{schema}"."{name}"': (
                connection.execute(f'describe {schema}."{name}"').fetchall(),
                connection.execute(f'select * from {schema}."{name}" order by all').fetchall(),  # noqa: S608
            )
            for schema, name in names
            if schema in {"shared", "staging", "seeds"}
        }


@pytest.mark.parametrize("name", ["town", "broken_town"])
def test_the_plan_makes_and_finds_what_dbt_does(
    name: str, request: pytest.FixtureRequest, project: Project, tmp_path: Path
) -> None:
    by_dbt: Workspace = request.getfixturevalue(name)
    database = tmp_path / WORKSPACE_FILE
    shutil.copyfile(project.prepared / WORKSPACE_FILE, database)
    with duckdb.connect(str(database)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        _insert_all(connection, RECORDS if name == "town" else BROKEN)
        results = run_nodes(project.plan, connection, project.plan.by_id, name)
    statuses = {result.unique_id: result.status for result in results}
    assert statuses == {node: by_dbt.statuses[node] for node in project.plan.by_id}
    assert {r.unique_id: r.failures for r in results} == {node: by_dbt.failures[node] for node in statuses}
    for result in results:
        if result.status in {"fail", "warn"}:
            assert f"{result.name}: {result.message}" in by_dbt.messages.splitlines()
    assert set(statuses.values()) == (
        {"success", "pass"} if name == "town" else {"success", "pass", "warn", "fail", "error", "skipped"}
    )
    made, wanted = _relations(database), _relations(by_dbt.database)
    assert wanted.keys() <= made.keys()
    for relation, rows in wanted.items():
        assert made[relation] == rows, relation


def _tied() -> Records:
    """The records of the town so that what counts is decided by nothing but the order of rows.

    All was received at once and by several runs; lengths of intervals are as frequent as each other, and a mark of
    quality has two meanings.
    """
    rows = {name: [dict(row) for row in found] for name, found in RECORDS.items()}
    source = "counts"
    rows["observation"] += [
        {
            "datastream_id": "tied",
            "observed_property": "Fahrräder",
            "phenomenon_start": f"2026-03-29 {hour:02}:00:00+00",
            "phenomenon_end": f"2026-03-29 {hour:02}:{minutes}:00+00",
            "value": hour / 7,
            "quality_native": "valid; geprüft: ungültig",
            "source": source,
            "day": "2026-03-29",
            **_SEEN,
        }
        for hour, minutes in ((8, 15), (9, 30), (10, 15), (11, 30), (12, 45), (13, 45))
    ]
    rows["datastream"].append({"datastream_id": "tied", "station_id": "101", "source": source, **_SEEN})
    rows["rejected"] = [
        {**row, "detail": detail} for row in rows["rejected"] for detail in ("viele", "wenige")
    ]
    for found in rows.values():
        for number, row in enumerate(found):
            if "run_id" in row:
                row |= {"received_at": _SEEN["received_at"], "run_id": f"r{number % 3}"}
    return rows


def test_the_same_records_make_the_same_rows_in_whatever_order_they_lie(
    project: Project, tmp_path: Path
) -> None:
    made = []
    for seed in range(4):
        database = tmp_path / str(seed) / WORKSPACE_FILE
        database.parent.mkdir()
        shutil.copyfile(project.prepared / WORKSPACE_FILE, database)
        order = random.Random(seed)  # noqa: S311 - no secret
        shuffled = {name: order.sample(rows, len(rows)) for name, rows in _tied().items()}
        with duckdb.connect(str(database)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            _insert_all(connection, shuffled)
            results = run_nodes(project.plan, connection, project.plan.by_id, "town")
        assert {result.status for result in results} == {"success", "pass"}
        made.append({name.split(".", 1)[1]: found for name, found in _relations(database).items()})
    coverage = '"shared"."coverage"'
    assert len(made[0][coverage][1]) > 2
    for other in made[1:]:
        for relation, found in made[0].items():
            assert other[relation] == found, relation


def test_what_breaks_a_contract_or_a_test_stops_what_builds_on_it(broken_town: Workspace) -> None:
    """So the test above compares what it is meant to."""
    named = {node.split(".")[2]: status for node, status in broken_town.statuses.items()}
    assert named["statistic"] == "error", "its contract has no null"
    assert named["a_statistic_is_there_once"] == "skipped"
    assert named["event_type_of_event_is_a_known_code"] == "fail"
    assert named["the_site_of_a_parking_status_is_known"] == "warn"


@pytest.mark.parametrize("case", EXPECTED)
def test_the_records_of_a_town_become_exactly(case: str, town: Workspace) -> None:
    expected = EXPECTED[case]
    assert [list(row) for row in town.rows(expected["query"])] == expected["rows"]


def test_every_shared_model_promises_what_it_publishes(
    shared_models: Mapping[str, Mapping[str, Any]],
) -> None:
    assert len(shared_models) == 38
    for name, model in shared_models.items():
        assert model["config"]["contract"]["enforced"], name
        assert model["config"]["materialized"] == "table", name
        publish = model["config"]["meta"]["publish"]
        assert publish in {"replace_days", "replace_all"}, name
        assert (publish == "replace_days") == (model["columns"].get("day", {}).get("data_type") == "date"), (
            name
        )
        assert model["description"].startswith("One row per "), name
        assert next(iter(model["columns"])) == "tenant", name
        for column in model["columns"].values():
            assert column["description"].strip(), f"{name}.{column['name']}"
            assert column["data_type"], f"{name}.{column['name']}"
            is_time = column["data_type"] == "timestamptz"
            is_named_so = column["name"].endswith("_at") or column["name"] in {"valid_from", "valid_to"}
            assert is_time == is_named_so, f"{name}.{column['name']}"


def test_the_name_of_every_data_test_is_a_sentence(empty: Workspace) -> None:
    tests = [node for node in empty.manifest["nodes"].values() if node["resource_type"] == "test"]
    assert len({test["name"] for test in tests}) == len(tests)
    for test in tests:
        kind = (test.get("test_metadata") or {"name": "singular"})["name"]
        assert not test["name"].startswith(f"{kind}_"), f"{test['name']} has no name of its own"
        assert len(test["name"].split("_")) >= 4, test["name"]


def test_every_row_says_source_and_run(shared_models: Models) -> None:
    without = {n for n, model in shared_models.items() if not {"source", "run_id"} <= set(model["columns"])}
    assert without == {"observed_property", "source"}


def test_every_wide_property_has_its_column(shared_models: Models) -> None:
    wide = [row for row in _seed("observed_properties") if row["wide_model"]]
    assert {row["wide_model"] for row in wide} == {
        n for n, m in shared_models.items() if m["fqn"][2] == "domains"
    }
    for row in wide:
        assert row["wide_column"] in shared_models[row["wide_model"]]["columns"], row["code"]


def _seed(name: str) -> list[dict[str, str]]:
    with (PROJECT / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return [*csv.DictReader(file)]


def test_every_property_has_its_unit_in_all_vocabularies(empty: Workspace) -> None:
    units = {unit["code"]: unit for unit in _seed("units")}
    properties = {row["code"]: units[row["canonical_unit"]] for row in _seed("observed_properties")}
    assert all(unit["qudt_unit"] for unit in properties.values())
    without = {code for code, unit in properties.items() if not unit["uncefact_unit"]}
    assert without == {"water.turbidity"}, "Recommendation 20 has no unit of turbidity"
    assert empty.rows("select count(*) from seeds.observed_properties") == [(len(properties),)]


def test_publishers_are_understood_in_many_spellings_each_listed_once() -> None:
    spellings = _seed("observed_property_spellings")
    assert len(spellings) >= 250
    assert len({row["spelling"] for row in spellings}) == len(spellings)


def test_marks_of_quality_name_rules_and_connectors_that_there_are(shared_models: Models) -> None:
    tests = (PROJECT / "models/shared/observations/observation.yml").read_text(encoding="utf-8")
    rules = re.findall(r"quality_rule_of_observation[^\[]*values: \[(.+?)\]", tests)[0].split(", ")
    sql = (PROJECT / "models/intermediate/quality/int_observation_quality.sql").read_text(encoding="utf-8")
    mistakes = {row["rule"] for row in _seed("unit_mistakes")}
    assert {*re.findall(r"then '(\w+)'", sql)} | mistakes == {*rules}
    assert {row["connector"] for row in _seed("quality_spellings")} - {""} <= CONNECTORS.keys()
    assert {row["record_type"] for row in _seed("status_rules")} == {
        name for name in shared_models if name.endswith("_status")
    }


def _sql(layer: str) -> Iterator[tuple[Path, str]]:
    for file in sorted((PROJECT / "models" / layer).rglob("*.sql")):
        yield file, file.read_text(encoding="utf-8")


def test_no_model_is_incremental_or_reads_configuration() -> None:
    for file, text in _sql("."):
        assert not re.search(r"is_incremental|\bvar\(|env_var\(", text), file
        beside = "".join(path.read_text(encoding="utf-8") for path in file.parent.glob("*.yml"))
        assert f"- name: {file.stem}\n" in beside, f"{file} has no YAML beside it"


def test_a_staging_model_reads_exactly_one_record_type() -> None:
    for file, text in _sql("staging"):
        assert len(re.findall(r"source\('records', '\w+'\)", text)) == 1, file
        assert "ref(" not in text, file


@pytest.mark.parametrize("layer", ["intermediate", "shared"])
def test_only_staging_reads_records(layer: str) -> None:
    for file, text in _sql(layer):
        assert "source('" not in text, file


def test_no_text_of_a_tenant_reaches_the_project(empty: Workspace) -> None:
    configuration = [
        (PROJECT / name).read_text(encoding="utf-8") for name in ("dbt_project.yml", "profiles.yml")
    ]
    assert not any("vars:" in text for text in configuration)
    assert re.findall(r"env_var\('(\w+)'", "".join(configuration)) == ["DBT_WORKSPACE"]
    assert {s["schema"] for s in empty.manifest["sources"].values()} == {"records"}
    assert {n["schema"] for n in empty.manifest["nodes"].values() if n["resource_type"] != "test"} == {
        "staging",
        "shared",
        "seeds",
    }

"""The Dagster layer: one graph for all tenants, checks per tenant, one run per tenant and night."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from civitas_assets.definitions import build_definitions
from civitas_assets.harmonise.project import Project
from civitas_assets.pipeline.runner import Order
from civitas_assets.records import RECORD_TYPES
from civitas_assets.store.locks import hold_tenant_lock
from testbed.history import History
from tests.integration.conftest import MakeCounts, Server, Workplace

EMPTY_TOWN = 'name: Leer\nags: "99000098"\nbbox: [9.0, 50.0, 9.2, 50.2]\n'


def models_of(project: Project) -> list[tuple[str, str]]:
    """Group and name of each dbt model."""
    nodes = project.manifest["nodes"].values()
    return [
        ("shared" if node["name"] in project.models else "staging", node["name"])
        for node in nodes
        if node["resource_type"] == "model"
    ]


@pytest.fixture
def told(kleinstadt: Workplace, history: History) -> Any:
    """The small town, with Dagster's history on SQLite and on PostgreSQL, and nothing in it yet."""
    history.instance.wipe()
    kleinstadt.instance = history.instance
    return kleinstadt


@pytest.fixture
def definitions(kleinstadt: Workplace) -> dg.Definitions:
    kleinstadt.write_tenant("leer", EMPTY_TOWN)
    return build_definitions(kleinstadt.deployment)


def test_assets_are_per_used_connector_record_type_and_model_never_per_tenant(
    definitions: dg.Definitions, project: Project
) -> None:
    keys = {key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys()}
    assert keys == {
        *(f"landing/{name}" for name in ("csv", "json")),  # what the two tenants use
        *(f"records/{name}" for name in RECORD_TYPES),
        *(f"{layer}/{name}" for layer, name in models_of(project)),
        "published/duckdb",
        "commons/duckdb",
        "tenants/health",
    }


def test_records_come_from_the_connectors_that_bring_them(
    kleinstadt: Workplace, definitions: dg.Definitions
) -> None:
    graph = definitions.resolve_asset_graph()
    brought = {
        (f"landing/{source.connector}", f"records/{kind}")
        for tenant in kleinstadt.deployment.catalog.tenants.values()
        for source in tenant.sources.values()
        for kind in source.record_types()
    }
    edges = {
        (parent.to_user_string(), key.to_user_string())
        for key in graph.get_all_asset_keys()
        if key.path[0] == "records"
        for parent in graph.get(key).parent_keys
    }
    assert edges == brought


def test_every_check_and_every_asset_is_partitioned_by_tenant(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        assert graph.get(key).partitions_def.get_partition_keys() == ["kleinstadt", "leer"]
    checks = [graph.get(key) for key in graph.asset_check_keys]
    assert checks
    assert {tuple(check.partitions_def.get_partition_keys()) for check in checks} == {("kleinstadt", "leer")}


def test_there_are_no_more_checks_with_more_tenants_and_names_of_sources(kleinstadt: Workplace) -> None:
    before = _check_keys(kleinstadt)
    for number in range(3):
        text = kleinstadt.template("kleinstadt", url="https://stadt.example")
        kleinstadt.write_tenant(f"stadt_{number}", text.replace("parking:", f"parking_{number}:"))
    assert _check_keys(kleinstadt) == before


def test_each_model_has_one_check_which_names_and_describes_its_data_tests(
    definitions: dg.Definitions, project: Project
) -> None:
    graph = definitions.resolve_asset_graph()
    found = {
        key.asset_key.path[-1]: key for key in graph.asset_check_keys if key.asset_key.path[0] == "shared"
    }
    assert {key.name for key in found.values()} == {"every_data_test_holds"}
    for test in project.tests.values():
        check = graph.get(found[test.model])
        assert len(test.description.split()) > 5, test.name
        follows = "stops publishing" if test.blocking else "warns"
        assert f"- `{test.name}` ({follows}): {test.description}" in check.description.splitlines()
        assert check.blocking or not test.blocking


def test_every_table_has_an_owner_columns_and_a_link_to_what_makes_it(
    definitions: dg.Definitions, project: Project
) -> None:
    graph = definitions.resolve_asset_graph()
    groups = {key.path[0]: graph.get(key).group_name for key in graph.get_all_asset_keys()}
    layers = ("landing", "records", "staging", "shared", "published", "tenants")
    assert groups == {**{name: name for name in layers}, "commons": "published"}
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.owners == ["team:data"]
        assert node.kinds
        assert node.description
        if node.group_name in {"records", "staging", "shared"}:
            assert node.metadata["dagster/column_schema"].columns
        if node.group_name in {"landing", "records", "staging", "shared"}:
            (link,) = node.metadata["dagster/code_references"].code_references
            assert Path(link.file_path).is_file()


def test_columns_lead_back_to_columns_of_assets_that_there_are(
    definitions: dg.Definitions, project: Project
) -> None:
    graph = definitions.resolve_asset_graph()
    columns = {
        key: {column.name for column in graph.get(key).metadata["dagster/column_schema"].columns}
        for key in graph.get_all_asset_keys()
        if "dagster/column_schema" in graph.get(key).metadata
    }
    for layer, name in models_of(project):
        key = dg.AssetKey([layer, name])
        lineage = graph.get(key).metadata["dagster/column_lineage"].deps_by_column
        assert columns[key] <= set(lineage), name
        for deps in lineage.values():
            assert {dep.asset_key for dep in deps} <= graph.get(key).parent_keys
            assert all(dep.column_name in columns[dep.asset_key] for dep in deps), name
    value = graph.get(dg.AssetKey(["shared", "observation"])).metadata["dagster/column_lineage"]
    assert (
        dg.TableColumnDep(dg.AssetKey(["staging", "stg_observation"]), "value_native")
        in value.deps_by_column["value"]
    )
    daily = graph.get(dg.AssetKey(["shared", "observation_daily"])).metadata["dagster/column_schema"].columns
    (smallest,) = (column.description for column in daily if column.name == "minimum")
    assert smallest == (
        "Smallest valid value.\n\nFrom `shared/observation.quality_code`, `shared/observation.value`."
    )


def test_tenant_without_sources_materialises_everything_and_skips_nothing(kleinstadt: Workplace) -> None:
    kleinstadt.write_tenant("leer", EMPTY_TOWN)
    outcome = kleinstadt.run("leer")
    assert outcome.ok
    assert (outcome.sources, outcome.requests) == (0, 0)
    assert kleinstadt.ask("leer", "select count(*) from observation") == [(0,)]


def _check_keys(kleinstadt: Workplace) -> Any:
    return build_definitions(kleinstadt.deployment).resolve_asset_graph().asset_check_keys


def test_source_that_is_down_fails_its_own_check_and_nothing_else(told: Any, town: Server) -> None:
    town.pages["/parking.json"] = None
    outcome = told.run("kleinstadt")
    assert len(outcome.errors) == 1
    assert outcome.errors[0].startswith("landing/json · parking: ")
    assert "503" in outcome.errors[0]
    assert told.ask("kleinstadt", "select sum(value)::int from observation") == [(12,)]
    # What the UI shows: only checks that are about the latest materialisation.
    keys = [key for key in _check_keys(told) if key.asset_key.path[0] in {"landing", "records", "shared"}]
    infos = told.instance.event_log_storage.get_asset_check_partition_info(
        keys, partition_keys=["kleinstadt"]
    )
    evaluated = [info for info in infos if info.latest_execution_status.value != "PLANNED"]
    assert len(evaluated) > len(told.deployment.catalog.tenants)
    assert all(info.is_current for info in evaluated)


def test_payload_that_cannot_be_read_fails_the_check_until_it_can(
    kleinstadt: Workplace, town: Server
) -> None:
    good = town.pages["/parking.json"]
    town.pages["/parking.json"] = b"<html>maintenance</html>"
    assert any("records/parking_status · parking" in error for error in kleinstadt.run("kleinstadt").errors)
    # The page has not changed, so it is not fetched again; that it is unreadable is still said.
    assert any("records/parking_status · parking" in error for error in kleinstadt.run("kleinstadt").errors)
    town.pages["/parking.json"] = good
    assert kleinstadt.run("kleinstadt").ok
    assert kleinstadt.ask("kleinstadt", "select free from parking_status") == [(3,)]


def test_unchanged_night_starts_neither_workspace_nor_dbt(
    kleinstadt: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kleinstadt.run("kleinstadt").ok

    def never(*_: object) -> None:
        raise AssertionError("dbt was started")

    monkeypatch.setattr("civitas_assets.pipeline.harmonise_step.build_models", never)
    again = kleinstadt.run("kleinstadt")
    assert again.ok
    assert (again.new, again.days) == (0, 0)
    assert not any(kleinstadt.settings.workspaces.glob("*"))


def test_unchanged_night_observes_the_same_version_and_says_nothing_else_again(
    told: Any, town: Server, counts: MakeCounts
) -> None:
    runs = [told.run("kleinstadt").run_id for _ in range(2)]
    town.pages["/counter.csv"] = counts({"2026-08-21T10:00:00Z": 6})
    runs.append(told.run("kleinstadt").run_id)

    def said(run_id: str, kind: dg.DagsterEventType) -> dict[str, str | None]:
        records = told.instance.get_records_for_run(run_id, of_type=kind).records
        events = [record.event_log_entry for record in records]
        return {
            event.dagster_event.asset_key.to_user_string(): (
                (event.asset_materialization or event.asset_observation).tags or {}
            ).get("dagster/data_version")
            for event in events
        }

    made = [said(run, dg.DagsterEventType.ASSET_MATERIALIZATION) for run in runs]
    observed = [said(run, dg.DagsterEventType.ASSET_OBSERVATION) for run in runs]
    assert not made[1]
    assert observed[1].keys() == {"landing/csv", "landing/json", "tenants/health"}
    assert observed[1].items() <= made[0].items()
    checks = [dg.DagsterEventType.ASSET_CHECK_EVALUATION]
    assert not told.instance.get_records_for_run(runs[1], of_type={*checks}).records
    assert observed[2].keys() == {"landing/json", "tenants/health"}
    assert made[0].keys() > made[2].keys() >= {"landing/csv"}
    assert made[2]["landing/csv"] != made[0]["landing/csv"]


def test_check_that_failed_is_said_again_until_it_passes(told: Any, town: Server) -> None:
    page = town.pages["/parking.json"]
    passed = []
    for body in (page, None, None, page, page):
        town.pages["/parking.json"] = body
        run = told.run("kleinstadt").run_id
        records = told.instance.get_records_for_run(
            run, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
        ).records
        checks = [record.event_log_entry.dagster_event.asset_check_evaluation_data for record in records]
        passed.append(
            [
                check.passed
                for check in checks
                if (check.asset_key.path[-1], check.check_name) == ("json", "every_source_has_answered")
            ]
        )
    assert passed == [[True], [False], [False], [True], []]


def test_run_for_chosen_sources_fetches_only_those(kleinstadt: Workplace) -> None:
    outcome = kleinstadt.run("kleinstadt", Order(sources=("parking",)))
    assert outcome.ok
    assert (outcome.sources, outcome.requests) == (1, 1)
    unknown = kleinstadt.run("kleinstadt", Order(sources=("trams",)))
    assert any("no source trams; it has: bicycle_counters, parking" in error for error in unknown.errors)


def test_second_run_of_a_tenant_is_refused_while_one_is_going(kleinstadt: Workplace) -> None:
    with hold_tenant_lock(kleinstadt.settings.locks, "kleinstadt"):
        outcome = kleinstadt.run("kleinstadt")
    assert any("another run is working for kleinstadt" in error for error in outcome.errors)
    assert not kleinstadt.published("kleinstadt").exists()


def test_secret_reaches_the_server_and_no_record_of_the_run(
    told: Any, town: Server, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "hunter2-hunter2"  # noqa: S105 - the point of the test
    monkeypatch.setenv("KLEINSTADT_TOKEN", secret)
    file = told.settings.tenants_dir / "kleinstadt.yaml"
    text = file.read_text().replace(
        "    record_type: parking_status\n",
        "    record_type: parking_status\n    query: {key: {secret: KLEINSTADT_TOKEN}}\n",
    )
    file.write_text(text)
    town.pages[f"/parking.json?key={secret}"] = town.pages["/parking.json"]
    town.pages["/parking.json"] = None
    assert told.run("kleinstadt").ok
    kept = [path for path in told.folder.rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if secret.encode() in path.read_bytes()]
    assert secret.encode() not in history.content()

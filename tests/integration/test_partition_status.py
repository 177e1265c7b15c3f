"""What Dagster's UI shows of a tenant's partitions after runs that fail, read back from its storage."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value
from dagster_postgres import PostgresEventLogStorage

from civitas_assets.definitions import build_definitions
from civitas_assets.defs.runs import CLEARED_TAG, NIGHTLY, OUTCOME_TAG
from testbed.history import History
from tests.integration.conftest import MakeCounts, Server, Workplace


@pytest.fixture
def told(kleinstadt: Workplace, history: History) -> Any:
    """The small town, with Dagster's history as it is deployed: in files, and in PostgreSQL."""
    history.instance.wipe()
    kleinstadt.instance = history.instance
    return kleinstadt


# What a run makes of each group. In PostgreSQL, where Dagster opens about twenty connections to work out one asset's
# partitions, these stand for all; in files, all are looked at.
_OF_EACH_GROUP = {
    "landing/csv",
    "records/place",
    "staging/stg_place",
    "shared/observation",
    "published/duckdb",
    "tenants/health",
}


def _is_in_postgres(instance: dg.DagsterInstance) -> bool:
    return isinstance(instance.event_log_storage, PostgresEventLogStorage)


def _red(workplace: Workplace) -> tuple[set[str], set[str]]:
    """The assets and checks whose partition of the town is red, as the UI works it out and keeps it."""
    graph = build_definitions(workplace.deployment).resolve_asset_graph()
    assets = set()
    keys = {key.to_user_string(): key for key in graph.get_all_asset_keys()}
    looked_at = _OF_EACH_GROUP if _is_in_postgres(workplace.instance) else keys.keys()
    for key in (keys[name] for name in sorted(looked_at)):
        partitions = graph.get(key).partitions_def
        value = get_and_update_asset_status_cache_value(workplace.instance, key, partitions)
        if value and value.deserialize_failed_partition_subsets(partitions).get_partition_keys():
            assets.add(key.to_user_string())
    infos = workplace.instance.event_log_storage.get_asset_check_partition_info(
        [*graph.asset_check_keys], partition_keys=["kleinstadt"]
    )
    failed_runs = {
        run.run_id
        for run in workplace.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
    }
    checks = {
        info.check_key.to_user_string()
        for info in infos
        if info.latest_execution_status.value == "FAILED"
        or (info.latest_execution_status.value == "PLANNED" and info.latest_planned_run_id in failed_runs)
    }
    return assets, checks


def _run_job(workplace: Workplace, scope: dict[str, Any] | None = None) -> Any:
    job = build_definitions(workplace.deployment).resolve_job_def(NIGHTLY)
    config = {"resources": {"scope": {"config": scope}}} if scope else {}
    config["loggers"] = {"console": {"config": {"log_level": "CRITICAL"}}}
    return job.execute_in_process(
        instance=workplace.instance, partition_key="kleinstadt", run_config=config, raise_on_error=False
    )


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ({"days": {"from": "2026-13-01"}}, "days: month must be in 1..12; write days as 2026-08-01"),
        ({"days": {"from": "2026-08-02", "to": "2026-08-01"}}, "days: "),
        ({"sources": ["parkng"]}, "did you mean parking? no tenant has a source parkng"),
        ({"rebuild": "perhaps"}, "rebuild"),
        ({"cadence": "weekly"}, "cadence"),
        ({"sorces": ["parking"]}, "sorces"),
    ],
)
def test_what_cannot_be_meant_starts_no_run(kleinstadt: Workplace, scope: dict[str, Any], said: str) -> None:
    with pytest.raises(dg.DagsterInvalidConfigError) as error:
        _run_job(kleinstadt, scope)
    assert said in str(error.value)
    assert not kleinstadt.instance.get_runs()


def test_what_a_failed_run_has_left_red_is_cleared_where_nothing_is_new(told: Any) -> None:
    other = told.template("kleinstadt", url="https://stadt.example").replace("parking:", "trams:")
    told.write_tenant("nachbarort", other)
    assert told.run("kleinstadt").ok
    assert _red(told) == (set(), set())
    for again in (lambda: told.run("kleinstadt").run_id, lambda: _run_job(told).run_id):
        failed = _run_job(told, {"sources": ["trams"]})  # which the neighbour has
        assert not failed.success
        (step,) = [event for event in failed.all_events if event.is_failure]
        assert "kleinstadt has no source trams; it has: bicycle_counters, parking" in str(step)
        assets, checks = _red(told)
        assert {"records/place", "shared/observation", "published/duckdb"} < assets
        assert "shared/observation:every_data_test_holds" in checks
        run_id = again()
        assert _red(told) == (set(), set())
        left, run = (told.instance.get_run_by_id(found) for found in (failed.run_id, run_id))
        assert left.tags[CLEARED_TAG] == run_id
        assert (left.tags[OUTCOME_TAG], run.tags[OUTCOME_TAG]) == ("failed", "ok")


def test_every_check_is_about_what_was_made_last_of_its_asset(
    told: Any, town: Server, counts: MakeCounts
) -> None:
    """Of one that is about something older, the UI shows the tenant as missing."""

    def states() -> dict[str, tuple[str, bool]]:
        graph = build_definitions(told.deployment).resolve_asset_graph()
        infos = told.instance.event_log_storage.get_asset_check_partition_info(
            [*graph.asset_check_keys], partition_keys=["kleinstadt"]
        )
        return {
            info.check_key.to_user_string(): (info.latest_execution_status.value, info.is_current)
            for info in infos
        }

    verdict = "tenants/health:nothing_is_wrong"
    pages = dict(town.pages)
    for body, wrong in (
        ((pages["/counter.csv"], False),) * 2 + ((None, True),) * 2 + ((pages["/counter.csv"], False),)
    ):
        town.pages["/counter.csv"] = body
        told.run("kleinstadt")
        found = states()
        assert all(current for _, current in found.values()), found
        assert found[verdict] == ("FAILED" if wrong else "SUCCEEDED", True)

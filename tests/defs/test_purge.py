"""Old runs are forgotten on both storages, and the present state of every asset, partition and check is not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import dagster as dg
import yaml

from civitas_assets.defs.asset_checks import build_partitioned_check
from civitas_assets.defs.purge import Purge, delete_history
from civitas_assets.settings import PROJECT_DIR
from testbed.history import History

TENANTS = dg.StaticPartitionsDefinition(["x", "y"])
KEY = dg.AssetKey("table")
CHECK = dg.AssetCheckKey(KEY, "is_fine")


@dg.multi_asset(
    specs=[dg.AssetSpec(KEY)],
    check_specs=[build_partitioned_check(CHECK.name, KEY, TENANTS, "")],
    partitions_def=TENANTS,
)
def table(context) -> Any:  # type: ignore[no-untyped-def] # Dagster reads annotations
    if context.run.tags.get("fail"):
        raise ZeroDivisionError
    yield dg.MaterializeResult(metadata={"text": "x" * 2000})
    yield dg.AssetCheckResult(passed=True, asset_key=KEY, check_name=CHECK.name)


JOB = dg.Definitions(
    assets=[table], jobs=[dg.define_asset_job("make", executor_def=dg.in_process_executor)]
).resolve_job_def("make")


def run(history: History, tenant: str, **tags: str) -> str:
    result = JOB.execute_in_process(
        partition_key=tenant,
        instance=history.instance,
        raise_on_error=False,
        tags=tags,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    return result.run_id


def runs(history: History) -> set[str]:
    return {*history.instance.get_run_ids()}


def checked(history: History) -> dict[str | None, tuple[str, str]]:
    """The run and the outcome of the latest execution of the check, by tenant."""
    found = history.instance.event_log_storage.get_asset_check_partition_info([CHECK])
    return {
        info.partition_key: (info.latest_planned_run_id, info.latest_execution_status.value) for info in found
    }


def test_the_latest_state_stays_and_what_it_replaced_goes(history: History) -> None:
    replaced, failed = run(history, "x"), run(history, "x", fail="yes")
    earlier_y, latest_x = run(history, "y"), run(history, "x")
    cut = datetime.now(UTC)
    latest_y = run(history, "y")
    before = history.size()

    assert delete_history(history.instance, cut, dry_run=True) == Purge(3, 1)
    assert runs(history) == {replaced, earlier_y, latest_x, failed, latest_y}

    steps: list[tuple[int, int]] = []
    done = delete_history(history.instance, cut, progress=lambda n, of: steps.append((n, of)))
    assert (done.runs, done.kept) == (3, 1)
    assert steps == [(3, 3)]
    assert runs(history) == {latest_x, latest_y}
    content = history.content()
    for run_id in (replaced, earlier_y, failed):
        assert run_id.encode() not in content
        if history.url:
            assert not history.instance.all_logs(run_id)
    if not history.url:  # nothing is free in the files that is worth a compaction, or it was given back
        assert history.size() <= before

    state = history.instance
    assert state.get_materialized_partitions(KEY) == {"x", "y"}
    events = state.get_latest_materialization_events([KEY])
    assert events[KEY].run_id == latest_y
    assert state.get_latest_data_version_record(KEY, partition_key="x").run_id == latest_x
    assert checked(history) == {"x": (latest_x, "SUCCEEDED"), "y": (latest_y, "SUCCEEDED")}
    assert len(state.all_logs(latest_x)) > 5
    assert delete_history(history.instance, cut) == Purge(0, 1)
    not_yet_mended = run(history, "y", fail="yes")
    delete_history(history.instance, datetime.now(UTC))
    assert runs(history) == {latest_x, latest_y, not_yet_mended}


def test_runs_that_have_not_ended_stay_however_old_they_are(history: History) -> None:
    waiting = history.instance.create_run_for_job(JOB, tags={"dagster/partition": "x"})
    delete_history(history.instance, datetime.now(UTC))
    assert waiting.run_id in runs(history)


def test_both_instances_are_configured_alike_but_for_the_storage() -> None:
    one, several = (
        yaml.safe_load((PROJECT_DIR / "deploy" / name).read_text(encoding="utf-8"))
        for name in ("dagster.yaml", "dagster-postgres.yaml")
    )
    assert one.pop("storage")["custom"]["class"] == "LocalHistory"
    shared = several.pop("storage")["custom"]
    assert (shared["class"], shared["config"]) == (
        "SharedHistory",
        {"postgres_url": {"env": "CIVITAS_DAGSTER_URL"}},
    )
    assert one == several

"""What a run from the shell has left is in Dagster's history afterwards, as it was and when it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dagster as dg
import msgspec
import pytest

from civitas_assets.defs.asset_keys import HEALTH_KEY, landing_key
from civitas_assets.defs.runs import OUTCOME_TAG, SHELL_TAG
from civitas_assets.defs.shell_runs import build_shell_sensor, record_run, record_shell_runs
from civitas_assets.errors import Note, Problem
from civitas_assets.pipeline.asset_names import HEALTH, name_landing
from civitas_assets.pipeline.outcomes import ANSWERED, check_sources
from civitas_assets.pipeline.results import Materialised, Shown
from civitas_assets.pipeline.turn_records import TurnRecord, TurnRecords
from civitas_assets.store.step_reports import SourceReport
from tests.defs.conftest import Deploy

BEGAN, ENDED = 1_790_000_000.0, 1_790_000_007.5
RUN = "5b2e7b0e-3c64-4b1f-9a3e-0d6f6a7f0001"
OUTCOME = SourceReport(
    "counter",
    passed=False,
    problem=Problem("503", "http_status", {"status": 503}),
    notes=(Note("late", "it was late"),),
    numbers={"requests": 2.0},
)


def record(run_id: str = RUN, ended_at: float = ENDED, **more: Any) -> TurnRecord:
    checked = check_sources(name_landing("csv"), ANSWERED, [OUTCOME])
    made = Materialised(name_landing("csv"), {"requests": 2, "outcome": Shown("markdown", "| a |")}, "v1")
    page = Materialised(HEALTH, {"page": Shown("url", "http://localhost/page")})
    return TurnRecord(run_id, "stadt", BEGAN, ended_at, (made, checked, page), **more)


@pytest.fixture
def told(instance: dg.DagsterInstance) -> Callable[..., dg.RunRecord]:
    """A run's own record in the history, after a turn was recorded."""

    def tell(turn: TurnRecord) -> dg.RunRecord:
        record_run(instance, turn)
        found = instance.get_run_record_by_id(turn.run_id)
        assert found is not None
        return found

    return tell


def test_run_is_in_the_history_at_the_time_at_which_it_was(
    told: Callable[..., dg.RunRecord], instance: dg.DagsterInstance
) -> None:
    found = told(record())
    assert (found.start_time, found.end_time) == (BEGAN, ENDED)
    assert found.dagster_run.status is dg.DagsterRunStatus.SUCCESS
    assert found.dagster_run.tags[SHELL_TAG] == "true"
    assert found.dagster_run.tags["dagster/partition"] == "stadt"
    asked = dg.AssetRecordsFilter(asset_key=landing_key("csv"), asset_partitions=["stadt"])
    (made,) = instance.fetch_materializations(asked, limit=1).records
    assert (made.run_id, made.timestamp) == (RUN, ENDED)
    assert made.asset_materialization is not None
    assert made.asset_materialization.metadata["requests"].value == "2"
    assert isinstance(made.asset_materialization.metadata["outcome"], dg.MarkdownMetadataValue)


def test_checks_show_what_the_step_has_said_of_each_source(
    told: Callable[..., dg.RunRecord], instance: dg.DagsterInstance
) -> None:
    told(record())
    events = instance.all_logs(RUN, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    (check,) = [event.get_dagster_event().asset_check_evaluation_data for event in events]
    said = check_sources(name_landing("csv"), ANSWERED, [OUTCOME])
    assert (check.passed, check.description) == (False, said.description)
    assert check.metadata["failed_sources"].value == "1", "numbers are texts for the UI"
    assert msgspec.convert(check.metadata["sources"].data, list[SourceReport]) == [OUTCOME]  # type: ignore[attr-defined]


def test_turn_that_failed_is_a_run_that_failed(
    told: Callable[..., dg.RunRecord], instance: dg.DagsterInstance
) -> None:
    found = told(record(errors=("publish: no room",), failed=True, is_through=False))
    assert found.dagster_run.status is dg.DagsterRunStatus.FAILURE
    (failed,) = instance.all_logs(RUN, of_type=dg.DagsterEventType.STEP_FAILURE)
    given = failed.get_dagster_event().step_failure_data.user_failure_data
    assert given is not None
    assert given.description == "publish: no room"


def test_run_is_recorded_once_also_where_somebody_began_and_did_not_end(
    told: Callable[..., dg.RunRecord], instance: dg.DagsterInstance
) -> None:
    told(record())
    told(record())
    assert len(instance.all_logs(RUN, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)) == 2
    instance.delete_run(RUN)
    instance.create_run_for_job(_empty(), run_id=RUN, status=dg.DagsterRunStatus.STARTED)
    assert told(record()).dagster_run.status is dg.DagsterRunStatus.SUCCESS
    assert len(instance.all_logs(RUN, of_type=dg.DagsterEventType.RUN_SUCCESS)) == 1


def test_records_are_taken_in_as_they_ended_and_are_gone_then(
    deployed: Deploy, town: Callable[..., str], instance: dg.DagsterInstance
) -> None:
    deployment = deployed(stadt=town(1, s="nightly"))
    records, later = TurnRecords(deployment.files), RUN.replace("0001", "0002")
    records.add(record(later, ENDED + 60))
    records.add(record())
    (sensor,) = build_shell_sensor(deployment).sensors or ()
    answer = sensor(dg.build_sensor_context(instance))
    assert "2 runs" in str(answer)
    assert not records.list_keys()
    asked = dg.AssetRecordsFilter(asset_key=HEALTH_KEY, asset_partitions=["stadt"])
    assert [made.run_id for made in instance.fetch_materializations(asked, limit=2).records] == [later, RUN]
    assert record_shell_runs(deployment.settings, instance) == 0


def test_a_record_of_the_version_before_ends_as_it_did_and_a_damaged_one_stops_no_other(
    deployed: Deploy, town: Callable[..., str], instance: dg.DagsterInstance, caplog: pytest.LogCaptureFixture
) -> None:
    deployment = deployed(stadt=town(1, s="nightly"))
    records, later = TurnRecords(deployment.files), RUN.replace("0001", "0002")
    records.add(record())
    records.add(record(later, ENDED + 60))
    first, second = records.list_keys()
    moment = "2026-08-02T06:00:00Z"
    held = msgspec.json.decode(deployment.files.read(second) or b"")
    held["night"] = {
        "run_id": later, "started_at": moment, "ended_at": moment, "sources": {"counter": {"fetch_error": "HTTP 503"}}
    }  # fmt: skip
    deployment.files.write(second, msgspec.json.encode(held))
    deployment.files.write(first, b"{")
    record_shell_runs(deployment.settings, instance)
    assert not records.list_keys()
    assert first.rpartition("/")[2] in caplog.text
    assert instance.get_run_by_id(RUN) is None
    run = instance.get_run_by_id(later)
    assert run is not None
    assert run.tags[OUTCOME_TAG] == "faults"


def _empty() -> dg.JobDefinition:
    @dg.job(name="nightly")
    def job() -> None:
        pass

    return job

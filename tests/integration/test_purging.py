"""Dagster's history is purged by the command and by the schedule of every morning."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg
import pytest

from civitas_assets.definitions import build_definitions
from civitas_assets.defs.maintenance import PURGE
from tests.integration.conftest import Civitas, Workplace


def test_the_command_says_what_it_would_remove_and_refuses_what_is_no_age(civitas: Civitas) -> None:
    called = civitas("purge", "--dry-run")
    assert called.exit_code == 0, called.output
    assert called.stdout.startswith("0 runs older than 90 days would be removed; 0 older ones stay")
    refused = civitas("purge", "--older-than", "soon")
    assert refused.exit_code == 2
    assert "write days as 90d" in refused.output


def test_a_setting_that_makes_no_sense_is_named_without_its_value(
    civitas: Civitas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIVITAS_STORAGE_URL", "s3://key:hunter2@bucket")
    called = civitas("purge", "--dry-run")
    assert called.exit_code == 1
    assert "CIVITAS_STORAGE_URL: " in called.output
    assert "write s3://bucket or s3://bucket/prefix" in called.output
    assert "hunter2" not in called.output


def test_the_schedule_removes_what_is_past_its_age(kleinstadt: Workplace) -> None:
    definitions = build_definitions(kleinstadt.deployment)
    schedule = definitions.resolve_schedule_def(PURGE)
    assert (schedule.cron_schedule, schedule.default_status) == (
        "40 5 * * *",
        dg.DefaultScheduleStatus.RUNNING,
    )
    job, instance = definitions.resolve_job_def(PURGE), kleinstadt.instance
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    kleinstadt.clock += timedelta(days=36500)  # every run is past its age, but the one that is under way
    first = job.execute_in_process(instance=instance, run_config=quiet)
    second = build_definitions(kleinstadt.deployment).resolve_job_def(PURGE)
    last = second.execute_in_process(instance=instance, run_config=quiet)
    assert (first.success, last.success) == (True, True)
    assert {*instance.get_run_ids()} == {last.run_id}

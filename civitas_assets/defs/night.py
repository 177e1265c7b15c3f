"""What became of a run of assets, from the reports of its steps: the entry of the tenant's night book."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta

import dagster as dg

from civitas_assets.defs.runs import FAILED
from civitas_assets.errors import Problem
from civitas_assets.store.files import Files
from civitas_assets.store.nights import Night
from civitas_assets.store.step_reports import StepReport, StepReports


def read_night(
    instance: dg.DagsterInstance, files: Files, tenant: str, run_id: str, now: datetime
) -> Night | None:
    """A run of assets as it stands now, by what its steps have left; None if it has done nothing so far."""
    reports = StepReports(files, tenant).read(run_id)
    told = {report.step for report in reports if report.problem is not None}
    steps = (*reports, *list_unreported(instance, run_id, told))
    if not steps:
        return None
    record = instance.get_run_record_by_id(run_id)
    began = record.start_time if record is not None and record.start_time else None
    elapsed = max(0.0, datetime.now().timestamp() - began) if began else 0.0  # noqa: DTZ005 - as Dagster counts
    return Night(run_id, now - timedelta(seconds=elapsed), now, steps)


def list_unreported(
    instance: dg.DagsterInstance, run_id: str, reported: Collection[str]
) -> Iterator[StepReport]:
    """The steps that failed and are none of those that have `reported` it: Dagster alone knows.

    As where the tenant is unknown, or what a step has said could not be written into the history. One that names the
    tenants for which it failed is none of them.
    """
    for event in _list_failures(instance, run_id):
        if event.step_key not in reported and not _read_named(event):
            failure = event.step_failure_data
            given = failure.user_failure_data.description if failure.user_failure_data else None
            cause = failure.error.cause or failure.error if failure.error else None
            unforeseen = f"unforeseen {cause.cls_name}; the log of the run has more" if cause else "failed"
            yield StepReport(event.step_key or "", problem=Problem(given or unforeseen))


def read_failed_tenants(instance: dg.DagsterInstance, run_id: str) -> Mapping[str, str]:
    """The tenants for which a run of many says that it failed, having come to all of them, and by what."""
    return {
        tenant: str(text)
        for event in _list_failures(instance, run_id)
        for tenant, text in _read_named(event).items()
    }


def _list_failures(instance: dg.DagsterInstance, run_id: str) -> list[dg.DagsterEvent]:
    entries = instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    events = (entry.get_dagster_event() for entry in entries)
    return [event for event in events if event.is_step_failure]


def _read_named(event: dg.DagsterEvent) -> Mapping[str, object]:
    given = event.step_failure_data.user_failure_data
    named = given.metadata.get(FAILED) if given else None
    if isinstance(named, dg.JsonMetadataValue) and isinstance(named.data, dict):
        return named.data
    return {}

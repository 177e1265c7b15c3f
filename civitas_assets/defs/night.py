"""What became of a run, read from its own events: the entry of the tenant's night book.

What the morning page makes of it is in the package `report`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from civitas_assets.defs.checks import SourceOutcome, outcomes_of
from civitas_assets.defs.freshness import FRESH
from civitas_assets.store.nights import Night, SourceNight, StepFailure

_EVENTS = {
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.STEP_FAILURE,
}
_LONGEST = 2_000


@dataclass
class _Source:
    fetch_error: str = ""
    read_error: str = ""
    remarks: list[str] = field(default_factory=list)
    numbers: dict[str, float] = field(default_factory=dict)

    def add(self, outcome: SourceOutcome, *names: str) -> None:
        for name in names:
            self.numbers[name] = self.numbers.get(name, 0) + outcome.numbers.get(name, 0)

    def done(self) -> SourceNight:
        return SourceNight(
            fetch_error=self.fetch_error,
            read_error=self.read_error,
            requests=int(self.numbers.get("requests", 0)),
            bytes=int(self.numbers.get("bytes", 0)),
            seconds=self.numbers.get("seconds", 0.0),
            new=int(self.numbers.get("new", 0)),
            changed=int(self.numbers.get("changed", 0)),
            rejected=int(self.numbers.get("rejected", 0)),
            remarks=tuple(dict.fromkeys(self.remarks)),
        )


def night_of(
    instance: dg.DagsterInstance, run_id: str, now: datetime, failures: Sequence[StepFailure] = ()
) -> Night | None:
    """The run as it stands now, with failures that it has not recorded yet; None if it has done nothing so far."""
    events = [
        entry.dagster_event
        for entry in instance.all_logs(run_id, of_type=_EVENTS)
        if entry.dagster_event is not None
    ]
    if not events and not failures:
        return None
    checks = [
        event.asset_check_evaluation_data
        for event in events
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ]
    published = [
        e.materialization for e in events if e.is_step_materialization and _is(e.materialization, "published")
    ]
    broken = [*_broken_tests(checks, dg.AssetCheckSeverity.ERROR)]
    record = instance.get_run_record_by_id(run_id)
    began = record.start_time if record is not None and record.start_time else None
    elapsed = max(0.0, datetime.now().timestamp() - began) if began else 0.0  # noqa: DTZ005 - as Dagster counts
    return Night(
        run_id=run_id,
        started_at=now - timedelta(seconds=elapsed),
        ended_at=now,
        sources={name: source.done() for name, source in _sources(checks).items()},
        # A step that failed because of its tests says no more than they do.
        failures=tuple(broken or [*_failed_steps(events), *failures]),
        warnings=tuple(_broken_tests(checks, dg.AssetCheckSeverity.WARN)),
        published=bool(published),
        days=sum(_number(event, "days") for event in published),
        unfilled=tuple(name for event in published for name in _list(event, "unfilled")),
    )


def _sources(checks: Sequence[dg.AssetCheckEvaluation]) -> dict[str, _Source]:
    found: dict[str, _Source] = {}
    for check in checks:
        if check.check_name != FRESH:
            for outcome in outcomes_of(check):
                _add(found.setdefault(outcome.source, _Source()), check.asset_key.path[0], outcome)
    return found


def _add(source: _Source, step: str, outcome: SourceOutcome) -> None:
    text, is_error = outcome.said[:_LONGEST], outcome.is_error and not outcome.passed
    if step == "landing":
        source.add(outcome, "requests", "bytes", "seconds")
        if is_error:
            source.fetch_error = text or "failed"
        return
    source.add(outcome, "new", "changed", "rejected")
    if is_error:
        source.read_error = text or "failed"
    elif text:
        source.remarks.append(text)


def _broken_tests(
    checks: Sequence[dg.AssetCheckEvaluation], severity: dg.AssetCheckSeverity
) -> Iterator[StepFailure]:
    for check in checks:
        if check.asset_key.path[0] == "shared" and not check.passed and check.severity is severity:
            yield StepFailure(check.check_name, (check.description or "failed")[:_LONGEST])


def _failed_steps(events: Sequence[dg.DagsterEvent]) -> Iterator[StepFailure]:
    """What steps say of their failure; of one that nobody foresaw only its kind, for its text may say too much."""
    for event in events:
        if event.is_step_failure:
            failure = event.step_failure_data
            given = failure.user_failure_data.description if failure.user_failure_data else None
            cause = failure.error.cause or failure.error if failure.error else None
            unforeseen = f"unforeseen {cause.cls_name}; the log of the run has more" if cause else "failed"
            yield StepFailure(event.step_key or "", (given or unforeseen)[:_LONGEST])


def _is(event: dg.AssetMaterialization, group: str) -> bool:
    return event.asset_key.path[0] == group


def _number(event: dg.AssetMaterialization, name: str) -> int:
    value = event.metadata.get(name)
    return int(value.value) if value is not None and isinstance(value.value, int | float) else 0


def _list(event: dg.AssetMaterialization, name: str) -> list[str]:
    value: Any = event.metadata.get(name)
    return [*map(str, value.value)] if value is not None and isinstance(value.value, list | tuple) else []

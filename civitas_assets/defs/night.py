"""What became of a run, from its events or from what a turn has said: the entry of the tenant's night book.

What the morning page makes of it is in the package `report`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import dagster as dg

from civitas_assets.defs.asset_checks import SourceOutcome, read_broken_tests, read_outcomes
from civitas_assets.defs.freshness import FRESH
from civitas_assets.defs.work import Result
from civitas_assets.store.nights import Night, SourceNight, StepFailure

_EVENTS = {
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.STEP_FAILURE,
}
_LONGEST = 2_000

_Check: TypeAlias = "dg.AssetCheckEvaluation | dg.AssetCheckResult"
_Made: TypeAlias = "dg.AssetMaterialization | dg.MaterializeResult[Any]"


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


def read_night(instance: dg.DagsterInstance, run_id: str, now: datetime) -> Night | None:
    """A run of assets as it stands now, from its events; None if it has done nothing so far."""
    events = [
        entry.dagster_event
        for entry in instance.all_logs(run_id, of_type=_EVENTS)
        if entry.dagster_event is not None
    ]
    if not events:
        return None
    record = instance.get_run_record_by_id(run_id)
    began = record.start_time if record is not None and record.start_time else None
    elapsed = max(0.0, datetime.now().timestamp() - began) if began else 0.0  # noqa: DTZ005 - as Dagster counts
    return _night(
        run_id,
        (now - timedelta(seconds=elapsed), now),
        [
            event.asset_check_evaluation_data
            for event in events
            if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION
        ],
        [event.materialization for event in events if event.is_step_materialization],
        [*_failed_steps(events)],
    )


def build_night(
    results: Sequence[Result],
    failures: Sequence[StepFailure],
    run_id: str,
    started_at: datetime,
    ended_at: datetime,
) -> Night:
    """What a tenant's turn has said, and the steps of it that failed."""
    return _night(
        run_id,
        (started_at, ended_at),
        [result for result in results if isinstance(result, dg.AssetCheckResult)],
        [result for result in results if isinstance(result, dg.MaterializeResult)],
        failures,
    )


def _night(
    run_id: str,
    span: tuple[datetime, datetime],
    checks: Sequence[_Check],
    made: Sequence[_Made],
    failures: Sequence[StepFailure],
) -> Night:
    published = [one for one in made if one.asset_key and one.asset_key.path[0] == "published"]
    broken = [*_broken_tests(checks, dg.AssetCheckSeverity.ERROR)]
    return Night(
        run_id=run_id,
        started_at=span[0],
        ended_at=span[1],
        sources={name: source.done() for name, source in _sources(checks).items()},
        # A step that failed because of its tests says no more than they do.
        failures=tuple(broken or failures),
        warnings=tuple(_broken_tests(checks, dg.AssetCheckSeverity.WARN)),
        published=bool(published),
        days=sum(_number(one, "days") for one in published),
        unfilled=tuple(name for one in published for name in _list(one, "unfilled")),
    )


def _sources(checks: Sequence[_Check]) -> dict[str, _Source]:
    found: dict[str, _Source] = {}
    for check in checks:
        if check.check_name != FRESH:
            for outcome in read_outcomes(check):
                _add(found.setdefault(outcome.source, _Source()), _layer(check), outcome)
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


def _broken_tests(checks: Sequence[_Check], severity: dg.AssetCheckSeverity) -> Iterator[StepFailure]:
    for check in checks:
        for test in read_broken_tests(check):
            if test.is_error is (severity is dg.AssetCheckSeverity.ERROR):
                yield StepFailure(test.test, test.said[:_LONGEST])


def _failed_steps(events: Sequence[dg.DagsterEvent]) -> Iterator[StepFailure]:
    """What steps say of their failure; of one that nobody foresaw only its kind, for its text may say too much."""
    for event in events:
        if event.is_step_failure:
            failure = event.step_failure_data
            given = failure.user_failure_data.description if failure.user_failure_data else None
            cause = failure.error.cause or failure.error if failure.error else None
            unforeseen = f"unforeseen {cause.cls_name}; the log of the run has more" if cause else "failed"
            yield StepFailure(event.step_key or "", (given or unforeseen)[:_LONGEST])


def _layer(said: _Check) -> str:
    return said.asset_key.path[0] if said.asset_key else ""


def _number(made: _Made, name: str) -> int:
    value = _value(made, name)
    return int(value) if isinstance(value, int | float) else 0


def _list(made: _Made, name: str) -> list[str]:
    value = _value(made, name)
    return [*map(str, value)] if isinstance(value, list | tuple) else []


def _value(made: _Made, name: str) -> Any:
    """As a step says it, or as Dagster has wrapped it up in an event."""
    value = (made.metadata or {}).get(name)
    return value.value if isinstance(value, dg.MetadataValue) else value

"""What became of a run, from what its steps have said: the entry of the tenant's night book.

What the morning page makes of it is in the package `report`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from civitas_assets.errors import Problem
from civitas_assets.pipeline.outcomes import FRESH
from civitas_assets.pipeline.results import Checked, Materialised, Result, Severity, SourceOutcome
from civitas_assets.store.nights import Night, SourceNight, StepFailure

LONGEST = 2_000  # characters of what is said of one thing


@dataclass
class _Source:
    fetch_error: Problem | None = None
    read_error: Problem | None = None
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


def build_night(
    results: Sequence[Result],
    failures: Sequence[StepFailure],
    run_id: str,
    started_at: datetime,
    ended_at: datetime,
) -> Night:
    """What a tenant's steps have said, and those that failed."""
    checks = [result for result in results if isinstance(result, Checked)]
    published = [one for one in results if isinstance(one, Materialised) and one.layer == "published"]
    broken = [*_broken_tests(checks, "error")]
    return Night(
        run_id=run_id,
        started_at=started_at,
        ended_at=ended_at,
        sources={name: source.done() for name, source in _sources(checks).items()},
        # A step that failed because of its tests says no more than they do.
        failures=tuple(broken or failures),
        warnings=tuple(_broken_tests(checks, "warn")),
        published=bool(published),
        days=sum(_number(one, "days") for one in published),
        unfilled=tuple(name for one in published for name in _list(one, "unfilled")),
    )


def summarise_outcome(nights: Iterable[Night]) -> str:
    """How a run ended for its tenants, the worst counts: what runs are filtered by."""
    found = [*nights]
    if any(night.failures for night in found):
        return "failed"
    return "ok" if all(night.ok for night in found) else "faults"


def _sources(checks: Sequence[Checked]) -> dict[str, _Source]:
    found: dict[str, _Source] = {}
    for check in checks:
        if check.check != FRESH:
            for outcome in check.sources:
                _add(found.setdefault(outcome.source, _Source()), check.layer, outcome)
    return found


def _add(source: _Source, step: str, outcome: SourceOutcome) -> None:
    error = outcome.problem
    if error is not None:
        error = error.with_text(outcome.said[:LONGEST])
    if step == "landing":
        source.add(outcome, "requests", "bytes", "seconds")
        source.fetch_error = error or source.fetch_error
        return
    source.add(outcome, "new", "changed", "rejected")
    if error is not None:
        source.read_error = error
    elif outcome.said:
        source.remarks.append(outcome.said[:LONGEST])


def _broken_tests(checks: Sequence[Checked], severity: Severity) -> Iterator[StepFailure]:
    for check in checks:
        for test in check.tests:
            if test.is_error is (severity == "error"):
                yield StepFailure(test.test, test.said[:LONGEST])


def _number(made: Materialised, name: str) -> int:
    digits = str(made.metadata.get(name)).replace(",", "")  # as a step has said it, or as the UI shows it
    return int(digits) if digits.isdecimal() else 0


def _list(made: Materialised, name: str) -> list[str]:
    value = made.metadata.get(name)
    return [*map(str, value)] if isinstance(value, list) else []

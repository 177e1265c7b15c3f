"""The reports of steps, from what they have said, and how runs ended by them.

What the morning page makes of it is in the package `report`.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from civitas_assets.pipeline.outcomes import FRESH
from civitas_assets.pipeline.results import Materialised, Result
from civitas_assets.store.nights import Night
from civitas_assets.store.step_reports import LONGEST, DataTestReport, SourceReport, StepReport


def build_reports(step: str, results: Iterable[Result]) -> tuple[StepReport, ...]:
    """What is kept of a step: its numbers, and what became of sources and tests; not what is only to be looked at.

    That a source is late is none of it, as that comes from the summary and goes with the next answer.
    """
    found = []
    for result in results:
        if isinstance(result, Materialised):
            counts, unfilled = result.counts, result.unfilled
            found.append(StepReport(step, result.asset, was_made=True, counts=counts, unfilled=unfilled))
        elif result.check != FRESH and (result.sources or result.tests):
            sources, tests = tuple(map(_bounded, result.sources)), tuple(map(_bounded_test, result.tests))
            found.append(StepReport(step, result.asset, sources=sources, tests=tests))
    return tuple(found)


def summarise_outcome(nights: Iterable[Night]) -> str:
    """How a run ended for its tenants, the worst counts: what runs are filtered by."""
    found = [*nights]
    if any(night.failures for night in found):
        return "failed"
    return "ok" if all(night.ok for night in found) else "faults"


def _bounded(source: SourceReport) -> SourceReport:
    problem = source.problem and source.problem.with_text(source.problem.text[:LONGEST])
    return replace(source, problem=problem, remarks=tuple(text[:LONGEST] for text in source.remarks))


def _bounded_test(test: DataTestReport) -> DataTestReport:
    return replace(test, said=test.said[:LONGEST])

"""How one check carries what there is to say of each of a tenant's sources, or of each data test of a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from civitas_assets.inert import unescape_markdown
from civitas_assets.pipeline.asset_names import name_landing
from civitas_assets.pipeline.presentation import format_description
from civitas_assets.pipeline.results import Checked, Severity
from civitas_assets.store.status import SourceStatus
from civitas_assets.store.step_reports import DataTestReport, SourceReport

ANSWERED = "every_source_has_answered"
FRESH = "every_source_is_fresh"
READ = "every_payload_could_be_read"
TESTED = "every_data_test_holds"
WELL = "nothing_is_wrong"
PAGE_MADE = "the_page_was_made"


def check_sources(asset: str, name: str, outcomes: Sequence[SourceReport]) -> Checked:
    """One result for all of a tenant's sources, so that there are no more checks than assets and kinds of checks."""
    failed = [outcome for outcome in outcomes if not outcome.passed]
    numbers: Counter[str] = Counter()
    for outcome in outcomes:
        numbers.update(outcome.numbers)
    return Checked(
        asset,
        name,
        passed=not failed,
        severity=_severity(any(outcome.is_error for outcome in failed)),
        description=format_description(
            f"{outcome.source}: {outcome.text or 'failed'}"
            for outcome in outcomes
            if outcome.text or not outcome.passed
        ),
        metadata={"failed_sources": len(failed), **numbers},
        sources=tuple(outcomes),
    )


def check_tests(
    asset: str, name: str, count: int, broken: Sequence[DataTestReport], seconds: float
) -> Checked:
    """One result for all data tests of a model, of which these are broken."""
    return Checked(
        asset,
        name,
        passed=not broken,
        severity=_severity(any(outcome.is_error for outcome in broken)),
        description=format_description(f"{outcome.test}: {outcome.said}" for outcome in broken),
        metadata={
            "tested": count,
            "failing_rows": sum(outcome.failing_rows for outcome in broken),
            "seconds": seconds,
        },
        tests=tuple(broken),
    )


def check_freshness(connector: str, found: Mapping[str, SourceStatus]) -> Checked:
    """Whether a tenant's sources of this connector, by name, are fresh."""
    outcomes = [
        SourceReport(name, passed=not what.is_late, remarks=(str(what),) if what.is_late else ())
        for name, what in found.items()
    ]
    return check_sources(name_landing(connector), FRESH, outcomes)


def list_check_faults(check: Checked) -> Iterator[tuple[Severity, str]]:
    """What a check that did not pass complains about, a line for each source or test; new notes are no complaints."""
    for outcome in check.sources:
        if not outcome.passed and (outcome.said or not outcome.new_notes):
            yield (
                _severity(outcome.is_error),
                f"{check.asset} · {outcome.source}: {outcome.said or 'failed'}",
            )
    for test in check.tests:
        yield _severity(test.is_error), f"{check.asset} · {test.test}: {test.said}"
    if not check.passed and not check.sources and not check.tests:
        said = unescape_markdown(check.description or "failed")
        yield check.severity, f"{check.asset} · {check.check}: {said}"


def _severity(is_error: bool) -> Severity:
    return "error" if is_error else "warn"

"""Checks that belong to a tenant, and how one check carries what there is to say of each of its sources.

Each partition has its own result, so no tenant's outcome hides another's. Dagster marks partitioned checks as a
preview; that is used in this one place.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import dagster as dg
import msgspec

from civitas_assets.defs.presentation import format_description
from civitas_assets.inert import unescape_markdown
from civitas_assets.records import Note

_SOURCES = "sources"
_TESTS = "tests"
_BETWEEN = "; "


def build_partitioned_check(
    name: str,
    asset: dg.AssetKey,
    partitions: dg.PartitionsDefinition[str],
    description: str,
    *,
    blocking: bool = False,
) -> dg.AssetCheckSpec:
    """A check whose results are kept per tenant; `blocking` says in the UI that what comes after waits for it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return dg.AssetCheckSpec(
            name, asset=asset, description=description, blocking=blocking, partitions_def=partitions
        )


class SourceOutcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a check says of one source: what went wrong or is remarkable, its notes, and what was counted.

    `new_notes` are those of the `notes` that nobody was told yet; a source with any has not passed.
    """

    source: str
    passed: bool = True
    is_error: bool = False
    said: str = ""
    notes: tuple[Note, ...] = ()
    new_notes: tuple[Note, ...] = ()
    numbers: Mapping[str, float] = {}

    @property
    def text(self) -> str:
        """What went wrong, then the notes that nobody was told yet."""
        return _BETWEEN.join(filter(None, [self.said, *(note.text for note in self.new_notes)]))


def check_sources(asset: dg.AssetKey, name: str, outcomes: Sequence[SourceOutcome]) -> dg.AssetCheckResult:
    """One result for all of a tenant's sources, so that there are no more checks than assets and kinds of checks."""
    failed = [outcome for outcome in outcomes if not outcome.passed]
    is_error = any(outcome.is_error for outcome in failed)
    numbers: Counter[str] = Counter()
    for outcome in outcomes:
        numbers.update(outcome.numbers)
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=name,
        passed=not failed,
        severity=_severity(is_error),
        description=format_description(
            f"{outcome.source}: {outcome.text or 'failed'}"
            for outcome in outcomes
            if outcome.text or not outcome.passed
        ),
        metadata={
            "failed_sources": len(failed),
            **numbers,
            _SOURCES: dg.MetadataValue.json(msgspec.to_builtins(outcomes)),
        },
    )


class TestOutcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a check says of one data test that did not pass: whether it stops publishing, and how many rows break it."""

    test: str
    is_error: bool
    said: str
    failing_rows: int = 0


def check_tests(
    asset: dg.AssetKey, name: str, count: int, broken: Sequence[TestOutcome], seconds: float
) -> dg.AssetCheckResult:
    """One result for all data tests of a model, of which these are broken."""
    is_error = any(outcome.is_error for outcome in broken)
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=name,
        passed=not broken,
        severity=_severity(is_error),
        description=format_description(f"{outcome.test}: {outcome.said}" for outcome in broken),
        metadata={
            "tested": count,
            "failing_rows": sum(outcome.failing_rows for outcome in broken),
            "seconds": seconds,
            **({_TESTS: dg.MetadataValue.json(msgspec.to_builtins(broken))} if broken else {}),
        },
    )


def read_broken_tests(check: dg.AssetCheckEvaluation | dg.AssetCheckResult) -> Sequence[TestOutcome]:
    """The data tests that a check says are broken."""
    found = (check.metadata or {}).get(_TESTS)
    if not isinstance(found, dg.JsonMetadataValue):
        return ()
    return msgspec.convert(found.data, type=list[TestOutcome])


def read_outcomes(check: dg.AssetCheckEvaluation | dg.AssetCheckResult) -> Sequence[SourceOutcome]:
    """What a check says of each source; nothing where it is not about sources."""
    found = (check.metadata or {}).get(_SOURCES)
    if not isinstance(found, dg.JsonMetadataValue):
        return ()
    return msgspec.convert(found.data, type=list[SourceOutcome])


def list_check_faults(
    check: dg.AssetCheckEvaluation | dg.AssetCheckResult,
) -> Iterator[tuple[dg.AssetCheckSeverity, str]]:
    """What a check that did not pass complains about, a line for each source or test; new notes are no complaints."""
    asset, outcomes = check.asset_key.to_user_string() if check.asset_key else "", read_outcomes(check)
    for outcome in outcomes:
        if not outcome.passed and (outcome.said or not outcome.new_notes):
            yield _severity(outcome.is_error), f"{asset} · {outcome.source}: {outcome.said or 'failed'}"
    broken = read_broken_tests(check)
    for test in broken:
        yield _severity(test.is_error), f"{asset} · {test.test}: {test.said}"
    if not check.passed and not outcomes and not broken:
        yield (
            check.severity,
            f"{asset} · {check.check_name}: {unescape_markdown(check.description or 'failed')}",
        )


def _severity(is_error: bool) -> dg.AssetCheckSeverity:
    return dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN

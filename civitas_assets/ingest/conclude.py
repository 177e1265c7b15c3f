"""What is known of a source once it was read: how far that came, and what of it is a problem.

Nothing is read or kept here: that is done in `read.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from msgspec.structs import replace

from civitas_assets.catalog import Source
from civitas_assets.errors import Problem
from civitas_assets.ingest.notes import NOTHING_CAME, note_nothing_came, note_series_only
from civitas_assets.ingest.reports import ReadReport
from civitas_assets.store.journal import Progress, StandingNote


def build_progress(
    source: Source,
    report: ReadReport,
    before: Progress,
    after: Progress,
    *,
    listed: int,
    given: Collection[str],
    usable: Collection[str],
    has_rejected: bool,
) -> tuple[Progress, list[Problem]]:
    """The progress with what follows from the report, and the problems that do.

    `after` is how far reading came and what stands of it. `listed` counts what rosters named, `given` are record types
    with rows, `usable` those of which one could be used; `has_rejected` is whether the source has rejected rows on
    which nobody has decided.
    """
    rows = sum(counts.read for counts in report.counts.values()) + listed
    # An answer that stays empty is not read again; that it is empty stays true until rows come.
    ran_dry = not rows and (before.ran_dry or bool(report.payloads and before.had_rows))
    problems, notes = list[Problem](), list[StandingNote]()
    if ran_dry and report.ok:
        number = report.payloads or "unchanged"
        text = f"{number} payload(s) without a single row, although the source always had some"
        problems.append(Problem(text, "became_empty"))
    if not rows and not before.had_rows and _has_answers(report, before):
        notes.append(StandingNote(note_nothing_came(source), ()))
    silent, had_values = note_series_only(source, report.counts, before)
    if silent is not None:
        notes.append(StandingNote(silent, ()))
    still = before.unusable.difference(usable) if has_rejected else frozenset()
    concluded = replace(
        after,
        had_rows=before.had_rows or rows > 0,
        had_values=had_values,
        ran_dry=ran_dry,
        notes=(*after.notes, *notes),
        unusable=frozenset(given).difference(usable) | still,
    )
    return concluded, problems


def _has_answers(report: ReadReport, before: Progress) -> bool:
    """Whether there were answers at all, now or before."""
    return bool(report.payloads) or any(one.note.code == NOTHING_CAME for one in before.notes)


def list_unusable(
    tenant: str, source: str, unusable: Iterable[str], given: Mapping[str, int]
) -> Iterator[Problem]:
    """Record types of which no row could be used, as problems; `given` is how many rows there were.

    Single rows that are rejected are a remark; where all are, the source or its mapping has changed.
    """
    show = f"civitas quarantine show {tenant} --source {source}"
    for name in sorted(unusable):
        what = f"none of {given[name]:,} row(s)" if name in given else "still no row"
        yield Problem(
            f"{what} could be used for {name}; `{show}` says why", "unusable", {"record_type": name}
        )

"""Reading: landed payloads that were not read yet become records, or rows in quarantine.

What is then known of the source is worked out in `conclude.py`, and how what was read is kept is in `keep.py`; reading
again what was read before is in `rehearse.py`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from civitas_assets.catalog import Source, Tenant
from civitas_assets.connectors.base import Connector, Payload, Request
from civitas_assets.connectors.pagination.next_pages import ROLE as PAGE
from civitas_assets.connectors.pagination.pagination import FURTHER
from civitas_assets.connectors.pagination.partial import is_declared_incomplete, is_json_text
from civitas_assets.connectors.transport.http_reason import extract_complaint
from civitas_assets.errors import BodyLost, Problem, ReadError, ReadStopped
from civitas_assets.ingest.apart import read_apart
from civitas_assets.ingest.attempts import Attempts, describe_ended_process
from civitas_assets.ingest.away import Fetches
from civitas_assets.ingest.backlog import Backlog, select_unsuperseded
from civitas_assets.ingest.bounds import ReadLimits
from civitas_assets.ingest.conclude import build_progress, list_unusable
from civitas_assets.ingest.intake import Decoded, Intake
from civitas_assets.ingest.keep import Keeper
from civitas_assets.ingest.notes import (
    NOT_WHOLE,
    NoteBook,
    collect_notes,
    note_cut_answers,
    note_encodings,
    note_incomplete,
    select_new_notes,
    summarise_notes,
)
from civitas_assets.ingest.privacy_filter import PrivacyFilter
from civitas_assets.ingest.read_faults import ReadFaults
from civitas_assets.ingest.register import GONE, Sightings, find_gone, note_seen
from civitas_assets.ingest.reports import ReadReport
from civitas_assets.ingest.vanished import find_vanished
from civitas_assets.records import RECORD_TYPES
from civitas_assets.records.clean_text import is_clean_source
from civitas_assets.records.origin import Origin, build_format_rejections
from civitas_assets.records.raw import Roster
from civitas_assets.spool import measure_body, read_head
from civitas_assets.store.addresses import Line
from civitas_assets.store.discard import discard_read
from civitas_assets.store.journal import Progress, StandingNote
from civitas_assets.store.landing import Manifest, SourceLanding, hash_config
from civitas_assets.store.seen import READ
from civitas_assets.store.stores import Stores
from civitas_assets.store.summary import SummaryStore

log = logging.getLogger("civitas_assets.read")

_HEAD = 1024  # bytes that tell JSON from other texts


@dataclass(frozen=True)
class SourceReading:
    """What reading one source works with: where it reads, where that goes, and who gathers what is to be told of it."""

    tenant: Tenant
    source: Source
    connector: Connector
    landing: SourceLanding
    stores: Stores
    run_id: str
    report: ReadReport
    faults: ReadFaults
    keeper: Keeper
    notes: NoteBook
    sightings: Sightings
    discretion: PrivacyFilter
    intake: Intake

    @classmethod
    def for_source(  # noqa: PLR0917 - each argument is of another type
        cls,
        tenant: Tenant,
        source: Source,
        connector: Connector,
        landing: SourceLanding,
        stores: Stores,
        run_id: str,
    ) -> SourceReading:
        """A reading of the source from its landing into stores, of which nothing is told yet."""
        report, notes, sightings = ReadReport(source.name), NoteBook(), Sightings(source.name)
        faults = ReadFaults(tenant.slug, report)
        keeper = Keeper(tenant, stores, run_id, report)
        discretion = PrivacyFilter(landing.files, tenant, source)
        intake = Intake(tenant, source, report, keeper, notes, sightings, faults.fail, discretion)
        gathers = report, faults, keeper, notes, sightings, discretion, intake
        return cls(tenant, source, connector, landing, stores, run_id, *gathers)


def read_landed(reading: SourceReading) -> None:
    """Read what has landed since it was last read."""
    source, landing, stores = reading.source, reading.landing, reading.stores
    progress = stores.journal.read_progress(source.name)
    after = read_manifests(reading, landing.list_manifests(after=progress.manifest), progress, compare=True)
    if reading.discretion.erased_in:  # what was erased, and came again
        landing.erase(reading.discretion.erased_in)
    if source.landing == "discard":
        discard_read(stores, reading.tenant.slug, source.name)
    for problem in list_unusable(reading.tenant.slug, source.name, after.unusable, reading.intake.given):
        reading.faults.complain(problem)


def read_manifests(
    reading: SourceReading, found: Iterable[Manifest], progress: Progress, *, compare: bool = False
) -> Progress:
    """Read these manifests, which follow on what was read so far, and note how far that came; the new progress.

    With `compare`, what they have is held against what is known, and what the source has no more is closed or told.
    What could not be read is in `reading.faults.unread`.
    """
    started, source, report, faults = time.monotonic(), reading.source, reading.report, reading.faults
    manifests = list(found)
    backlog = Backlog.of(manifests, progress, reading.landing.list_erased())
    report.newest_at = max((line.fetched_at for line in backlog.fresh), default=None)
    under = f"{hash_config(source.model_dump(mode='json'))} {ReadLimits.from_frame(source.frame)}"
    attempts = Attempts(reading.stores.journal, source.name, progress, under)
    for line in backlog.tried:
        if line.sha256 in attempts.counts:
            faults.fail([line], Problem(describe_ended_process(line), "reading_stopped"))
    batches, listed = list(attempts.split_batches(backlog.tried)), 0
    fetches = Fetches.of(source, manifests if compare and batches else (), reading.stores)
    for number, batch in enumerate(batches, 1):
        with attempts.note_batch(batch), reading.intake.waiting:
            listed += _read_batch(reading, batch, attempts)
        if number < len(batches):
            _log(reading, f"part {number} of {len(batches)}")
    failed = select_unsuperseded(backlog.waiting, backlog.tried, faults.unread)
    before = progress.notes
    if compare and batches:
        before = _compare(reading, fetches, backlog.fresh, failed, before)
    stopped, still = attempts.of(failed), progress.unusable - reading.intake.usable
    rejected = reading.stores.quarantine.count_rows()[0] if still else {}
    after, problems = build_progress(
        source,
        report,
        progress,
        Progress(
            manifests[-1].name if manifests else progress.manifest,
            failed=tuple(failed),
            attempts=stopped,
            attempts_under=attempts.under if stopped else "",
            notes=reading.notes.list_standing(before, reading.landing.read_addresses),
        ),
        listed=listed,
        given=reading.intake.given.keys(),
        usable=reading.intake.usable,
        has_rejected=bool(rejected.get(source.name)),
    )
    report.problems += problems
    report.notes = summarise_notes(after.notes)
    report.new_notes = select_new_notes(report.notes, summarise_notes(progress.notes))
    if batches or after != progress:
        reading.stores.journal.advance(source.name, after)
    report.seconds = time.monotonic() - started
    if report.payloads:
        _log(reading, "done" if report.ok else "FAILED")
    return after


def _compare(
    reading: SourceReading,
    fetches: Fetches,
    fresh: Sequence[Line],
    failed: Sequence[Line],
    before: tuple[StandingNote, ...],
) -> tuple[StandingNote, ...]:
    """Close or tell what the last fetch has no more; the notes of before without those of what was gone."""
    source, stores, notes, run_id = reading.source, reading.stores, reading.notes, reading.run_id
    known, answered = reading.landing.read_addresses(), reading.landing.read_answered()
    seen = note_seen(reading.sightings, stores.seen, known, fresh)
    told = [one.note.code for one in notes.list_standing(before, lambda: known)]
    fetched = SummaryStore(stores.files, reading.tenant.slug).read().get_source(source.name)
    if NOT_WHOLE.intersection((*told, *(note.code for note in fetched.fetch_notes))):
        return before
    gone = find_gone(source, seen, known, answered, failed, stores.records, run_id)
    for news in gone.news:
        reading.keeper.keep(news)
    if gone.notes:  # what is still there was seen later than what is gone, which tables say, too
        stores.journal.note(f"{run_id}-{source.name}", [], things=True)
    notes.add(max(known, key=lambda url: known[url].seen_on), gone.notes)
    for url, note in fetches.look_for_away(reading.sightings.found, known, answered):
        notes.add(url, [note])
    return tuple(one for one in before if one.note.code != GONE)


def _read_batch(reading: SourceReading, lines: Sequence[Line], attempts: Attempts) -> int:
    """Decode, type and store what the lines' payloads hold; how many things their rosters name."""
    reading.notes.read(line.url for line in lines)
    decoded, listed = Decoded(lines), 0
    pages = set[tuple[str, frozenset[tuple[str, str]]]]()
    for line in lines:
        body = line.sha256, frozenset(line.variables.items())
        if line.role in {PAGE, FURTHER} and body in pages:
            reading.sightings.note(READ, line)
            continue  # the last page once more, as services give it beyond their end
        pages.add(body)
        try:
            payload = _load_payload(reading, line)
        except BodyLost as error:  # as after a restore: its neighbours are there
            reading.faults.fail([line], error.to_problem())
            continue
        try:
            listed += _read_payload(reading, decoded, line, payload)
        except ReadError as error:
            if isinstance(error, ReadStopped):
                attempts.count_stopped(line)
            quiet = reading.discretion.says_nothing
            said = "" if quiet else extract_complaint(payload.landed, str(error))
            reading.faults.fail([line], error.to_problem(f"{line.url} {error}{said}"))
    reading.intake.settle(decoded)
    return listed


def _load_payload(reading: SourceReading, line: Line) -> Payload:
    body = reading.landing.load_body(line.sha256, line.bytes)
    reading.report.payloads += 1
    reading.report.bytes += measure_body(body)
    asked = Request(line.url, line.role, line.variables)
    return Payload(asked, body, line.fetched_at, line.content_type, line.headers, line.status)


def _read_payload(reading: SourceReading, decoded: Decoded, line: Line, payload: Payload) -> int:
    """Take what a payload holds; a roster is held against the store when all before it is there. What rosters name."""
    source, notes, intake = reading.source, reading.notes, reading.intake
    notes.add(line.url, note_encodings(line, payload.landed))
    origin = Origin(line.variables, line.sha256, line.fetched_at, is_clean_source(payload.landed))
    # Where pages are followed, the connector knows what came after one that is not all.
    is_part = line.role == "data" and _says_incomplete(source, line, payload)
    if is_part:
        notes.add(line.url, [note_incomplete(line.url)])
    rows, listed = 0, 0
    for raw in read_apart(reading.connector, source, payload):
        if isinstance(raw, Roster):
            intake.settle(decoded)
            listed += raw.frame.height
            if not is_part:  # else what is not in it may be in the rest
                gone = find_vanished(raw, origin, source, reading.stores.records, reading.run_id)
                reading.keeper.keep(gone)
            continue
        rows += raw.frame.height + len(raw.broken)
        if rows > (most := source.frame.max_rows):
            raise ReadError(f"has over {most} rows, the most that CIVITAS_MAX_ROWS lets be")
        intake.take(decoded, raw, origin)
        if raw.broken:
            intake.given[raw.record_type] += len(raw.broken)
            broken = reading.discretion.hide_broken(raw.broken)
            reading.sightings.note_broken(RECORD_TYPES[raw.record_type], broken, line)
            decoded.rejected.append(
                build_format_rejections(raw.record_type, broken, line.sha256, line.fetched_at)
            )
        notes.add(line.url, collect_notes(raw))
    reading.sightings.note(READ, line)
    if not is_part:
        notes.add(line.url, note_cut_answers(source, line, rows))
    return listed


def _says_incomplete(source: Source, line: Line, payload: Payload) -> bool:
    link, head = line.headers.get("link", ""), read_head(payload.landed, _HEAD)
    if not is_json_text(head):  # which needs not be held to know that
        return is_declared_incomplete(head, link, is_alone=not source.each, members={})
    return is_declared_incomplete(payload.body, link, is_alone=not source.each, members=payload.members)


def _log(reading: SourceReading, state: str) -> None:
    named = reading.tenant.slug, reading.source.name
    log.info("%s · read · %s · %s: %s", *named, state, reading.report)

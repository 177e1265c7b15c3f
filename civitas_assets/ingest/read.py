"""Reading: landed payloads that were not read yet become records, or rows in quarantine.

How what was read is kept is in `keep.py`; reading again what was read before is in `rehearse.py`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from civitas_assets.catalog import Source, Tenant
from civitas_assets.connectors.base import Connector, Payload, Request
from civitas_assets.connectors.pagination.next_pages import ROLE as PAGE
from civitas_assets.connectors.pagination.pagination import FURTHER
from civitas_assets.connectors.pagination.partial import is_declared_incomplete
from civitas_assets.connectors.transport.http_reason import extract_complaint
from civitas_assets.errors import BodyLost, Problem, ReadError, ReadStopped
from civitas_assets.ingest.apart import read_apart
from civitas_assets.ingest.attempts import Attempts, describe_ended_process
from civitas_assets.ingest.away import Fetches
from civitas_assets.ingest.backlog import select_unsuperseded
from civitas_assets.ingest.bounds import ReadLimits
from civitas_assets.ingest.intake import Decoded, Intake
from civitas_assets.ingest.keep import Keeper
from civitas_assets.ingest.notes import (
    NOT_WHOLE,
    NOTHING_CAME,
    NoteBook,
    collect_notes,
    note_cut_answers,
    note_encodings,
    note_incomplete,
    note_nothing_came,
    note_series_only,
    select_new_notes,
    summarise_notes,
)
from civitas_assets.ingest.privacy_filter import PrivacyFilter
from civitas_assets.ingest.register import GONE, Sightings, find_gone, note_seen
from civitas_assets.ingest.reports import ReadReport
from civitas_assets.ingest.vanished import find_vanished
from civitas_assets.records import RECORD_TYPES
from civitas_assets.records.clean_text import is_clean_source
from civitas_assets.records.origin import Origin, build_format_rejections
from civitas_assets.records.raw import Roster
from civitas_assets.store.addresses import Line
from civitas_assets.store.discard import discard_read
from civitas_assets.store.journal import Progress, StandingNote
from civitas_assets.store.landing import Manifest, SourceLanding, hash_config
from civitas_assets.store.seen import READ
from civitas_assets.store.stores import Stores
from civitas_assets.store.summary import SummaryStore

log = logging.getLogger("civitas_assets.read")


class SourceReader:
    """Reads one source, batch by batch, from its landing into stores."""

    def __init__(  # noqa: PLR0917 - each argument is of another type
        self,
        tenant: Tenant,
        source: Source,
        connector: Connector,
        landing: SourceLanding,
        stores: Stores,
        run_id: str,
    ) -> None:
        self.report = ReadReport(source.name)
        self._tenant, self._source, self._connector, self._stores = tenant, source, connector, stores
        self._run_id, self._landing = run_id, landing
        self._keeper = Keeper(tenant, stores, run_id, self.report)
        self._failed: list[Line] = []
        self.unread: Sequence[Line] = ()  # of what was read, what could not be
        self._listed = 0
        self._unusable: frozenset[str] = frozenset()
        self._notes = NoteBook()
        self._sightings = Sightings(source.name)
        self._discretion = PrivacyFilter(landing.files, tenant, source)
        self._intake = Intake(
            tenant,
            source,
            self.report,
            self._keeper,
            self._notes,
            self._sightings,
            self._fail,
            self._discretion,
        )

    def run(self) -> None:
        """Read what has landed since it was last read."""
        progress = self._stores.journal.read_progress(self._source.name)
        self.read(self._landing.list_manifests(after=progress.manifest), progress, compare=True)
        if self._discretion.erased_in:  # what was erased, and came again
            self._landing.erase(self._discretion.erased_in)
        if self._source.landing == "discard":
            discard_read(self._stores, self._tenant.slug, self._source.name)
        for name in sorted(self._unusable):
            # Single rows that are rejected are a remark; where all are, the source or its mapping has changed.
            what = (
                f"none of {self._intake.given[name]:,} row(s)"
                if name in self._intake.given
                else "still no row"
            )
            show = f"civitas quarantine show {self._tenant.slug} --source {self._source.name}"
            text = f"{what} could be used for {name}; `{show}` says why"
            self._complain(Problem(text, "unusable", {"record_type": name}))

    def read(self, found: Iterable[Manifest], progress: Progress, *, compare: bool = False) -> None:
        """Read these manifests, which follow on what was read so far, and note that.

        With `compare`, what they have is held against what is known, and what the source has no more is closed or told.
        """
        started = time.monotonic()
        manifests = list(found)
        stored = [line for manifest in manifests for line in manifest.lines if line.state == "stored"]
        fresh = [line for line in stored if line.sha256 not in self._landing.list_erased()]
        self.report.newest_at = max((line.fetched_at for line in fresh), default=None)
        # What could not be read is tried again, because the source's settings may have been mended since;
        # where there is a newer answer, only after that could not be read either.
        newer = {line.url for line in fresh}
        again = [line for line in progress.failed if line.url not in newer]
        waiting = [line for line in progress.failed if line.url in newer]
        lines = [*again, *fresh]
        settings = hash_config(self._source.model_dump(mode="json"))
        under = f"{settings} {ReadLimits.from_frame(self._source.frame)}"
        attempts = Attempts(self._stores.journal, self._source.name, progress, under)
        for line in lines:
            if line.sha256 in attempts.counts:
                self._fail([line], Problem(describe_ended_process(line), "reading_stopped"))
        batches = list(attempts.split_batches(lines))
        self._fetches = Fetches.of(self._source, manifests if compare and batches else (), self._stores)
        for number, batch in enumerate(batches, 1):
            with attempts.note_batch(batch), self._intake.waiting:
                self._read(batch, attempts)
            if number < len(batches):
                self._log(f"part {number} of {len(batches)}")
        self.unread = self._failed
        self._failed = select_unsuperseded(waiting, [*again, *fresh], self._failed)
        before = self._compare(fresh, progress.notes) if compare and batches else progress.notes
        notes = self._notes.list_standing(before, self._landing.read_addresses)
        stopped = attempts.of(self._failed)
        name = manifests[-1].name if manifests else progress.manifest
        after = Progress(name, attempts=stopped, attempts_under=attempts.under if stopped else "")
        self._advance(progress, after, notes, is_noted=bool(batches))
        self.report.seconds = time.monotonic() - started
        if self.report.payloads:
            self._log("done" if self.report.ok else "FAILED")

    def _compare(self, fresh: Sequence[Line], before: tuple[StandingNote, ...]) -> tuple[StandingNote, ...]:
        """Close or tell what the last fetch has no more; the notes of before without those of what was gone."""
        known, answered = self._landing.read_addresses(), self._landing.read_answered()
        seen = note_seen(self._sightings, self._stores.seen, known, fresh)
        told = [one.note.code for one in self._notes.list_standing(before, lambda: known)]
        fetched = SummaryStore(self._stores.files, self._tenant.slug).read().get_source(self._source.name)
        if NOT_WHOLE.intersection((*told, *(note.code for note in fetched.fetch_notes))):
            return before
        gone = find_gone(
            self._source, seen, known, answered, self._failed, self._stores.records, self._run_id
        )
        for news in gone.news:
            self._keeper.keep(news)
        if gone.notes:  # what is still there was seen later than what is gone, which tables say, too
            self._stores.journal.note(f"{self._run_id}-{self._source.name}", [], things=True)
        self._notes.add(max(known, key=lambda url: known[url].seen_on), gone.notes)
        for url, note in self._fetches.look_for_away(self._sightings.found, known, answered):
            self._notes.add(url, [note])
        return tuple(one for one in before if one.note.code != GONE)

    def _read(self, lines: Sequence[Line], attempts: Attempts) -> None:
        """Decode, type and store what the lines' payloads hold; a roster is called when all before it is stored."""
        self._notes.read(line.url for line in lines)
        decoded = Decoded(lines)
        pages = set[tuple[str, frozenset[tuple[str, str]]]]()
        for line in lines:
            body = line.sha256, frozenset(line.variables.items())
            if line.role in {PAGE, FURTHER} and body in pages:
                self._sightings.note(READ, line)
                continue  # the last page once more, as services give it beyond their end
            pages.add(body)
            try:
                payload = self._payload(line)
            except BodyLost as error:  # as after a restore: its neighbours are there
                self._fail([line], error.to_problem())
                continue
            self._notes.add(line.url, note_encodings(line, payload.body))
            clean = is_clean_source(payload.body)
            origin = Origin(line.variables, line.sha256, line.fetched_at, clean)
            # Where pages are followed, the connector knows what came after one that is not all.
            is_part = line.role == "data" and is_declared_incomplete(
                payload.body,
                line.headers.get("link", ""),
                is_alone=not self._source.each,
                members=payload.members,
            )
            if is_part:
                self._notes.add(line.url, [note_incomplete(line.url)])
            rows = 0
            try:
                for raw in read_apart(self._connector, self._source, payload):
                    if isinstance(raw, Roster):
                        self._intake.settle(decoded)
                        self._listed += raw.frame.height
                        if is_part:
                            continue  # what is not in a part may be in the rest
                        self._keeper.keep(
                            find_vanished(raw, origin, self._source, self._stores.records, self._run_id)
                        )
                        continue
                    rows += raw.frame.height + len(raw.broken)
                    if rows > (most := self._source.frame.max_rows):
                        raise ReadError(f"has over {most} rows, the most that CIVITAS_MAX_ROWS lets be")
                    self._intake.take(decoded, raw, origin)
                    if raw.broken:
                        self._intake.given[raw.record_type] += len(raw.broken)
                        broken = self._discretion.hide_broken(raw.broken)
                        self._sightings.note_broken(RECORD_TYPES[raw.record_type], broken, line)
                        decoded.rejected.append(
                            build_format_rejections(raw.record_type, broken, line.sha256, line.fetched_at)
                        )
                    self._notes.add(line.url, collect_notes(raw))
                self._sightings.note(READ, line)
                if not is_part:
                    self._notes.add(line.url, note_cut_answers(self._source, line, rows))
            except ReadError as error:
                if isinstance(error, ReadStopped):
                    attempts.count_stopped(line)
                quiet = self._discretion.says_nothing
                said = "" if quiet else extract_complaint(payload.body, str(error))
                self._fail([line], error.to_problem(f"{line.url} {error}{said}"))
        self._intake.settle(decoded)

    def _payload(self, line: Line) -> Payload:
        body = self._landing.read_body(line.sha256)
        self.report.payloads += 1
        self.report.bytes += len(body)
        asked = Request(line.url, line.role, line.variables)
        return Payload(asked, body, line.fetched_at, line.content_type, line.headers, line.status)

    def _fail(self, lines: Sequence[Line], problem: Problem) -> None:
        new = [line for line in lines if line not in self._failed]
        if new or problem not in self.report.problems:  # a fault of all portions is told once
            self._failed.extend(new)
            self._complain(problem)

    def _complain(self, problem: Problem) -> None:
        self.report.problems.append(problem)
        log.error("%s · read · %s · %s", self._tenant.slug, self._source.name, problem)

    def _advance(
        self, progress: Progress, after: Progress, notes: tuple[StandingNote, ...], *, is_noted: bool
    ) -> None:
        rows = sum(counts.read for counts in self.report.counts.values()) + self._listed
        # An answer that stays empty is not read again; that it is empty stays true until rows come.
        ran_dry = not rows and (progress.ran_dry or bool(self.report.payloads and progress.had_rows))
        if ran_dry and self.report.ok:
            number = self.report.payloads or "unchanged"
            text = f"{number} payload(s) without a single row, although the source always had some"
            self.report.problems.append(Problem(text, "became_empty"))
        if not rows and not progress.had_rows and self._has_answers(progress):
            notes += (StandingNote(note_nothing_came(self._source), ()),)
        silent, had_values = note_series_only(self._source, self.report.counts, progress)
        notes += (StandingNote(silent, ()),) if silent is not None else ()
        self.report.notes = summarise_notes(notes)
        self.report.new_notes = select_new_notes(self.report.notes, summarise_notes(progress.notes))
        self._unusable = frozenset(self._intake.given.keys() - self._intake.usable) | self._still_unusable(
            progress
        )
        after = replace(
            after,
            failed=tuple(self._failed),
            had_rows=progress.had_rows or rows > 0,
            had_values=had_values,
            ran_dry=ran_dry,
            notes=notes,
            unusable=self._unusable,
        )
        if is_noted or after != progress:
            self._stores.journal.advance(self._source.name, after)

    def _still_unusable(self, progress: Progress) -> frozenset[str]:
        """What no row could be used for so far, unless somebody has decided on those that were rejected."""
        still = progress.unusable - self._intake.usable
        open_ = self._stores.quarantine.count_rows()[0] if still else {}
        return still if open_.get(self._source.name) else frozenset()

    def _has_answers(self, progress: Progress) -> bool:
        """Whether there were answers at all, now or before."""
        return bool(self.report.payloads) or any(one.note.code == NOTHING_CAME for one in progress.notes)

    def _log(self, state: str) -> None:
        log.info("%s · read · %s · %s: %s", self._tenant.slug, self._source.name, state, self.report)

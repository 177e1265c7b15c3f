"""Notes that stand: what was found in a source's answers is told as long as the source gives cause for it.

A note is made by a connector or where rows are stored; here it is remembered by the address that it came from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib.parse import parse_qsl, urlsplit

import polars as pl

from civitas_assets.catalog import Source
from civitas_assets.connectors.content.text_encoding import FIRST_TEXTS, is_encoded_twice
from civitas_assets.connectors.pagination.pagination import END_UNPROVEN, parse_total
from civitas_assets.ingest.reports import Counts
from civitas_assets.records import RECORD_TYPES, Note, RawTable, RecordType
from civitas_assets.records.raw import UNKNOWN_FIELDS
from civitas_assets.spool import Body, read_head
from civitas_assets.store.addresses import Address, Line
from civitas_assets.store.journal import Progress, StandingNote

NOTHING_CAME, NO_VALUES, SAYS_INCOMPLETE = "nothing_came", "no_values", "says_incomplete"
NO_OBSERVATIONS = "no_observations"
# Where more may be than has come, nothing is gone.
NOT_WHOLE = frozenset({SAYS_INCOMPLETE, END_UNPROVEN})
# Settings by which a source asks for a part of what a service has, or looks at a part of an answer.
_NARROWING = (
    *(
        "types",
        "collection",
        "things_filter",
        "datastreams_filter",
        "filter",
        "datetime",
        "stations",
        "records",
    ),
    *("nested", "table", "select", "sheet", "layer", "member", "drop", "topic", "exposure"),
)
# Addresses that are remembered for a note: those of a source with thousands of pages would say no more.
_ADDRESSES = 32
# Where services cut answers that nobody has asked to be longer, and what those call it who ask.
_CEILINGS = frozenset({100, *(part * 10**power for part in (1, 2, 5) for power in (3, 4, 5))})
_LIMITS = frozenset(
    {"limit", "top", "rows", "count", "size", "per_page", "pagesize", "page_size", "maxfeatures"}
)
_TEXTS = 3  # of one kind, that are told in full


class NoteBook:
    """The notes of one reading of a source, by address."""

    def __init__(self) -> None:
        self._found: dict[Note, dict[str, None]] = defaultdict(dict)
        self._read: set[str] = set()
        self._silent: dict[str, int | None] = {}  # rows, None where one has a value

    def read(self, addresses: Iterable[str]) -> None:
        """These addresses have a newer answer: what was noted of the one before holds no more."""
        self._read.update(addresses)

    def add(self, address: str, notes: Iterable[Note]) -> None:
        """Note something of the answer of an address."""
        for note in notes:
            self._found[note][address] = None

    def look_for_values(self, record_type: RecordType, records: pl.DataFrame) -> None:
        """Count the rows of a record type, as long as not one of all that are read says anything."""
        if any(records[name].null_count() < records.height for name in record_type.measures):
            self._silent[record_type.name] = None
        elif record_type.measures and (rows := self._silent.get(record_type.name, 0)) is not None:
            self._silent[record_type.name] = rows + records.height

    def list_standing(
        self, before: Sequence[StandingNote], known: Callable[[], Mapping[str, Address]]
    ) -> tuple[StandingNote, ...]:
        """What holds now, in order: what was found, and what holds still of what was noted before.

        `known` gives what landing knows of each address; one that was not asked for on the source's last day has left
        it, and takes its notes along.
        """
        found = {note: dict(addresses) for note, addresses in self._found.items()}
        all_read = dict.fromkeys(sorted(self._read)[:_ADDRESSES])
        found |= {
            _without_values(RECORD_TYPES[name], rows): all_read for name, rows in self._silent.items() if rows
        }
        current = _current(known()) if before else frozenset()
        for one in before:
            for address in one.addresses:
                if address in current and address not in self._read:
                    found.setdefault(one.note, {})[address] = None
        return tuple(StandingNote(note, tuple(sorted(found[note])[:_ADDRESSES])) for note in sorted(found))


def collect_notes(table: RawTable) -> list[Note]:
    """The notes of a table, with one for each field that nothing maps."""
    return [*(Note(UNKNOWN_FIELDS, name) for name in table.unknown_fields), *table.notes]


def summarise_notes(standing: Iterable[StandingNote]) -> tuple[Note, ...]:
    """One note for each kind, as people are told it."""
    texts: dict[str, list[str]] = defaultdict(list)
    for one in standing:
        texts[one.note.code].append(one.note.text)
    return tuple(Note(code, _told(code, found)) for code, found in texts.items())


def note_nothing_came(source: Source) -> Note:
    """The note on a source that has never brought a row, with the settings that may be why."""
    settings = {name: getattr(source, name, None) for name in _NARROWING}
    if getattr(source, "within_bbox", not settings["stations"] and hasattr(source, "stations")):
        settings["bbox"] = source.box
    named = [f"{name} ({_shown(value)})" for name, value in settings.items() if value]
    check = ", ".join(named) or "url"
    return Note(NOTHING_CAME, f"nothing came: no answer has had a single row so far; check {check}")


def note_series_only(
    source: Source, counts: Mapping[str, Counts], progress: Progress
) -> tuple[Note | None, bool]:
    """The note on a source that has series and has never brought a value of one; whether it ever brought one."""
    had = progress.had_rows if progress.had_values is None else progress.had_values
    values, series = (counts[name].read if name in counts else 0 for name in ("observation", "datastream"))
    had = had or values > 0
    before = [one.note for one in progress.notes if one.note.code == NO_OBSERVATIONS]
    if had or not (series or before) or "observation" not in source.own_record_types():
        return None, had
    text = f"{series:,} series came and not one observation so far: check url, look_back, and what narrows the source"
    return (Note(NO_OBSERVATIONS, text) if series else before[0]), had


def note_incomplete(url: str) -> Note:
    """The note on an answer that calls itself a part."""
    return Note(
        SAYS_INCOMPLETE,
        f"{url} says itself that it is not all: ask for less at a time, such as parts by each, or for more per answer",
    )


def note_encodings(line: Line, body: Body) -> list[Note]:
    """The note on an answer whose publisher has encoded its texts twice."""
    if not is_encoded_twice(read_head(body, FIRST_TEXTS)):
        return []
    text = "looks double-encoded: Ã¼ and the like stand where ü may be meant, and are kept so; tell its publisher"
    return [Note("encoded_twice", f"{line.url} {text}")]


def note_cut_answers(source: Source, line: Line, rows: int) -> list[Note]:
    """The note on an answer that has fewer rows than its headers say, or so many as services give at most.

    The latter is a number that its address asks for, or one of those at which services cut without being asked.
    """
    if line.role != "data" or not source.takes_files or source.has_folder or source.each or not rows:
        return []
    total = parse_total(line.headers)
    if total is not None:
        return [note_incomplete(line.url)] if total > rows else []
    query = parse_qsl(urlsplit(line.url).query)
    asked = {number for name, number in query if name.lower().strip("$_") in _LIMITS}
    if rows in source.complete_with or (rows not in _CEILINGS and str(rows) not in asked):
        return []
    text = (
        f"{line.url} has exactly {rows:,} rows, a number at which services cut without a word: look whether that is "
        f"all, and say complete_with: [{rows}] if it is; else ask for the rest by next (json, geojson), each or a "
        "higher limit"
    )
    return [Note(END_UNPROVEN, text)]


def _without_values(record_type: RecordType, rows: int) -> Note:
    """The note on rows of which not one says what rows of their kind are there for."""
    names = ", ".join(record_type.measures)
    text = f"none of {rows:,} row(s) of {record_type.name} has a value: {names} are all empty"
    return Note(NO_VALUES, text)


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def select_new_notes(notes: Iterable[Note], before: Iterable[Note]) -> tuple[Note, ...]:
    """The notes that nobody was told yet."""
    said = {*before}
    return tuple(note for note in notes if note not in said)


def _told(code: str, texts: Sequence[str]) -> str:
    if code == UNKNOWN_FIELDS:
        return f"unknown field(s), not mapped: {', '.join(texts)}"
    more = f" (and {len(texts) - _TEXTS} more of the kind)" if len(texts) > _TEXTS else ""
    return "; ".join(texts[:_TEXTS]) + more


def _current(known: Mapping[str, Address]) -> frozenset[str]:
    last = max((address.seen_on for address in known.values()), default="")
    return frozenset(url for url, address in known.items() if address.seen_on >= last)

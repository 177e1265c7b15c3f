"""Things that a source withdraws and gives back between two readings: told, since tables cannot say it any more.

A reading holds its last fetch against what is known, which is in `register.py`; those before it are looked at here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from civitas_assets.catalog import Source
from civitas_assets.ingest.vanished import check_roster_size
from civitas_assets.records import RECORD_TYPES, Note
from civitas_assets.store.addresses import Address, Line
from civitas_assets.store.landing import Answered, Manifest
from civitas_assets.store.seen import NAMELESS, READ
from civitas_assets.store.stores import Stores

AWAY = "away_meanwhile"
_EXAMPLES = 3


@dataclass(frozen=True)
class Fetches:
    """The fetches of one reading, in order, and what was known before: sightings, and ids of things by record type."""

    source: Source
    lines: Sequence[Sequence[Line]]
    seen: pl.DataFrame
    there: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, source: Source, manifests: Iterable[Manifest], stores: Stores) -> Fetches:
        """Those of these manifests; where there is one only, or nothing is a snapshot, nothing is looked up."""
        lines = split_fetches(line for manifest in manifests for line in manifest.lines)
        types = [
            RECORD_TYPES[name] for name in sorted(source.listed_record_types()) if source.is_snapshot(name)
        ]
        if len(lines) < 2:
            types = []
        there = dict[str, frozenset[str]]()
        for record_type in types:
            if record_type.event_time is None:
                rows = stores.records.read_current(record_type, source.name, []).filter(~pl.col("deleted"))
                there[record_type.name] = frozenset(rows[record_type.key[0]])
        return cls(source, lines, stores.seen.read_rows(source.name) if there else pl.DataFrame(), there)

    def look_for_away(
        self, found: pl.DataFrame, known: Mapping[str, Address], answered: Answered
    ) -> Iterator[tuple[str, Note]]:
        """What a whole fetch before the last one did not have, and the last one has again, with the address it is at.

        `found` are the sightings of this reading, in the form of `SEEN_SCHEMA`.
        """
        if not self.there or answered.at is None or not answered.is_whole:
            return
        asked = {url for url, address in known.items() if answered.has_seen(address)}
        rows = pl.concat([self.seen, found])
        marked = {mark: {*rows.filter(pl.col("record_type") == mark)["payload"]} for mark in (READ, NAMELESS)}
        readable = marked[READ] - marked[NAMELESS]
        whole = [_bodies(lines) if _answers_all(lines, asked) else frozenset[str]() for lines in self.lines]
        whole = [bodies if bodies <= readable else frozenset() for bodies in whole]
        if not whole[-1]:
            return
        for name, before in self.there.items():
            ids = _ids_by_body(rows, name)
            away = _find_away(
                before, [{i for b in bodies for i in ids[b]} for bodies in whole if bodies], self.source
            )
            if away:
                told = f"{len(away):,} {name}, such as {', '.join(sorted(away)[:_EXAMPLES])}, were gone and came back"
                note = Note(AWAY, f"{told} before that was read: tables say that they were never away")
                yield from ((line.url, note) for line in self.lines[-1] if ids[line.sha256] & away)


def split_fetches(lines: Iterable[Line]) -> Sequence[Sequence[Line]]:
    """The lines of manifests by fetch: an address that is asked for again begins another one.

    Fetches after which no answer differs from the one before are left out.
    """
    fetches, urls = [list[Line]()], set[str]()
    for line in lines:
        if line.url in urls:
            fetches.append([])
            urls.clear()
        fetches[-1].append(line)
        urls.add(line.url)
    last, *before = reversed(fetches)
    told = [lines for lines in reversed(before) if any(line.state != "unchanged" for line in lines)]
    return [*told, last] if told else [last]


def _answers_all(lines: Sequence[Line], asked: set[str]) -> bool:
    return asked <= {line.url for line in lines if line.sha256}


def _bodies(lines: Sequence[Line]) -> frozenset[str]:
    return frozenset(line.sha256 for line in lines if line.sha256)


def _ids_by_body(rows: pl.DataFrame, name: str) -> Mapping[str, set[str]]:
    ids = defaultdict[str, set[str]](set)
    for body, key in rows.filter(pl.col("record_type") == name).select("payload", "id").iter_rows():
        ids[body].add(key)
    return ids


def _find_away(before: frozenset[str], fetches: Sequence[set[str]], source: Source) -> set[str]:
    """What was there, then was not in one of the fetches, and is in the last; where too few were, none was closed."""
    known, away = {*before}, set[str]()
    for present in fetches:
        missing = known - present
        if not check_roster_size(len(known) - len(missing), len(known), source.snapshot_share):
            away |= missing
        known |= present
    return away & fetches[-1]

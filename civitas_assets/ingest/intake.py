"""From decoded tables to stored records: typed in portions, and kept waiting until many can be stored together.

What is decoded, and what becomes of a source's faults, is in `read.py`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import polars as pl

from civitas_assets.catalog import Source, Tenant
from civitas_assets.errors import Problem, ReadError
from civitas_assets.ingest.keep import STORED_AT_ONCE, Keeper
from civitas_assets.ingest.notes import NoteBook
from civitas_assets.ingest.privacy_filter import PrivacyFilter
from civitas_assets.ingest.register import Sightings
from civitas_assets.ingest.reports import ReadReport
from civitas_assets.ingest.waiting import WaitingRecords
from civitas_assets.records import RECORD_TYPES
from civitas_assets.records.origin import Origin, gather_rows
from civitas_assets.records.raw import RawTable
from civitas_assets.records.replaced import find_rivals, note_replaced_rows
from civitas_assets.records.typing import TenantPlace, bring_into_contract
from civitas_assets.store.addresses import Line

_TYPED_AT_ONCE = 100_000  # rows: enough to make work per page small, little for a small machine


@dataclass
class Decoded:
    """What was decoded of a batch and is not typed yet, and which of its rows are rejected."""

    lines: Sequence[Line]
    rejected: list[pl.DataFrame] = field(default_factory=list)
    rows: int = 0
    _tables: dict[str, list[tuple[RawTable, Origin]]] = field(default_factory=dict)

    def add(self, table: RawTable, origin: Origin) -> None:
        """A further table."""
        self._tables.setdefault(table.record_type, []).append((table, origin))
        self.rows += table.frame.height

    def take_all(self) -> list[tuple[str, list[tuple[RawTable, Origin]]]]:
        """The tables by record type, which are forgotten then."""
        found, self._tables, self.rows = [*self._tables.items()], {}, 0
        return found


class Intake:
    """Types and stores what was decoded of one source.

    `given` counts its rows by record type, `usable` are the record types with a row that could be used. `fail` is told
    of lines that cannot be typed, and why.
    """

    def __init__(  # noqa: PLR0917 - each argument is of another type
        self,
        tenant: Tenant,
        source: Source,
        report: ReadReport,
        keeper: Keeper,
        notes: NoteBook,
        sightings: Sightings,
        fail: Callable[[Sequence[Line], Problem], None],
        discretion: PrivacyFilter,
    ) -> None:
        self._source, self._keeper, self._notes, self._sightings = source, keeper, notes, sightings
        self._report, self._fail, self._discretion = report, fail, discretion
        self._place = TenantPlace(tenant.timezone, tenant.bbox)
        self.waiting = WaitingRecords(tenant.timezone, STORED_AT_ONCE)
        self.given: Counter[str] = Counter()
        self.usable: set[str] = set()

    def take(self, decoded: Decoded, table: RawTable, origin: Origin) -> None:
        """A further table of what was decoded."""
        decoded.add(table, origin)
        if decoded.rows > _TYPED_AT_ONCE:
            self._type(decoded)

    def settle(self, decoded: Decoded) -> None:
        """Type and store what was decoded so far."""
        self._type(decoded)
        addresses = {line.sha256: line.url for line in decoded.lines}
        rivals: dict[str, list[pl.DataFrame]] = defaultdict(list)
        for record_type, frames in self.waiting.take_all():
            for records in frames:
                if (found := find_rivals(record_type, records)) is not None:
                    rivals[record_type.name].append(found)
            self._keeper.store(record_type, pl.concat(frames))
        for name, parts in rivals.items():
            for payload, note in note_replaced_rows(RECORD_TYPES[name], pl.concat(parts)):
                self._notes.add(addresses[payload], [note])
        if decoded.rejected:
            self._keeper.reject(pl.concat(decoded.rejected))
            decoded.rejected.clear()

    def _type(self, decoded: Decoded) -> None:
        """Type what was decoded so far, and let it wait until it can be stored together."""
        for name, found in decoded.take_all():
            table = self._discretion.hide_raw(gather_rows(found, self._source))
            self._report.counts[name].read += table.height
            if table.height:
                self.given[name] += table.height
            try:
                typed = bring_into_contract(
                    RECORD_TYPES[name], table, self._source, self._place, self._discretion.hide_dated
                )
            except ReadError as error:
                self._fail(decoded.lines, error.to_problem())
                continue
            typed = self._discretion.hide_rejected(typed, table)
            decoded.rejected.append(typed.rejected)
            self._sightings.add(RECORD_TYPES[name], typed.named)
            for other, records in typed.accepted.items():
                self.waiting.add(RECORD_TYPES[other], records, is_said=other != name)
                if other != name:
                    self._sightings.add(RECORD_TYPES[other], records)
            if any(records.height for records in typed.accepted.values()):
                self.usable.add(name)
            self._notes.look_for_values(RECORD_TYPES[name], typed.accepted[name])

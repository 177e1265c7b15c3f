"""Rehearsing: what has been read already is read again with today's mapping, into stores that are thrown away.

It is the same reading as every night's, so that nothing else than that night's outcome can come of it. What follows
from the difference is decided in `replay.py` and `retry.py`.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from civitas_assets.catalog import Source, Tenant, Window
from civitas_assets.connectors.base import Connector
from civitas_assets.ingest.read import SourceReading, read_manifests
from civitas_assets.ingest.reports import ReadReport
from civitas_assets.records import RECORD_TYPES, RecordType
from civitas_assets.store.addresses import Line
from civitas_assets.store.files import Files, LocalFiles
from civitas_assets.store.journal import Progress
from civitas_assets.store.landing import Manifest, SourceLanding
from civitas_assets.store.records import RecordChanges, RecordStore
from civitas_assets.store.stores import Stores


@dataclass(frozen=True)
class Rehearsal:
    """What reading again has brought: the stores that it would leave, and what it was read from.

    `read` are the hashes of the payloads that could be read, `missing` how many landing does not hold any more.
    `upto` is how far the source had been read when the rehearsal began.
    """

    source: Source
    run_id: str
    stores: Stores
    report: ReadReport
    read: frozenset[str]
    missing: int
    upto: Progress

    @property
    def record_types(self) -> list[RecordType]:
        """What the source can bring, things first."""
        found = [RECORD_TYPES[name] for name in sorted(self.source.record_types())]
        return sorted(found, key=lambda record_type: record_type.event_time is not None)


@contextmanager
def rehearse_source(  # noqa: PLR0917 - each argument is of another type
    tenant: Tenant,
    source: Source,
    connector: Connector,
    stores: Stores,
    folder: Path,
    run_id: str,
    *,
    days: Window | None = None,
    wanted: Callable[[Line], bool] = lambda line: True,
) -> Iterator[Rehearsal]:
    """The source's landed payloads read anew, in the order in which they came; nothing that is stored changes.

    Only events of the days are kept, if days are given, and only wanted payloads read. What has landed but was never
    read is left to the next run. The throw-away stores are in a folder below the given one.
    """
    landing = SourceLanding(stores.files, tenant.slug, source.name)
    upto = stores.journal.read_progress(source.name)
    chosen, missing = _chosen(landing, upto.manifest, wanted)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=f"{run_id}-") as place:
        blank = Stores.for_tenant(LocalFiles(Path(place)), tenant.slug)
        if days is not None:
            blank = dataclasses.replace(blank, records=_OfDays(blank.files, tenant.slug, days))
        reading = SourceReading.for_source(tenant, source, connector, landing, blank, run_id)
        read_manifests(reading, chosen, Progress(notes=upto.notes))
        unread = {line.sha256 for line in reading.faults.unread}
        read = {line.sha256 for manifest in chosen for line in manifest.lines} - unread
        yield Rehearsal(source, run_id, blank, reading.report, frozenset(read), missing, upto)


def _chosen(landing: SourceLanding, last: str, wanted: Callable[[Line], bool]) -> tuple[list[Manifest], int]:
    """The manifests until the last one that was read, with the lines that are wanted and still there."""
    chosen, missing = list[Manifest](), 0
    for manifest in landing.list_manifests():
        if manifest.name > last:
            break
        lines = [line for line in manifest.lines if line.state == "stored" and wanted(line)]
        held = [line for line in lines if landing.holds(line.sha256)]
        missing += len(lines) - len(held)
        chosen.append(Manifest(manifest.name, held))
    return chosen, missing


class _OfDays(RecordStore):
    """A record store that takes events of some days only; things are of no day."""

    def __init__(self, files: Files, tenant: str, days: Window) -> None:
        super().__init__(files, tenant)
        self._first: date = days.first
        self._last: date = days.last

    def find_changes(self, record_type: RecordType, records: pl.DataFrame) -> RecordChanges:
        """See `RecordStore`."""
        if record_type.event_time is not None:
            records = records.filter(pl.col("day").is_between(self._first, self._last))
        return super().find_changes(record_type, records)

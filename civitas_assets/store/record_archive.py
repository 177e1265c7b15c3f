"""Putting a tenant's records aside, so that landing is read again from as far back as it reaches.

Nothing is removed, and what landing no longer holds stays among the records as it was read then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import msgspec
import polars as pl

from civitas_assets.store.files import Files
from civitas_assets.store.horizon import Horizon, read_horizon
from civitas_assets.store.journal import Journal, Progress
from civitas_assets.store.landing import SourceLanding
from civitas_assets.store.layout import (
    RecordKeys,
    archive_key,
    list_landed_sources,
    summary_key,
    unfinished_archive_key,
)
from civitas_assets.store.row_files import decode_rows, encode_rows
from civitas_assets.store.stored_record import read_state


def archive_records(files: Files, tenant: str) -> str | None:
    """Move the tenant's records, quarantine and journal away; below which key they are now, None if there were none."""
    finish_archiving(files, tenant)
    if not any(_in_order(files, tenant)):
        # As after a loss: nothing is carried over, but what landing has let go of is not asked for.
        _bring_back(files, tenant, None)
        return None
    archive = archive_key(tenant, datetime.now(UTC))
    files.write(unfinished_archive_key(tenant), archive.encode())
    finish_archiving(files, tenant)
    return archive


def finish_archiving(files: Files, tenant: str) -> None:
    """Go on with what was interrupted, before anything is read; there is nothing to do in most cases."""
    noted = files.read(unfinished_archive_key(tenant))
    if noted is None:
        return
    own, archived = RecordKeys.for_tenant(tenant), RecordKeys.for_archive(noted.decode())
    for keys in _in_order(files, tenant):
        files.move_all({key: own.move_key(key, archived) for key in keys})
    _bring_back(files, tenant, archived)
    files.delete(unfinished_archive_key(tenant))


def _bring_back(files: Files, tenant: str, archived: RecordKeys | None) -> None:
    """What came from payloads that landing has let go of, and how far each such source was read then."""
    horizons = dict(_horizons(files, tenant))
    erased = dict(_erased(files, tenant))
    if not horizons and not erased:
        return
    before = pl.any_horizontal(
        *(
            (pl.col("source") == source) & (pl.col("received_at") <= until)
            for source, (_, until) in horizons.items()
        ),
        *((pl.col("source") == source) & pl.col("payload").is_in(gone) for source, gone in erased.items()),
    )
    own = RecordKeys.for_tenant(tenant)
    for place in [archived] if archived else []:
        for key in [key for folder in place.folders for key in files.list_keys(f"{folder}/")]:
            if key.endswith(".parquet"):
                rows = decode_rows(files.read(key) or b"").filter(before)
                if not rows.is_empty():
                    files.write(place.move_key(key, own), encode_rows(rows))
    journal = Journal(files, tenant)
    for source, (limit, until) in horizons.items():
        then = (archived and read_state(files, archived.progress_key(source), Progress)) or Progress()
        unread = tuple(line for line in then.failed if line.fetched_at <= until)
        journal.advance(source, msgspec.structs.replace(then, manifest=limit.through, failed=unread))


def _erased(files: Files, tenant: str) -> Iterator[tuple[str, list[str]]]:
    """Bodies that landing has no more because they held what was erased: what else was in them is among the records."""
    for source in list_landed_sources(files, tenant):
        if gone := SourceLanding(files, tenant, source).list_erased():
            yield source, sorted(gone)


def _horizons(files: Files, tenant: str) -> Iterator[tuple[str, tuple[Horizon, datetime]]]:
    for source in list_landed_sources(files, tenant):
        found = read_horizon(files, tenant, source)
        if found.until is not None:
            yield source, (found, found.until)


def _in_order(files: Files, tenant: str) -> Sequence[Sequence[str]]:
    """The keys, in portions that are moved one after the other.

    What has been read is forgotten before any record goes, and what is to be published after all of them, so that a
    run after a crash in between reads again what is gone, and loses no day.
    """
    keys = RecordKeys.for_tenant(tenant)
    read, pending = files.list_keys(f"{keys.progress}/"), files.list_keys(f"{keys.pending}/")
    # The summary stays: what sources answered is true.
    others = {*read, *pending, summary_key(tenant)}
    rest = [key for folder in keys.folders for key in files.list_keys(f"{folder}/") if key not in others]
    return read, rest, pending

"""What Dagster remembers of runs that told of something that was erased: those runs go, with all that they said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import dagster as dg
import sqlalchemy as sa

from civitas_assets.defs.dagster_internals import (
    SqlEventLogStorage,
    SqlEventLogStorageTable,
    SqliteEventLogStorage,
)
from civitas_assets.defs.history import forget_runs
from civitas_assets.defs.purge import compact_storage
from civitas_assets.lifecycle.needles import Needles
from civitas_assets.lifecycle.parts import Part, Size

_AT_A_TIME = 1_000  # events


def build_words_part(instance: dg.DagsterInstance, needles: Needles) -> Part:
    """The runs that tell of it."""
    return Part(
        "history",
        lambda: Size(rows=len(_telling(instance, needles))),
        lambda: _forget(instance, _telling(instance, needles)),
    )


def _telling(instance: dg.DagsterInstance, needles: Needles) -> Sequence[str]:
    storage, found = instance.event_log_storage, set[str]()
    if not isinstance(storage, SqlEventLogStorage):
        return []
    events = SqlEventLogStorageTable.c
    with storage.index_connection() as connection:
        for value in needles.values:
            asked = sa.select(events.run_id).where(events.event.contains(value, autoescape=True)).distinct()
            found.update(connection.scalars(asked))
        found |= {run_id for run_id, event in _list_events(connection) if _is_in(needles, event)}
    if isinstance(storage, SqliteEventLogStorage):  # runs may have files of their own
        index = Path(storage.path_for_shard("index"))
        for shard in index.parent.glob("*.db*"):
            run_id = shard.name.partition(".db")[0]
            if run_id != index.stem and needles.in_body(shard.read_bytes()):
                found.add(run_id)
    return sorted(found)


def _forget(instance: dg.DagsterInstance, run_ids: Sequence[str]) -> None:
    if run_ids:
        forget_runs(instance, run_ids)
        compact_storage(instance.event_log_storage)


def _is_in(needles: Needles, event: str) -> bool:
    """Whether an event, which is JSON, has one of them, also in JSON of others that it repeats."""
    return any(needles.in_body(text.encode()) for text in (event, event.replace("\\\\", "\\")))


def _list_events(connection: sa.Connection) -> Iterator[tuple[str, str]]:
    """All events, each with its run, some at a time."""
    events, last = SqlEventLogStorageTable.c, 0
    while True:
        asked = sa.select(events.id, events.run_id, events.event).where(events.id > last)
        rows = connection.execute(asked.order_by(events.id).limit(_AT_A_TIME)).fetchall()
        yield from ((run_id, event) for _, run_id, event in rows)
        if not rows:
            return
        last = rows[-1][0]

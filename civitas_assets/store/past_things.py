"""Things that were measured once and are no longer: no event of the days that are kept refers to them.

Of things that nothing refers to by its kind, such as places, a register decides. When things go is decided in
`retention.py`; the caller holds the tenant's lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime

import polars as pl

from civitas_assets.catalog import Tenant
from civitas_assets.records import RECORD_TYPES, RecordType
from civitas_assets.store.landing import SourceLanding
from civitas_assets.store.stores import Stores

# By record type: source and key of each thing.
Things = Mapping[str, pl.DataFrame]


def find_things_without_events(tenant: Tenant, stores: Stores, limit: datetime, first: date) -> Things:
    """Things that were last in an answer before the limit, and that nothing refers to from the first day on."""
    spaces = {name: source.id_space or name for name, source in tenant.sources.items()}
    found = dict[str, pl.DataFrame]()
    # Datastreams first: a station that only they refer to goes with them.
    for kind in sorted(_referred(), key=lambda kind: kind.name != "datastream"):
        key = kind.key[0]
        rows = stores.records.read_rows(kind, [])
        if rows.is_empty():
            continue
        last = rows.group_by("source", key).agg(pl.col("received_at").max())
        seen = pl.concat(
            [
                pl.DataFrame(
                    schema={"source": pl.String(), key: pl.String(), "seen": rows["received_at"].dtype}
                )
            ]
            + [_seen(tenant, stores, source, kind) for source in last["source"].unique().sort()]
        )
        last = last.join(seen, on=["source", key], how="left")
        old = last.filter(pl.max_horizontal("received_at", "seen") < limit.astimezone(UTC)).select(
            "source", key
        )
        used = _used(stores, kind, first, found) if old.height else pl.DataFrame()
        if used.height:
            old = _in_space(old, spaces).join(_in_space(used, spaces), on=["space", key], how="anti")
        if old.height:
            found[kind.name] = old.select("source", key)
    return found


def remove_things(stores: Stores, things: Things) -> None:
    """Remove things with all their revisions."""
    for name, gone in things.items():
        kind = RECORD_TYPES[name]
        stores.records.remove(kind, gone)
        for source in gone["source"].unique():
            ids = gone.filter(pl.col("source") == source)[kind.key[0]]
            seen = stores.seen.read_rows(source)
            left = seen.filter(~((pl.col("record_type") == name) & pl.col("id").is_in(ids.implode())))
            if left.height < seen.height:
                stores.seen.write(source, left)


def _referred() -> Iterator[RecordType]:
    """Kinds of things that events refer to by the name of their key, or datastreams do."""
    columns = {
        column
        for kind in RECORD_TYPES.values()
        if kind.event_time is not None or kind.name == "datastream"
        for column in kind.schema
    }
    for kind in RECORD_TYPES.values():
        others = columns if kind.name != "datastream" else {"datastream_id"}
        if kind.event_time is None and len(kind.key) == 1 and kind.key[0] in others:
            yield kind


def _seen(tenant: Tenant, stores: Stores, source: str, kind: RecordType) -> pl.DataFrame:
    """When each thing of a source was last in one of its answers, as landing knows."""
    known = SourceLanding(stores.files, tenant.slug, source).read_addresses
    rows = stores.seen.read_last_seen(source, known).filter(pl.col("record_type") == kind.name)
    return rows.select("source", pl.col("id").alias(kind.key[0]), pl.col("last_seen_at").alias("seen"))


def _used(stores: Stores, kind: RecordType, first: date, gone: Things) -> pl.DataFrame:
    """Source and key of all things of the kind that something refers to."""
    key = kind.key[0]
    parts = [pl.DataFrame(schema={"source": pl.String(), key: pl.String()})]
    for other in RECORD_TYPES.values():
        if other is kind or key not in other.schema:
            continue
        if other.event_time is None:
            rows = stores.records.read_rows(other, [])
            if other.name in gone:
                rows = rows.join(gone[other.name], on=["source", other.key[0]], how="anti")
            parts.append(rows.select("source", key).unique())
            continue
        kept = [day for day in stores.records.list_days(other) if day >= first]
        parts += [stores.records.read_rows(other, [day]).select("source", key).unique() for day in kept]
    return pl.concat(parts).unique()


def _in_space(rows: pl.DataFrame, spaces: Mapping[str, str]) -> pl.DataFrame:
    """The rows with the space in which their ids are unique."""
    return rows.with_columns(pl.col("source").replace(spaces).alias("space"))

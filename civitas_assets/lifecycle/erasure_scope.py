"""What belongs to a device or person that is to be erased: things that have a value, and all that is told of those.

How it is erased is in `erasure.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from civitas_assets.catalog import Tenant
from civitas_assets.errors import StoreError
from civitas_assets.ingest.privacy_filter import make_pseudonyms
from civitas_assets.records import RECORD_TYPES, RecordType
from civitas_assets.records.contract import UTC_TIME
from civitas_assets.store.layout import RecordKeys, list_archives
from civitas_assets.store.row_files import decode_rows
from civitas_assets.store.stores import Stores

Where = Sequence[tuple[str, str]]


@dataclass
class ErasureScope:
    """By source and column, the values whose rows are to go."""

    wanted: dict[str, dict[str, set[str]]] = field(default_factory=dict)

    def add(self, source: str, column: str, values: Iterable[str]) -> bool:
        """Further values; whether any was new."""
        known = self.wanted.setdefault(source, {}).setdefault(column, set())
        before = len(known)
        known.update(values)
        return len(known) > before

    def matching(self, columns: Iterable[str]) -> pl.Expr:
        """Whether a row of a record type is one of them."""
        there = {*columns}
        tests = [
            (pl.col("source") == source) & pl.col(column).cast(pl.String).is_in(sorted(values))
            for source, by_column in self.wanted.items()
            for column, values in by_column.items()
            if column in there
        ]
        return pl.any_horizontal(tests).fill_null(value=False) if tests else pl.lit(value=False)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Columns and values, whatever source has them."""
        found = [pair for by_column in self.wanted.values() for pair in by_column.items()]
        return sorted({(column, value) for column, values in found for value in values})

    @property
    def values(self) -> set[str]:
        """The values alone."""
        return {value for _, value in self.pairs}


def check_where(where: Where) -> None:
    """See that there are such columns.

    Raises:
        StoreError: no record has a text of that name.
    """
    schemas = [kind.schema.items() for kind in RECORD_TYPES.values()]
    columns = {name for schema in schemas for name, dtype in schema if dtype == pl.String()}
    for column, value in where:
        if column not in columns:
            raise StoreError(f"{column!r} is no text of a record; there are: {', '.join(sorted(columns))}")
        if not value.strip():
            raise StoreError(f"{column}: the value is empty, which would be everybody")


def find_scope(tenant: Tenant, stores: Stores, where: Where, sources: Sequence[str]) -> ErasureScope:
    """What the values lead to: a station to its datastreams, these to their observations, in the same space of ids.

    Of fields that are kept as pseudonyms, the value in clear leads to those of all periods of which there are records.
    """
    scope = ErasureScope()
    for source in sources:
        for column, value in where:
            scope.add(source, column, [value, *_pseudonyms(tenant, stores, source, column, value)])
    spaces = {name: tenant.sources[name].id_space or name for name in sources if name in tenant.sources}
    kin = {name: [n for n in sources if spaces.get(n, n) == spaces.get(name, name)] for name in sources}
    kinds = [kind for kind in RECORD_TYPES.values() if kind.event_time is None]
    things = [(kind, _rows_of(stores, tenant.slug, kind)) for kind in kinds]
    grown = True
    while grown:
        grown = sum(_led_to(rows, kind, scope, kin) for kind, rows in things) > 0
    return scope


def order_record_types() -> Sequence[str]:
    """Record types in an order in which what is told of a thing comes before it, which then still leads there."""
    things = [kind for kind in RECORD_TYPES.values() if kind.event_time is None]
    named_by = {kind.name: sum(kind.key[0] in other.schema for other in things) for kind in things}
    return sorted(RECORD_TYPES, key=lambda name: named_by.get(name, 0))


def _led_to(
    rows: pl.DataFrame, kind: RecordType, scope: ErasureScope, kin: Mapping[str, Sequence[str]]
) -> bool:
    key = kind.key[0]
    found = rows.filter(scope.matching(kind.schema)).select("source", key).unique()
    grown = False
    for source, value in found.iter_rows():
        for other in kin.get(source, [source]):
            grown |= scope.add(other, key, [value])
    return grown


def _rows_of(stores: Stores, tenant: str, kind: RecordType) -> pl.DataFrame:
    """Those of a type of things, also of records that were put aside."""
    files = stores.files
    keys = [
        key
        for archive in list_archives(files, tenant)
        for key in files.list_keys(f"{RecordKeys.for_archive(archive).record_type_key(kind.name)}/")
    ]
    aside = [decode_rows(files.read(key) or b"") for key in keys]
    return pl.concat([stores.records.read_rows(kind, []), *aside], how="diagonal_relaxed")


def _pseudonyms(tenant: Tenant, stores: Stores, source: str, column: str, value: str) -> list[str]:
    known = tenant.sources.get(source)
    made = make_pseudonyms(stores.files, tenant, known) if known and column in known.pseudonymise else None
    if made is None:
        return []
    times = [pl.Series([], dtype=UTC_TIME)]
    for kind in RECORD_TYPES.values():
        if kind.event_time is None:
            times.append(stores.records.read_rows(kind, [])["received_at"])
        else:
            days = stores.records.list_days(kind)
            noon = pl.Series(days, dtype=pl.Date).cast(pl.Datetime("us")).dt.offset_by("12h")
            times.append(noon.dt.replace_time_zone(tenant.timezone).dt.convert_time_zone("UTC"))
    labels = made.label_periods(pl.concat(times)).unique().to_list()
    hidden = made.hide_values([value])[value]
    return [hidden, *(made.derive_for_period(hidden, label) for label in labels)]

"""What nobody may keep of rows on their way from landing: what was erased, and values that are kept as pseudonyms.

It is asked before a row is held against its contract and after that, so that neither records nor rejected rows nor
notes have it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from civitas_assets.catalog import Source, Tenant
from civitas_assets.catalog.yaml_document import Place
from civitas_assets.records import RECORD_TYPES, RecordType
from civitas_assets.records.contract import ColumnKind
from civitas_assets.records.pseudonyms import Pseudonyms
from civitas_assets.records.raw import PAYLOAD, BrokenRow
from civitas_assets.records.typing import Typed
from civitas_assets.store.files import Files
from civitas_assets.store.tenant_keys import name_key_variable, tenant_key
from civitas_assets.store.tombstones import Tombstones

_NOT_SAID = "what stands there is not kept, as the source has pseudonyms or something of it was erased"


class PrivacyFilter:
    """That of one source; `erased_in` are the payloads in which something was that had been erased."""

    def __init__(self, files: Files, tenant: Tenant, source: Source) -> None:
        if tenant.key is not None:
            name_key_variable(files, tenant.slug, tenant.key.secret)
        self._tombstones = Tombstones(files, tenant.slug)
        self._pseudonyms = make_pseudonyms(files, tenant, source)
        self.erased_in = set[str]()

    @property
    def says_nothing(self) -> bool:
        """Whether texts that quote an answer are not kept."""
        return self._pseudonyms is not None or bool(self._tombstones)

    def hide_raw(self, table: pl.DataFrame) -> pl.DataFrame:
        """Raw rows without what was erased, and with hidden values."""
        if self._tombstones:
            left = self._tombstones.exclude_rows(table)
            self._note(table, left, PAYLOAD)
            table = left
        return self._pseudonyms.hide(table) if self._pseudonyms else table

    def hide_dated(self, rows: pl.DataFrame, record_type: RecordType) -> pl.DataFrame:
        """Typed rows with the pseudonyms of their periods, without those that were erased by such."""
        if self._pseudonyms:
            rows = self._pseudonyms.hide_dated(rows, record_type)
        if self._tombstones:
            left = self._tombstones.exclude_rows(rows)
            self._note(rows, left, "payload")
            rows = left
        return rows

    def hide_rejected(self, typed: Typed, table: pl.DataFrame) -> Typed:
        """The same, saying of rejected rows what may be said."""
        return self._pseudonyms.hide_rejected(typed, table) if self._pseudonyms else typed

    def hide_broken(self, rows: tuple[BrokenRow, ...]) -> tuple[BrokenRow, ...]:
        """Rows that their format makes unreadable, whose text nobody can look into."""
        if not self.says_nothing:
            return rows
        return tuple(replace(row, raw=f"row {row.row}", detail=_NOT_SAID, about=()) for row in rows)

    def _note(self, before: pl.DataFrame, after: pl.DataFrame, payload: str) -> None:
        if after.height < before.height:
            count = "@count"
            left = after.group_by(payload).len(count)
            counted = before.group_by(payload).len().join(left, on=payload, how="left")
            fewer = counted.filter(pl.col("len") > pl.col(count).fill_null(0))
            self.erased_in.update(fewer[payload])


def make_pseudonyms(files: Files, tenant: Tenant, source: Source) -> Pseudonyms | None:
    """The pseudonyms of a source; None where it has none."""
    if not source.pseudonymise:
        return None
    key = tenant_key(files, tenant.slug, "pseudonym")
    return Pseudonyms(key, source.pseudonymise, source.pseudonym_period, tenant.timezone)


def find_unhideable_fields(tenant: Tenant) -> Iterator[tuple[Place, str]]:
    """Faults of a tenant: fields that cannot be pseudonyms, because no record of the source has them as a text."""
    for name, source in tenant.sources.items():
        texts = sorted(
            {
                field
                for kind in source.record_types()
                for field in RECORD_TYPES[kind].accepted
                if RECORD_TYPES[kind].get_column(field).kind is ColumnKind.TEXT
            }
        )
        for number, field in enumerate(source.pseudonymise):
            if field not in texts:
                yield (
                    ("sources", name, "pseudonymise", number),
                    f"{field!r} is no text of it; there are: {', '.join(texts)}",
                )

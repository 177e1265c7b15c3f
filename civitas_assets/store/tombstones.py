"""What was erased of a tenant, as marks by its key: enough to know it when it comes again, not to say what it was."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec
import polars as pl

from civitas_assets.records.clean_text import to_text
from civitas_assets.store.files import Files
from civitas_assets.store.layout import tenant_folder_key
from civitas_assets.store.stored_record import read_state
from civitas_assets.store.tenant_keys import tenant_key


class _Mark(msgspec.Struct, frozen=True):
    column: str
    mark: str
    at: datetime


class Tombstones:
    """The marks of one tenant, by column."""

    def __init__(self, files: Files, tenant: str) -> None:
        self._files, self._tenant = files, tenant
        self._place = f"{tenant_folder_key('retention', tenant)}/erased.json"
        self._known: Mapping[str, frozenset[str]] | None = None
        self._key = b""

    def add(self, values: Iterable[tuple[str, str]], at: datetime) -> None:
        """Mark values of columns, before they are erased."""
        held = self._read()
        known = {(one.column, one.mark) for one in held}
        new = {(column, self._mark(column, value)) for column, value in values} - known
        if new:
            marks = [*held, *(_Mark(column, mark, at) for column, mark in sorted(new))]
            self._files.write(self._place, msgspec.json.encode(marks))
            self._known = None

    def __bool__(self) -> bool:
        return bool(self._marks())

    def exclude_rows(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows in which no marked column has a marked value."""
        marks = self._marks()
        keep = pl.Series([True]).new_from_index(0, rows.height)
        for column in marks.keys() & {*rows.columns}:
            texts = to_text(rows[column]).str.strip_chars()
            values = texts.unique().drop_nulls().to_list()
            gone = [value for value in values if self._mark(column, value) in marks[column]]
            if gone:
                keep &= ~texts.is_in(gone).fill_null(value=False)
        return rows.filter(keep) if not keep.all() else rows

    def _marks(self) -> Mapping[str, frozenset[str]]:
        if self._known is None:
            found: dict[str, set[str]] = {}
            for one in self._read():
                found.setdefault(one.column, set()).add(one.mark)
            self._known = {column: frozenset(marks) for column, marks in found.items()}
        return self._known

    def _read(self) -> list[_Mark]:
        return read_state(self._files, self._place, list[_Mark]) or []

    def _mark(self, column: str, value: str) -> str:
        self._key = self._key or tenant_key(self._files, self._tenant, "erased")
        return hmac.digest(self._key, f"{column}\0{value.strip()}".encode(), "sha256").hex()

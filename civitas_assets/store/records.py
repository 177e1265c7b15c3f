"""The record store: every record with every revision, one Parquet file per tenant, record type and day.

Only what is new or changed is appended; a file is replaced whole, so a reader or a crash never meets half of
one.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from civitas_assets.errors import StoreError
from civitas_assets.records import RECORD_TYPES, RecordType
from civitas_assets.store.files import Files, Stamp
from civitas_assets.store.layout import RecordKeys, parse_stem, tenant_folder_key
from civitas_assets.store.revisions import find_fresh
from civitas_assets.store.row_files import decode_rows, encode_rows, write_rows

# Records that describe things, not events, have one file with this name in place of a day.
TIMELESS = "all"

_FOOTER = 16 * 1024  # bytes in which that of most files is
_DAYS_AT_A_TIME = 366  # where files are copied to be searched, so many are at a time


@dataclass(frozen=True)
class RecordChanges:
    """Records that the store does not hold yet: new ones have revision 1, changed ones a higher one."""

    record_type: RecordType
    rows: pl.DataFrame

    @property
    def deleted(self) -> int:
        """How many of the revisions mark a thing as deleted."""
        return self.rows.filter(pl.col("deleted")).height

    @property
    def new(self) -> int:
        """How many records were not known at all."""
        return self.rows.filter(pl.col("revision") == 1).height

    @property
    def changed(self) -> int:
        """How many revisions of known records there are."""
        return self.rows.height - self.new

    @property
    def days(self) -> frozenset[date]:
        """The days that gain something; none for records that describe things."""
        return frozenset(self.rows["day"].drop_nulls().unique().to_list())


class RecordStore:
    """The records of one tenant."""

    def __init__(self, files: Files, tenant: str) -> None:
        self._files = files
        self._keys = RecordKeys.for_tenant(tenant)
        self._limit = f"{tenant_folder_key('retention', tenant)}/records_from.txt"

    def find_changes(self, record_type: RecordType, records: pl.DataFrame) -> RecordChanges:
        """What of these records is new or changed; nothing is stored yet.

        `records` has the contract's columns and `source`, `day` (null for record types without an event
        time), `payload`, `received_at` and `run_id`, and `deleted` where it marks things as deleted; of two
        rows with one key the later one in the frame is the newer. A payload that says two things of one key means
        the later one; what it says first is kept as a revision when the key is new, and is no news when the
        payload comes again with other rows changed. Days before the first one that is kept are left out.
        """
        kept_from = self.read_first_kept_day()
        if kept_from is not None and record_type.event_time is not None:
            records = records.filter(pl.col("day") >= kept_from)
        existing = self._existing(record_type, records) if not records.is_empty() else None
        return RecordChanges(record_type, find_fresh(record_type, records, existing))

    def read_first_kept_day(self) -> date | None:
        """The first day that the store takes: what retention has let go does not come back with an old payload."""
        body = self._files.read(self._limit)
        return date.fromisoformat(body.decode()) if body is not None else None

    def keep_from(self, first: date | None) -> None:
        """Take no days before this one from now on; None for all."""
        if first is None:
            self._files.delete(self._limit)
        elif first != self.read_first_kept_day():
            self._files.write(self._limit, first.isoformat().encode())

    def find_vanished(self, record_type: RecordType, source: str, present: pl.DataFrame) -> pl.DataFrame:
        """The current revisions of the source's things whose key is not among the present ones, nor deleted already.

        `present` has the columns of the key.
        """
        keys = [*record_type.key]
        with self._scan(record_type, []) as stored:
            if stored is None:
                return pl.DataFrame(schema=record_type.stored_schema)
            current = stored.filter(pl.col("source") == source).sort("revision").unique(keys, keep="last")
            gone = current.filter(~pl.col("deleted")).join(present.lazy().select(keys), on=keys, how="anti")
            return gone.sort(keys).collect()

    def count(self, record_type: RecordType, source: str) -> int:
        """How many of the source's things are known and not deleted."""
        keys = [*record_type.key]
        with self._scan(record_type, []) as stored:
            if stored is None:
                return 0
            own = stored.filter(pl.col("source") == source).select(*keys, "revision", "deleted")
            last = own.sort("revision").unique(keys, keep="last").filter(~pl.col("deleted"))
            return int(last.select(pl.len()).collect().item())

    def read_current(self, record_type: RecordType, source: str, days: Iterable[date]) -> pl.DataFrame:
        """The last revisions of the source's records of these days, or of its things; marks of deletion included."""
        with self._scan(record_type, days) as stored:
            if stored is None:
                return pl.DataFrame(schema=record_type.stored_schema)
            own = stored.filter(pl.col("source") == source).sort("revision")
            return own.unique([*record_type.key], keep="last", maintain_order=True).collect()

    def append(self, news: RecordChanges) -> None:
        """Add what is news, file by file; each file is replaced whole, several at a time.

        What is there already, of a write whose answer was lost, is not added again.

        Raises:
            StoreError: another run has stored revisions of the same records since the changes were looked for, as
                while a machine slept.
        """
        rows = news.rows.select(*news.record_type.stored_schema)
        parts = rows.partition_by("day", as_dict=True, maintain_order=True)
        self._files.change_all(
            {
                (key := self._key(news.record_type, day if isinstance(day, date) else None)): partial(
                    _extended, part, key, ["source", *news.record_type.key, "revision"]
                )
                for (day,), part in parts.items()
            }
        )

    def remove(self, record_type: RecordType, keys: pl.DataFrame) -> None:
        """Remove things with all their revisions; `keys` has their `source` and key."""
        key = self._key(record_type, None)
        rows = self.read_rows(record_type, [])
        left = rows.join(keys, on=keys.columns, how="anti", maintain_order="left")
        if left.height < rows.height or left.is_empty():
            write_rows(self._files, key, left)

    def list_types(self) -> list[RecordType]:
        """The record types of which there is anything; asking for each of all takes many requests."""
        there = {*self._files.list_folders(f"{self._keys.records}/")}
        return [record_type for name, record_type in RECORD_TYPES.items() if name in there]

    def list_days(self, record_type: RecordType) -> list[date]:
        """The days that hold records of the type, in order."""
        keys = self._files.list_keys(f"{self._keys.record_type_key(record_type.name)}/")
        stems = map(parse_stem, keys)
        return sorted(date.fromisoformat(stem) for stem in stems if stem != TIMELESS)

    def count_rows(self, days: Iterable[date]) -> dict[date, int]:
        """How many rows the files of each day have, of all record types together."""
        wanted = {day.isoformat(): day for day in days}
        found = dict.fromkeys(wanted.values(), 0)
        keys = [
            key
            for record_type in self.list_types()
            if record_type.event_time is not None
            for key in self._files.list_keys(f"{self._keys.record_type_key(record_type.name)}/")
            if parse_stem(key) in wanted
        ]
        for key, end in zip(keys, self._files.read_ends(keys, _FOOTER), strict=True):
            found[wanted[parse_stem(key)]] += self._height(key, end)
        return found

    def _height(self, key: str, end: bytes) -> int:
        """The rows of a file that ends so; the footer of a large one may begin before."""
        from pyarrow.parquet import read_metadata  # noqa: PLC0415 - only what is made anew is measured

        footer = int.from_bytes(end[-8:-4], "little") + 8
        whole = end if footer <= len(end) else self._files.read_ends([key], footer)[0]
        return int(read_metadata(io.BytesIO(whole)).num_rows)

    def list_stamps(self) -> dict[date | None, dict[str, Stamp]]:
        """Size and version of the files of each day, by key; those of records that describe things under None."""
        found: dict[date | None, dict[str, Stamp]] = {}
        for key, stamp in self._files.list_stamps(f"{self._keys.records}/").items():
            name, stem = key.split("/")[-2], parse_stem(key)
            if name in RECORD_TYPES:
                found.setdefault(None if stem == TIMELESS else date.fromisoformat(stem), {})[key] = stamp
        return found

    def fetch_files(self, record_type: RecordType, days: Iterable[date], folder: Path) -> list[Path]:
        """Parquet files of these days, or the timeless one, as far as they exist.

        They are copies in the folder where the store itself is no folder.
        """
        return self._files.fetch_copies(self._present(record_type, days), folder)

    def read_rows(self, record_type: RecordType, days: Iterable[date]) -> pl.DataFrame:
        """The rows of these days, or of the timeless file, in the order in which they were stored."""
        with self._scan(record_type, days) as stored:
            return pl.DataFrame(schema=record_type.stored_schema) if stored is None else stored.collect()

    def find_days(self, record_type: RecordType, column: str, values: Sequence[str]) -> frozenset[date]:
        """The days with a record whose column has one of the values."""
        days = self.list_days(record_type)
        found: set[date] = set()
        for start in range(0, len(days) if values else 0, _DAYS_AT_A_TIME):
            with self._scan(record_type, days[start : start + _DAYS_AT_A_TIME]) as stored:
                if stored is not None:
                    rows = stored.filter(pl.col(column).is_in(list(values))).select("day").unique()
                    found.update(rows.collect().to_series().to_list())
        return frozenset(found)

    def _existing(self, record_type: RecordType, records: pl.DataFrame) -> pl.DataFrame | None:
        """The current revisions of the keys in question."""
        days = records["day"].unique().drop_nulls().to_list()
        keys = ["source", *record_type.key]
        with self._scan(record_type, days) as scan:
            if scan is None:
                return None
            stored = scan.join(records.lazy().select(keys).unique(), on=keys, how="semi")
            return stored.sort("revision").unique(keys, keep="last", maintain_order=True).collect()

    @contextmanager
    def _scan(self, record_type: RecordType, days: Iterable[date]) -> Iterator[pl.LazyFrame | None]:
        """The rows of the files, also of those that were written before there were marks of deletion."""
        with TemporaryDirectory(prefix="civitas-records-") as folder:
            locations = self.fetch_files(record_type, days, Path(folder))
            if not locations:
                yield None
                return
            schema = record_type.stored_schema
            scan = pl.scan_parquet(locations, schema=schema, missing_columns="insert")
            yield scan.with_columns(pl.col("deleted").fill_null(value=False))

    def _present(self, record_type: RecordType, days: Iterable[date]) -> list[str]:
        present = set(self._files.list_keys(f"{self._keys.record_type_key(record_type.name)}/"))
        wanted = [None] if record_type.event_time is None else sorted(days)
        return [key for day in wanted if (key := self._key(record_type, day)) in present]

    def _key(self, record_type: RecordType, day: date | None) -> str:
        folder = self._keys.record_type_key(record_type.name)
        return f"{folder}/{day.isoformat() if day else TIMELESS}.parquet"


def _extended(part: pl.DataFrame, key: str, same: Sequence[str], stored: bytes | None) -> bytes:
    """The file with further rows, which are told from others by the columns of `same`."""
    if stored is None:
        return encode_rows(part)
    held = decode_rows(stored)
    part = part.join(held, on=[*same, "run_id"], how="anti", nulls_equal=True, maintain_order="left")
    if not part.join(held, on=same, how="semi", nulls_equal=True).is_empty():
        raise StoreError(
            f"{key} got the same records from another run meanwhile: nothing is stored twice; "
            "what is missing is made up for by the next run"
        )
    return encode_rows(pl.concat([held, part], how="diagonal"))

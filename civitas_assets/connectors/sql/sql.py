"""SQL: tables, views and selections of PostgreSQL, and of other databases by their SQLAlchemy URL.

How a database is spoken to is in `sql_database.py`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import Field, model_validator

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.model import SecretRef
from civitas_assets.catalog.window import Duration
from civitas_assets.connectors.base import FetchSession, Payload, Request
from civitas_assets.connectors.mapping.attributes import AttributeSource, select_attributes
from civitas_assets.connectors.sql.sql_address import check_database_url, sanitize_database_url
from civitas_assets.connectors.sql.sql_database import Database, DatabaseRows
from civitas_assets.errors import FetchError, ReadError
from civitas_assets.records import RawTable, Roster

# A row may become visible after later ones: its transaction took longer.
_OVERLAP = timedelta(hours=1)
_OVERLAP_STEPS = 1000
_LARGEST = 64 * 1024 * 1024
# Texts, quoted names and comments.
_QUOTED = re.compile(r"""'[^']*'|"[^"]*"|`[^`]*`|--[^\n]*|/\*.*?\*/""", re.DOTALL)
_QUOTED_BY_MYSQL = re.compile(
    r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`[^`]*`|(?:--|\#)[^\n]*|/\*.*?\*/""", re.DOTALL
)
_HTTP_ONLY = ("headers", "query", "each", "basic_auth", "certificate", "allow_hosts")


class SqlSource(AttributeSource):
    """A table, view or selection; `fields` name its columns."""

    connector: Literal["sql"]
    # No pattern here: its error would quote the address, and a password with it.
    url: str = Field(
        description="postgresql://user@host/database?sslmode=verify-full, or the SQLAlchemy URL of another database."
    )
    password: SecretRef | None = Field(None, description="Name of the secret.")
    table: str | None = Field(None, description="Table or view, with its schema if need be: schema.table.")
    select: str | None = Field(None, description="Instead of table: one SELECT without a semicolon.")
    cursor: str | None = Field(
        None,
        description="Column that only grows, a time or a number: only rows from the last one on are fetched. "
        "Without it, every fetch takes all rows.",
    )
    overlap: Duration | Annotated[int, Field(ge=0)] | None = Field(
        None,
        description="How far before the last row a fetch begins, for rows that became visible late: a duration for a "
        "cursor of times, by default one hour; a number for one of numbers, by default 1000.",
    )
    fetch_size: int = Field(50_000, ge=1, description="Rows that land together.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.table is None) == (self.select is None):
            raise ValueError("either table or select says what is read")
        if fault := check_database_url(self.url):
            raise ValueError(fault)
        if self.select is not None and _several(self.select, self.url):
            raise ValueError("select is one statement, without a semicolon")
        if self.snapshot and self.cursor is not None:
            raise ValueError("snapshot has no meaning with cursor: only new rows are fetched")
        told = [name for name in _HTTP_ONLY if name in self.model_fields_set]
        if told:
            raise ValueError(f"{told[0]} has no meaning for a database")
        return self

    def listed_record_types(self) -> frozenset[str]:
        """Where rows have a key in columns, the roster tells what is gone; rows from a cursor on are never all."""
        return (
            frozenset() if self.cursor is not None or self.key is not None else super().listed_record_types()
        )

    @property
    def address(self) -> str:
        """The database and what is read of it, without any secret, as manifests and errors name it."""
        what = self.table or f"select-{hashlib.sha256((self.select or '').encode()).hexdigest()[:12]}"
        return f"{sanitize_database_url(self.url)}/{what}"

    @property
    def columns(self) -> list[str]:
        """The columns that are named."""
        time = [self.time.column] if self.time is not None and self.time.column is not None else []
        return [*dict.fromkeys([*self.fields.values(), *time])]

    @property
    def key(self) -> dict[str, str] | None:
        """Column of each field of the key, where all come from columns, and the record type is of things."""
        if self.contract.event_time is not None or self.cursor is not None or self.snapshot is False:
            return None
        named = {name: self.fields[name] for name in self.contract.key if name in self.fields}
        return named if len(named) == len(self.contract.key) else None


class SqlConnector:
    """Fetches and reads rows of databases."""

    name = "sql"
    source_model: type[Source] = SqlSource

    def fetch(self, source: SqlSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """All rows, or those from the cursor on; the window does not matter, since the database knows what is new."""
        del window, zone
        password = session.read_secret(source.password.secret) if source.password else None
        seconds = (source.http.timeout.total_seconds(), source.http.total_time.total_seconds())
        reached = (session.reachable, session.database_files)
        with Database(source.url, password, *seconds, *reached).open_connection() as database:
            relation = database.find_relation(source.table, source.select)
            there = database.list_columns(relation)
            wanted = [*source.columns, *([source.cursor] if source.cursor else [])]
            missing = [name for name in wanted if name not in there]
            twice = sorted({name for name in (there if source.rest else wanted) if there.count(name) > 1})
            if twice:
                raise FetchError(
                    f"{source.address} has more than one column {', '.join(twice)}: "
                    "give them names of their own in select"
                )
            if missing:
                raise FetchError(
                    f"{source.address} lacks the column(s) {', '.join(missing)}; it has {', '.join(there)}"
                )
            taken = there if source.rest else [*dict.fromkeys(wanted)]
            others = {"others": "\n".join(name for name in there if name not in taken)}
            if source.cursor is None:
                order = [*(source.key or {}).values()]
                rows = database.read_rows(relation, taken, order=order)
                _land_all(source, session, rows, others)
                return
            last = session.read_delivered(source.address).get("cursor")
            if database.has_nulls(relation, source.cursor):
                raise FetchError(
                    f"{source.address} has rows without {source.cursor}, which would never be fetched: "
                    "choose another cursor, or leave them out with select"
                )
            start = None if last is None else _before(source, last)
            rows = database.read_rows(relation, taken, order=[source.cursor], start=start)
            _land_new(source, session, rows, others)

    def read(self, source: SqlSource, payload: Payload) -> Iterator[RawTable | Roster]:
        """One table; the last payload of a whole fetch says which things there are."""
        cells = _cells(payload.body)
        if payload.role == "keys":
            key = source.key
            if key is not None:
                yield Roster(source.record_type, cells.select(**{n: pl.col(c) for n, c in _held(cells, key)}))
            return
        frame, unknown = select_attributes(source, cells, complete=True)
        if not source.rest:
            unknown = tuple(filter(None, payload.variables.get("others", "").split("\n")))
        yield RawTable(source.record_type, frame, unknown)


def _several(select: str, url: str) -> bool:
    """Whether a semicolon ends the statement, or parts it from another; in a text or a comment it does not."""
    quoted = _QUOTED_BY_MYSQL if url.startswith(("mysql", "mariadb")) else _QUOTED
    return ";" in quoted.sub("", select)


def _held(cells: pl.DataFrame, key: Mapping[str, str]) -> list[tuple[str, str]]:
    missing = sorted({*key.values()} - {*cells.columns})
    if missing:
        raise ReadError(f"lacks the key {', '.join(missing)}")
    return [*key.items()]


def _cells(body: bytes) -> pl.DataFrame:
    try:
        return pl.read_csv(body, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise ReadError(f"is no landed table: {str(error).splitlines()[0]}") from None


def _land_all(
    source: SqlSource, session: FetchSession, rows: DatabaseRows, variables: Mapping[str, str]
) -> None:
    """Every row, a part at a time; then the keys of all, which tell what is gone."""
    keys: list[pl.DataFrame] = []
    for number, part in enumerate(_parts(rows, source)):
        session.deliver(Request(f"{source.address}#{number}", "rows", variables), part, "text/csv")
        if source.key is not None:
            keys.append(_cells(part).select(*dict.fromkeys(source.key.values())))
    if source.key is not None:
        body = pl.concat(keys).write_csv().encode()
        session.deliver(Request(f"{source.address}#keys", "keys"), body, "text/csv")


def _land_new(
    source: SqlSource, session: FetchSession, rows: DatabaseRows, variables: Mapping[str, str]
) -> None:
    """Rows in the order of the cursor, a part at a time; after a crash the next fetch goes on behind the last part."""
    for part in _parts(rows, source):
        reached = _cells(part)[source.cursor or ""]
        if reached.is_empty():
            return
        _before(source, reached[-1])  # a cursor that cannot be compared is found before anything relies on it
        session.deliver(
            Request(source.address, "rows", {**variables, "cursor": reached[-1]}), part, "text/csv"
        )


def _parts(rows: DatabaseRows, source: SqlSource) -> Iterator[bytes]:
    """CSV bodies of so many rows as land together, or less where they are large; at least one.

    Raises:
        FetchError: there are more rows than the operator lets be.
    """
    size, most = source.fetch_size, source.frame.max_rows
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(rows.columns)
    waiting, length, any_part = [header.getvalue().encode()], 0, False
    for number, row in enumerate(rows.lines):
        if number >= most:
            raise FetchError(f"{source.address} has over {most} rows, the most that CIVITAS_MAX_ROWS lets be")
        waiting.append(row)
        length += len(row)
        if len(waiting) > size or length >= _LARGEST:
            yield b"".join(waiting)
            waiting, length, any_part = waiting[:1], 0, True
    if len(waiting) > 1 or not any_part:
        yield b"".join(waiting)


def _before(source: SqlSource, last: str | None) -> int | str:
    """Where the next fetch begins.

    Raises:
        FetchError: the cursor is neither a number nor a time, or the overlap is of the other kind.
    """
    kind = f"{source.address}: the cursor {source.cursor}"
    if last is None:
        raise FetchError(f"{kind} is empty, so that rows would never be fetched: choose another one")
    overlap = source.overlap
    if last.lstrip("-").isdigit():
        if isinstance(overlap, timedelta):
            raise FetchError(f"{kind} is a number ({last}), but overlap a duration: write a number")
        return int(last) - (_OVERLAP_STEPS if overlap is None else overlap)
    try:
        moment = datetime.fromisoformat(last)
    except ValueError:
        raise FetchError(f"{kind} is neither a number nor a time: {last[:40]!r}") from None
    if isinstance(overlap, int):
        raise FetchError(f"{kind} is a time ({last}), but overlap a number: write a duration")
    return (moment - (_OVERLAP if overlap is None else overlap)).isoformat(sep=" ")

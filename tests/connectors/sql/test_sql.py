"""Tables of PostgreSQL and other databases: exact records, only what is new, what is gone, and nothing written."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
import pytest
import shapely
from pydantic import ValidationError

from civitas_assets.catalog import Window, load_catalog
from civitas_assets.catalog.frame import Frame
from civitas_assets.connectors.base import Payload
from civitas_assets.connectors.registry import CONNECTORS, SOURCE_MODELS
from civitas_assets.connectors.sql.sql_database import Database
from civitas_assets.connectors.sql.sql_values import choose_mysql_writers, format_sql_value
from civitas_assets.errors import CatalogError, FetchError
from civitas_assets.records import RawTable, Roster
from tests.connectors.conftest import OBSERVED, SECRET, Landed, MakeSource, ReadRecords

DAY = Window(date(2026, 8, 1), date(2026, 8, 1))

READINGS = """
create table readings (
    id bigserial primary key, meter text, read_at timestamptz, value numeric, note text, changed_at timestamptz
);
insert into readings (meter, read_at, value, note, changed_at) values
    ('01', '2026-08-01 02:00:00+02', 12.50, 'a;"b"\nc', '2026-08-01 00:01:00+00'),
    ('01', '2026-08-01 01:00:00+00', null, null, '2026-08-01 01:01:00+00'),
    ('ü2', '2026-08-01 01:00:00+00', 1e-7, '', '2026-08-01 01:01:00+00');
"""


@pytest.fixture
def database(postgres_url: str) -> Iterator[Callable[[str], str]]:
    """Makes the statements' tables, and an account that may only read them; the address without its password."""

    def make(statements: str) -> str:
        parts = urlsplit(postgres_url)
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(statements.encode())
            role = f"reader_{parts.path[-12:]}"
            connection.execute(f"create role {role} login password '{SECRET}'".encode())
            connection.execute(f"grant select on all tables in schema public to {role}".encode())
        made.append(role)
        return urlunsplit(parts._replace(netloc=f"{role}@{parts.hostname}:{parts.port}"))

    made: list[str] = []
    yield make
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for role in made:
            connection.execute(f"drop owned by {role}; drop role {role}".encode())


@pytest.fixture
def fetch(source: MakeSource, landed: Landed) -> Callable[..., Any]:
    """Fetches from an address; the source."""

    def run(url: str, **settings: Any) -> Any:
        declared = source("sql", **{"url": url, "password": {"secret": "DB_PASSWORD"}, **settings})
        CONNECTORS["sql"].fetch(declared, DAY, ZoneInfo("Europe/Berlin"), landed)
        return declared

    return run


def read(declared: Any, payloads: Iterable[Payload]) -> list[RawTable | Roster]:
    return [table for payload in payloads for table in CONNECTORS["sql"].read(declared, payload)]


def change(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def test_a_table_is_read_exactly(
    database: Callable[[str], str], fetch: Callable[..., Any], landed: Landed, records: ReadRecords
) -> None:
    declared = fetch(database(READINGS), table="public.readings", **OBSERVED)
    (payload,) = landed.payloads
    found = records(declared, payload.body, "rows")["observation"]
    assert [(row["datastream_id"], row["phenomenon_start"], row.get("value")) for row in found] == [
        ("01", datetime(2026, 8, 1, 0, tzinfo=UTC), 12.5),
        ("01", datetime(2026, 8, 1, 1, tzinfo=UTC), None),
        ("ü2", datetime(2026, 8, 1, 1, tzinfo=UTC), 1e-7),
    ]


def test_only_named_columns_leave_the_database_and_the_others_are_reported(
    database: Callable[[str], str], fetch: Callable[..., Any], landed: Landed
) -> None:
    declared = fetch(database(READINGS), table="readings", **OBSERVED)
    assert landed.payloads[0].body.splitlines()[0] == b"meter,value,read_at"
    (table,) = read(declared, landed.payloads)
    assert isinstance(table, RawTable)
    assert table.unknown_fields == ("id", "note", "changed_at")


def test_rest_takes_every_column_and_texts_keep_quotes_and_lines(
    database: Callable[[str], str], fetch: Callable[..., Any], landed: Landed
) -> None:
    sites = {"record_type": "place", "fields": {"place_id": "id"}, "constants": {"category": "other"}}
    declared = fetch(database(READINGS), table="readings", rest="attributes", **sites)
    table = read(declared, landed.payloads)[0]
    assert '"note":"a;\\"b\\"\\nc"' in table.frame["attributes"][0]


def test_a_cursor_fetches_what_is_new_and_what_became_visible_late(
    database: Callable[[str], str], postgres_url: str, fetch: Callable[..., Any], landed: Landed
) -> None:
    url = database(READINGS)
    settings = {"table": "readings", "cursor": "changed_at", "fetch_size": 2, "overlap": "10 min", **OBSERVED}
    fetch(url, **settings)
    assert [len(p.body.splitlines()) - 1 for p in landed.payloads] == [2, 1]
    first = landed.lines()
    assert landed.read_delivered(landed.payloads[0].url)["cursor"] == "2026-08-01 01:01:00+00"
    new = "insert into readings (meter, read_at, value, changed_at) values "
    change(postgres_url, new + "('late', '2026-08-01', 7, '2026-08-01 00:55:00+00')")
    change(postgres_url, new + "('old', '2026-08-01', 7, '2026-08-01 00:30:00+00')")
    change(postgres_url, new + "('new', '2026-08-01', 8, '2026-08-01 02:00:00+00')")
    fetch(url, **settings)
    again = landed.lines()[len(first) :]
    assert [line.partition(",")[0] for line in again] == ["late", "01", "ü2", "new"]


def test_a_row_that_gets_no_cursor_later_is_found_as_well(
    database: Callable[[str], str], postgres_url: str, fetch: Callable[..., Any], landed: Landed
) -> None:
    url = database(READINGS)
    fetch(url, table="readings", cursor="changed_at", **OBSERVED)
    change(postgres_url, "insert into readings (meter, read_at, value) values ('x', '2026-08-01', 7)")
    with pytest.raises(FetchError, match="has rows without changed_at"):
        fetch(url, table="readings", cursor="changed_at", **OBSERVED)


def test_a_number_that_becomes_visible_after_a_higher_one_is_not_lost(
    database: Callable[[str], str], postgres_url: str, fetch: Callable[..., Any], landed: Landed
) -> None:
    url = database(READINGS)
    new = "insert into readings (id, meter, read_at, value) values "
    change(postgres_url, new + "(900, 'early', '2026-08-01', 7)")
    fetch(url, table="readings", cursor="id", **OBSERVED)
    change(postgres_url, new + "(899, 'late', '2026-08-01', 8)")
    fetch(url, table="readings", cursor="id", **OBSERVED)
    assert any(line.startswith("late") for line in landed.lines())


def test_a_cursor_of_numbers_goes_on_with_its_last_row(
    database: Callable[[str], str], postgres_url: str, fetch: Callable[..., Any], landed: Landed
) -> None:
    url = database(READINGS)
    settings = {"table": "readings", "cursor": "id", "overlap": 0, **OBSERVED}
    fetch(url, **settings)
    change(postgres_url, "insert into readings (meter, read_at, value) values ('4', '2026-08-01', 7)")
    fetch(url, **settings)
    assert [line.rpartition(",")[2] for line in landed.lines()] == ["1", "2", "3", "3", "4"]


def test_nothing_new_is_no_fault_and_nothing_to_land(
    database: Callable[[str], str], fetch: Callable[..., Any], landed: Landed
) -> None:
    url = database("create table readings (id bigint, meter text, value numeric, read_at timestamptz)")
    fetch(url, table="readings", cursor="id", **OBSERVED)
    assert landed.payloads == []


SITES = {
    "record_type": "parking_site",
    "fields": {"site_id": "nr", "name": "name", "capacity": "plaetze"},
    "table": "sites",
}
MAKE_SITES = """
create table sites (nr text, name text, plaetze int);
insert into sites values ('2', 'B', 5), ('1', 'A', 3);
"""


def test_a_whole_fetch_ends_with_the_keys_of_all_things(
    database: Callable[[str], str], fetch: Callable[..., Any], landed: Landed
) -> None:
    declared = fetch(database(MAKE_SITES), fetch_size=1, **SITES)
    *tables, roster = read(declared, landed.payloads)
    assert [table.frame["site_id"].to_list() for table in tables] == [["1"], ["2"]], "in the order of the key"
    assert isinstance(roster, Roster)
    assert (roster.record_type, roster.frame.to_dicts()) == (
        "parking_site",
        [{"site_id": "1"}, {"site_id": "2"}],
    )


def test_an_empty_table_still_says_that_it_is_empty(
    database: Callable[[str], str], fetch: Callable[..., Any], landed: Landed
) -> None:
    declared = fetch(database("create table sites (nr text, name text, plaetze int)"), **SITES)
    table, roster = read(declared, landed.payloads)
    assert table.frame.height == roster.frame.height == 0


def test_events_and_cursors_have_no_roster(
    database: Callable[[str], str], fetch: Callable[..., Any], landed: Landed
) -> None:
    fetch(database(READINGS), table="readings", **OBSERVED)
    assert [payload.role for payload in landed.payloads] == ["rows"]


def test_a_selection_may_hold_what_sql_has(
    database: Callable[[str], str], fetch: Callable[..., Any], landed: Landed
) -> None:
    select = (
        "select meter, read_at, value::numeric(9, 1) % 5 as value from readings "
        "where note like 'a%' and read_at > '2026-07-31 00:00:00' and meter <> ':x'"
    )
    fetch(database(READINGS), select=select, **OBSERVED)
    assert landed.lines() == ["01,2.5,2026-08-01 00:00:00+00"]


def test_nothing_can_be_written_even_by_who_may(
    database: Callable[[str], str], postgres_url: str, fetch: Callable[..., Any], landed: Landed
) -> None:
    url = database(READINGS)
    reader = urlsplit(url).username
    change(postgres_url, f"grant all on readings to {reader}")
    select = "with gone as (delete from readings returning *) select * from gone"
    with pytest.raises(FetchError, match=r"data-modifying|read-only"):
        fetch(url, select=select, **OBSERVED)
    change(
        postgres_url, "create function f() returns bigint language sql as 'delete from readings returning id'"
    )
    with pytest.raises(FetchError, match="read-only transaction"):
        fetch(url, select="select f() as meter, now() as read_at, 1 as value", **OBSERVED)
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("select count(*) from readings").fetchone() == (3,)
    assert landed.payloads == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"table": "nowhere"}, 'relation "nowhere" does not exist'),
        (
            {"table": "readings", "fields": {"datastream_id": "zaehler"}},
            r"lacks the column\(s\) zaehler; it has id,",
        ),
        ({"table": "hidden"}, "permission denied for table hidden"),
        ({"table": "readings", "cursor": "note"}, "has rows without note"),
        ({"table": "readings", "cursor": "meter"}, "is neither a number nor a time: 'ü2'"),
        ({"table": "readings", "cursor": "id", "overlap": "1 h"}, "is a number .* write a number"),
        ({"table": "readings", "cursor": "changed_at", "overlap": 5}, "is a time .* write a duration"),
        ({"select": "select pg_sleep(20)::text as meter, now() as read_at, 1 as value"}, "statement timeout"),
    ],
)
def test_what_goes_wrong_says_what_and_where(
    database: Callable[[str], str], postgres_url: str, fetch: Callable[..., Any], settings: Any, message: str
) -> None:
    url = database(READINGS)
    change(postgres_url, "create table hidden (meter text, read_at timestamptz, value int)")
    with pytest.raises(FetchError, match=message) as error:
        fetch(url, **{**OBSERVED, "http": {"total_time": "1 s"}, **settings})
    assert SECRET not in str(error.value)


def test_who_is_not_let_in_or_not_there_is_told_without_the_password(
    postgres_url: str, fetch: Callable[..., Any], landed: Landed
) -> None:
    parts = urlsplit(postgres_url)
    wrong = urlunsplit(parts._replace(netloc=f"civitas@{parts.hostname}:{parts.port}"))
    with pytest.raises(FetchError, match="password authentication failed") as error:
        fetch(wrong, table="t", **OBSERVED)
    assert SECRET not in str(error.value)
    with pytest.raises(FetchError, match=r"127\.0\.0\.1"):
        fetch("postgresql://u@127.0.0.1:1/d", table="t", **OBSERVED)


def test_another_database_is_read_by_its_url(
    tmp_path: Path, fetch: Callable[..., Any], landed: Landed
) -> None:
    file = tmp_path / "meters.db"
    with sqlite3.connect(file) as connection:
        connection.execute("create table readings (id integer, meter text, read_at text, value real)")
        rows = [(1, "01", "2026-08-01T00:00:00Z", 1.5), (2, None, 'a"b', None)]
        connection.executemany("insert into readings values (?, ?, ?, ?)", rows)
    connection.close()
    settings = {**OBSERVED, "password": None, "table": "readings", "cursor": "id", "overlap": 0}
    fetch(f"sqlite:///{file}", **settings)
    assert landed.lines() == ["01,1.5,2026-08-01T00:00:00Z,1", ',,"a""b",2']
    fetch(f"sqlite:///{file}", **settings)
    assert landed.lines()[2:] == [',,"a""b",2']
    with pytest.raises(FetchError, match=r"readonly|syntax"):
        fetch(
            f"sqlite:///{file}", **{**settings, "table": None, "select": "delete from readings returning *"}
        )
    with pytest.raises(FetchError, match="unable to open database file"):
        fetch(f"sqlite:///{tmp_path}/nowhere.db", **settings)
    assert not (tmp_path / "nowhere.db").exists()
    with pytest.raises(FetchError, match="driver that is not installed"):
        fetch("mssql+pymssql://u@127.0.0.1/d", **settings)


@pytest.mark.parametrize(
    "select",
    [
        "select 1 as id, 'a' as meter -- 1; 2",
        "select 1 as id, 'a' as meter /* ; -- */",
        "select 1 as id, 'a' as meter where 'x;y' <> ':z' --",
    ],
)
def test_a_selection_may_end_in_a_comment(
    fetch: Callable[..., Any], landed: Landed, select: str, tmp_path: Path
) -> None:
    sqlite3.connect(tmp_path / "any.db").close()
    settings = {"record_type": "place", "constants": {"category": "other"}, "password": None}
    fetch(
        f"sqlite:///{tmp_path}/any.db", **settings, fields={"place_id": "id", "name": "meter"}, select=select
    )
    assert landed.lines() == ["1,a"]


def test_a_file_of_a_database_is_in_the_tenants_folder(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside.db", tmp_path / "files" / "musterstadt"
    folder.mkdir(parents=True)
    for file in (outside, folder / "own.db"):
        sqlite3.connect(file).close()
    (folder / "link.db").symlink_to(outside)
    for name in ("../../outside.db", str(outside), "link.db"):
        with (
            pytest.raises(FetchError, match="is not in"),
            Database(f"sqlite:///{name}", None, 1, 1, folder=folder).open_connection(),
        ):
            pass
    with Database("sqlite:///own.db", None, 1, 1, folder=folder).open_connection():
        pass
    with Database(
        f"sqlite:///{outside}", None, 1, 1
    ).open_connection():  # where the operator has named no folder
        pass


def test_a_fetch_has_no_more_rows_than_the_operator_lets_be(
    tmp_path: Path, source: MakeSource, landed: Landed
) -> None:
    file = tmp_path / "meters.db"
    with sqlite3.connect(file) as connection:
        connection.execute("create table readings (meter text, read_at text, value real)")
        connection.executemany(
            "insert into readings values (?, '2026-08-01T00:00:00Z', 1)", [("a",), ("b",), ("c",)]
        )
    connection.close()
    settings = {**OBSERVED, "url": f"sqlite:///{file}", "table": "readings", "fetch_size": 1}
    declared = source("sql", **settings).limit_to(Frame(max_rows=2))
    with pytest.raises(FetchError, match="over 2 rows"):
        CONNECTORS["sql"].fetch(declared, DAY, ZoneInfo("Europe/Berlin"), landed)
    assert len(landed.payloads) == 2


def test_a_statement_of_a_file_ends_in_time(
    tmp_path: Path, fetch: Callable[..., Any], landed: Landed
) -> None:
    sqlite3.connect(tmp_path / "any.db").close()
    numbers = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 1e9) "
    settings = {"record_type": "place", "constants": {"category": "other"}, "password": None}
    with pytest.raises(FetchError, match="interrupted"):
        fetch(
            f"sqlite:///{tmp_path}/any.db", **settings, fields={"place_id": "id", "name": "meter"},
            select=numbers + "select count(i) as id, 'a' as meter from n", http={"total_time": "1 s"},  # noqa: S608
        )  # fmt: skip


def test_a_column_that_is_there_twice_has_to_be_named(
    database: Callable[[str], str], fetch: Callable[..., Any], landed: Landed
) -> None:
    settings = {"record_type": "place", "constants": {"category": "other"}}
    select = "select 1 as id, 'a' as name, 'b' as name"
    with pytest.raises(FetchError, match="has more than one column name: give them names of their own"):
        fetch(database("select 1"), select=select, **settings, fields={"place_id": "id", "name": "name"})
    assert landed.payloads == []


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, None),
        (True, "t"),
        (7, 7),
        (3.0, "3"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        (Decimal("1E+3"), "1000"),
        (Decimal("2.50"), "2.50"),
        (date(2026, 1, 2), "2026-01-02"),
        (time(5, 0), "05:00:00"),
        (datetime(2026, 1, 2, 3, 4), "2026-01-02 03:04:00"),  # noqa: DTZ001 - as a driver gives it
        (datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))), "2026-01-02 01:00:00+00:00"),
        (timedelta(days=1, hours=2, seconds=3), "26:00:03"),
        (-timedelta(minutes=90, microseconds=5), "-01:30:00.000005"),
        ("0000-00-00", None),
        ("0000-00-00 00:00:00.000000", None),
        ("Nord\0", "Nord"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (bytes.fromhex("00ff"), "00ff"),
        (memoryview(b"\x01"), "01"),
        ([1, Decimal("2.5"), date(2026, 1, 2)], '[1,"2.5","2026-01-02"]'),
        ({"a": "ü"}, '{"a":"ü"}'),
        ({"b", "a"}, "a,b"),
        (StringIO("long"), "long"),
    ],
    ids=lambda value: type(value).__name__,  # addresses and orders in memory differ from process to process
)
def test_values_of_other_drivers_are_written_as_postgresql_would(value: Any, written: Any) -> None:
    assert format_sql_value(value) == written


def test_instants_and_bits_of_mysql_are_known_by_the_type_of_their_column() -> None:
    moment = datetime(2026, 1, 2, 3, 4)  # noqa: DTZ001 - as a driver gives it
    given = [
        (7, moment),
        (7, "0000-00-00 00:00:00"),
        (12, moment),
        (16, b"\x08\x01"),
        (16, 5),
        (252, b"\x08"),
    ]
    writers = choose_mysql_writers([kind for kind, _ in given])
    assert [write(value) for write, (_, value) in zip(writers, given, strict=True)] == [
        *("2026-01-02 03:04:00+00:00", None, "2026-01-02 03:04:00"),
        *(2049, 5, "08"),
    ]


@pytest.mark.parametrize(
    ("system", "shape"),
    [(0, "POINT (7.6 51.9)"), (4326, "POINT (7.6 51.9)"), (25832, "LINESTRING (1 2, 3 4)")],
)
def test_a_geometry_of_mysql_is_written_as_ewkb(system: int, shape: str) -> None:
    stored = system.to_bytes(4, "little") + shapely.to_wkb(shapely.from_wkt(shape), byte_order=1)
    found = shapely.from_wkb(format_sql_value(stored, spatial=True))
    assert (found.wkt, shapely.get_srid(found)) == (shape, system)
    assert format_sql_value(stored) == stored.hex()
    for other in (stored[:24], b"0123", bytes(16)):
        assert format_sql_value(other, spatial=True) == other.hex()


def test_days_and_times_of_a_driver_that_has_types_are_read(
    tmp_path: Path, fetch: Callable[..., Any], landed: Landed
) -> None:
    file = tmp_path / "parks.db"
    with sqlite3.connect(file) as connection:
        connection.execute("create table parks (id real, opened date)")
        connection.execute("insert into parks values (3.0, '2020-01-01')")
    connection.close()
    fields = {"feature_id": "id", "valid_from": "opened"}
    settings = {"record_type": "area_feature", "constants": {"feature_class": "x"}, "password": None}
    fetch(f"sqlite:///{file}", **settings, fields=fields, table="parks")
    assert landed.lines() == ["3,2020-01-01"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "either table or select"),
        ({"table": "t", "select": "select 1"}, "either table or select"),
        ({"table": "t", "url": "postgresql://u:geheim@h/d"}, "url holds a password"),
        ({"table": "t", "url": "postgresql://u@h/d?password=geheim"}, "url holds a password"),
        ({"table": "t", "url": "postgresql://u@h/d?sslpassword=geheim"}, "url holds a password"),
        ({"table": "t", "url": "PostgreSQL://u:geheim@h/d"}, "url"),
        ({"table": "t", "url": "postgresql:u:geheim@h/d"}, "url is no address of a database"),
        ({"table": "t", "url": "postgresql://u@h:port/d"}, "url is no address of a database"),
        ({"select": "select 1; drop table t"}, "without a semicolon"),
        ({"table": "t", "url": "postgresql://?service=geheim"}, "parameter 'service'"),
        ({"table": "t", "url": "postgresql://u@h/d?host=/run"}, "parameter 'host'"),
        ({"table": "t", "url": "postgresql://u@h/d?sslkey=/etc/geheim"}, "parameter 'sslkey'"),
        ({"table": "t", "url": "postgresql://u@%2Frun/d"}, "names no host"),
        ({"table": "t", "url": "postgresql://u@/d"}, "names no host"),
        ({"table": "t", "url": "postgresql://h/d"}, "names no login"),
        ({"table": "t", "url": "mysql+pymysql://u@h/d?unix_socket=/run/s"}, "parameter 'unix_socket'"),
        ({"table": "t", "url": "mysql+pymysql://u@h/d?local_infile=1"}, "parameter 'local_infile'"),
        ({"table": "t", "url": "mssql+pyodbc://u@h/d?driver=geheim"}, "parameter 'driver'"),
        ({"table": "t", "url": "sqlite://"}, "names no file"),
        ({"table": "t", "url": "duckdb:///d"}, "url is"),
        ({"table": "t", "headers": {"a": "b"}}, "headers has no meaning"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_fetched(
    source: MakeSource, settings: Any, message: str
) -> None:
    with pytest.raises(ValidationError, match=message) as error:
        source("sql", **{"url": "postgresql://u@h/d", **OBSERVED, **settings})
    told = [fault["msg"] for fault in error.value.errors(include_input=False)]
    assert not any("geheim" in text for text in told)


def test_no_fault_of_the_catalogue_quotes_a_password(tmp_path: Path) -> None:
    tenant = """
name: A
ags: "99000099"
bbox: [9.0, 50.0, 9.2, 50.2]
sources:
  s: {connector: sql, title: T, licence: CC0-1.0, url: "%s", table: t, record_type: station, fields: {station_id: a}}
"""
    for url in (
        "PostgreSQL://u:geheim@h/d",
        "postgresql:u:geheim@h/d",
        "postgresql://u:geheim@h/d",
        "u:geheim@h",
    ):
        (tmp_path / "a.yaml").write_text(tenant % url, encoding="utf-8")
        with pytest.raises(CatalogError) as error:
            load_catalog(tmp_path, SOURCE_MODELS)
        assert "geheim" not in str(error.value)


def test_a_source_never_logs_in_with_what_the_deployment_knows(
    database: Callable[[str], str],
    fetch: Callable[..., Any],
    postgres_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = urlsplit(postgres_url)
    (tmp_path / "pass").write_text(f"*:*:*:*:{parts.password}\n")
    (tmp_path / "pass").chmod(0o600)
    monkeypatch.setenv("PGPASSWORD", parts.password or "")
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pass"))
    database(READINGS)
    bare = urlunsplit(parts._replace(netloc=f"{parts.username}@{parts.hostname}:{parts.port}"))
    with pytest.raises(FetchError):
        fetch(bare, table="public.readings", password=None, **OBSERVED)


KINDS: dict[str, tuple[str, str, str]] = {
    "nr": ("text", "'1'", "1"),
    "day": ("date", "'0044-03-15 BC'", "0044-03-15 BC"),
    "open_day": ("date", "'infinity'", "infinity"),
    "instant": ("timestamptz", "'2026-03-29 03:30:00+02'", "2026-03-29 01:30:00+00"),
    "no_end": ("timestamptz", "'-infinity'", "-infinity"),
    "bare": ("timestamp(6)", "'2026-03-29 02:30:00.123456'", "2026-03-29 02:30:00.123456"),
    "clock": ("time", "'05:06:07'", "05:06:07"),
    "exact": ("numeric", "'NaN'", "NaN"),
    "endless": ("double precision", "'Infinity'", "Infinity"),
    "truth": ("boolean", "false", "f"),
    "numbers": ("int[]", "'{1,null,3}'", "{1,NULL,3}"),
    "words": ("text[]", """array['a,b', 'c"d', '']""", '{"a,b","c\\"d",""}'),
    "structure": ("jsonb", """'{"a": [1, null]}'""", '{"a": [1, null]}'),
    "raw": ("bytea", "'\\x00ff'", "\\x00ff"),
    "flat": ("geometry", "st_geomfromtext('POINT(7.6 51.9)', 4326)", "POINT (7.6 51.9)"),
    "high": (
        "geometry",
        "st_geomfromtext('POINT Z (405000 5757000 60)', 25832)",
        "POINT Z (405000 5757000 60)",
    ),
    "world": ("geography", "'LINESTRING(7 51, 8 52)'", "LINESTRING (7 51, 8 52)"),
    "empty_point": ("geometry", "st_geomfromtext('POINT EMPTY', 4326)", "POINT EMPTY"),
    "empty_area": ("geometry", "st_geomfromtext('MULTIPOLYGON EMPTY', 25832)", "MULTIPOLYGON EMPTY"),
    "arc": ("geometry", "st_curvetoline('CIRCULARSTRING(0 0, 1 1, 2 0)', 1)", "LINESTRING (0 0, 1 1, 2 0)"),
}
SHAPES = [name for name, (kind, _, _) in KINDS.items() if kind.startswith("geo")]


@pytest.fixture
def postgis(database: Callable[[str], str], postgres_url: str) -> Callable[[str], str]:
    """The same with PostGIS; where the server has none, the test is skipped, and says so."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        try:
            connection.execute("create extension postgis")
        except (psycopg.errors.FeatureNotSupported, psycopg.errors.UndefinedFile):
            pytest.skip("PostGIS is not installed; on Debian: apt-get install postgresql-postgis")
    made: Callable[[str], str] = database
    return made


def test_every_type_of_postgresql_and_postgis_lands_as_it_was_put_in(
    postgis: Callable[[str], str], fetch: Callable[..., Any], landed: Landed, records: ReadRecords
) -> None:
    columns = ", ".join(f"{name} {kind}" for name, (kind, _, _) in KINDS.items())
    values = ", ".join(given for _, given, _ in KINDS.values())
    made = f"create table kinds ({columns}); insert into kinds values ({values})"  # noqa: S608 - its own
    url = postgis(made)
    settings = {"record_type": "place", "constants": {"category": "other"}, "table": "kinds"}
    declared = fetch(url, **settings, fields={"place_id": "nr", "geometry": "high"}, rest="attributes")
    (row,) = csv.DictReader(StringIO(landed.payloads[0].body.decode()))
    shapes = {name: shapely.from_wkb(row.pop(name)) for name in SHAPES}
    assert row == {name: lands for name, (_, _, lands) in KINDS.items() if name not in SHAPES}
    assert {name: shape.wkt for name, shape in shapes.items()} == {name: KINDS[name][2] for name in SHAPES}
    systems = {name: shapely.get_srid(shape) for name, shape in shapes.items()}
    assert [systems[name] for name in ("flat", "high", "world", "empty_point")] == [4326, 25832, 4326, 4326]
    (place,) = records(declared, landed.payloads[0].body, "rows")["place"]
    assert (round(place["lon"], 2), round(place["lat"], 2)) == (7.62, 51.96)
    for name in ("empty_point", "empty_area"):
        declared = fetch(url, **settings, fields={"place_id": "nr", "geometry": name})
        (place,) = records(declared, landed.payloads[-2].body, "rows")["place"]
        assert "lon" not in place

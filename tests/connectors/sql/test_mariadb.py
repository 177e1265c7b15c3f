"""A real MariaDB through SQLAlchemy: every type lands as it was put in, instants in UTC, and nothing can be written."""

from __future__ import annotations

import getpass
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

import pymysql
import pytest
import shapely

from civitas_assets.catalog import Window
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.endpoint import find_free_port
from civitas_assets.errors import FetchError
from tests.connectors.conftest import OBSERVED, SECRET, Landed, MakeSource, ReadRecords

pytestmark = pytest.mark.integration

SECONDS = 30.0
DAY = Window(date(2026, 8, 1), date(2026, 8, 1))
ACCOUNTS = f"""
flush privileges;
create user civitas@'127.0.0.1' identified by '{SECRET}';
grant all on *.* to civitas@'127.0.0.1';
"""
# What is put in, and what lands of it.
VALUES: dict[str, tuple[str, str, str]] = {
    "whole": ("bigint unsigned", "18446744073709551615", "18446744073709551615"),
    "exact": ("decimal(30,12)", "123456789012345678.000000000010", "123456789012345678.000000000010"),
    "single": ("float", "0.1", "0.1"),
    "double_": ("double", "1e300", "1e+300"),
    "truth": ("tinyint(1)", "true", "1"),
    "one_bit": ("bit(1)", "b'1'", "1"),
    "bits": ("bit(12)", "b'100000000001'", "2049"),
    "year_": ("year", "2026", "2026"),
    "day": ("date", "'2026-03-29'", "2026-03-29"),
    "no_day": ("date", "'0000-00-00'", ""),
    "moment": ("datetime", "'2026-03-29 02:30:00'", "2026-03-29 02:30:00"),
    "fine": ("datetime(6)", "'2026-03-29 02:30:00.123456'", "2026-03-29 02:30:00.123456"),
    "no_moment": ("datetime(6)", "'0000-00-00'", ""),
    "instant": ("timestamp null", "'2026-03-29 03:30:00'", "2026-03-29 01:30:00+00:00"),
    "fine_instant": ("timestamp(3) null", "'2026-01-01 00:00:00.25'", "2025-12-31 22:00:00.250000+00:00"),
    "no_instant": ("timestamp null", "'0000-00-00'", ""),
    "clock": ("time", "'05:06:07'", "05:06:07"),
    "long_clock": ("time(1)", "'-838:59:58.5'", "-838:59:58.500000"),
    "letters": ("text", r"""'😀 ü\n"x",;'""", '😀 ü\n"x",;'),
    "old_letters": ("varchar(9) character set latin1", "'Straße €'", "Straße €"),
    "padded": ("char(9)", "'x'", "x"),
    "nothing": ("varchar(9)", "null", ""),
    "choice": ("enum('a','ü')", "'ü'", "ü"),
    "choices": ("set('x','y','z')", "'z,x'", "x,z"),
    "structure": ("json", """'{"a": "ü", "b": [1, null]}'""", '{"a": "ü", "b": [1, null]}'),
    "raw": ("blob", "x'00ff10'", "00ff10"),
    "uuid_": ("uuid", "'123e4567-e89b-12d3-a456-426655440000'", "123e4567-e89b-12d3-a456-426655440000"),
}
READINGS = """
create table readings (id bigint primary key, meter varchar(9), value double, read_at timestamp(6) null, at datetime);
insert into readings values
    (1, 'ü', 1.5, '2026-10-25 02:30:00', '2026-10-25 02:30:00'),
    (2, 'ü', 2.5, '2026-10-25 03:30:00.5', '2026-10-25 03:30:00'),
    (3, 'ü', null, '2026-10-26 00:00:00', '2026-10-26 00:00:00');
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Of a server whose clock is two hours ahead of UTC, with one account; without one installed, tests are skipped."""
    program = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/local/sbin:/usr/sbin")
    share = Path(program).resolve().parents[1] / "share" if program else Path()
    tables = next(share.glob("m*/*_system_tables.sql"), None)
    if program is None or tables is None:
        pytest.skip("MariaDB is not installed; on Debian: apt-get install mariadb-server-core")
    place = Path(tempfile.mkdtemp(prefix="civitas-mariadb-"))  # short, for the socket
    (place / "data" / "mysql").mkdir(parents=True)
    command = [program, "--no-defaults", f"--datadir={place}/data", f"--tmpdir={place}"]
    command += [f"--user={getpass.getuser()}", "--innodb-use-native-aio=0", "--innodb-log-file-size=4M"]
    command += ["--innodb-buffer-pool-size=8M", "--aria-pagecache-buffer-size=8M"]
    try:
        script = f"use mysql;\n{tables.read_text(encoding='utf-8')}\n{ACCOUNTS}"
        made = subprocess.run(
            [*command, "--bootstrap"], input=script.encode(), capture_output=True, check=False, timeout=60
        )
        assert made.returncode == 0, made.stderr.decode(errors="replace")[-2000:]
        number = find_free_port()
        command += [f"--port={number}", "--bind-address=127.0.0.1", f"--socket={place}/s"]
        command += [f"--pid-file={place}/pid", "--skip-name-resolve", "--default-time-zone=+02:00"]
        with (place / "log").open("wb") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            await_server(number, server, place / "log")
            yield number
        finally:
            server.terminate()
            server.wait(SECONDS)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def connected(port: int) -> Any:
    return pymysql.connect(
        host="127.0.0.1", port=port, user="civitas", password=SECRET.encode(), autocommit=True
    )


def await_server(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + SECONDS
    while True:
        try:
            connected(port).close()
        except pymysql.err.OperationalError:
            if server.poll() is not None or time.monotonic() > until:
                raise AssertionError(log.read_text(encoding="utf-8", errors="replace")[-3000:]) from None
            Event().wait(0.05)
        else:
            return


@pytest.fixture
def ask(port: int) -> Iterator[Callable[[str], Any]]:
    """Executes statements in an empty database, as its owner."""
    connection = connected(port)
    with connection, connection.cursor() as cursor:
        cursor.execute("create or replace database town character set utf8mb4")
        cursor.execute("use town")
        cursor.execute("set sql_mode = ''")

        def run(statements: str) -> Any:
            for statement in filter(str.strip, statements.split(";\n")):
                cursor.execute(statement)
            return cursor.fetchall()

        yield run


@pytest.fixture
def fetch(port: int, source: MakeSource, landed: Landed) -> Callable[..., Any]:
    """Fetches from the database; the source."""

    def run(scheme: str = "mysql+pymysql", **settings: Any) -> Any:
        url = f"{scheme}://civitas@127.0.0.1:{port}/town"
        declared = source("sql", **{"url": url, "password": {"secret": "DB_PASSWORD"}, **settings})
        CONNECTORS["sql"].fetch(declared, DAY, ZoneInfo("Europe/Berlin"), landed)  # type: ignore[arg-type]
        return declared

    return run


@pytest.mark.parametrize("scheme", ["mysql+pymysql", "mariadb+pymysql"])
def test_every_type_lands_as_it_was_put_in(
    ask: Callable[[str], Any], fetch: Callable[..., Any], landed: Landed, scheme: str
) -> None:
    columns = ", ".join(f"{name} {kind}" for name, (kind, _, _) in VALUES.items())
    ask(f"create table kinds ({columns}) default character set utf8mb4")
    ask("insert into kinds values (" + ", ".join(given for _, given, _ in VALUES.values()) + ")")  # noqa: S608 - its own
    settings = {"record_type": "place", "fields": {"place_id": "whole"}, "constants": {"category": "other"}}
    fetch(scheme, **settings, table="kinds", rest="attributes")
    assert landed.rows() == [{name: lands for name, (_, _, lands) in VALUES.items()}]


def test_geometries_keep_their_axes_and_name_their_system(
    ask: Callable[[str], Any], fetch: Callable[..., Any], landed: Landed, records: ReadRecords
) -> None:
    """MariaDB knows no order of axes: what was written first is x, also in EPSG:4326."""
    ask("create table spots (nr int primary key, form geometry)")
    ask(
        "insert into spots values (1, ST_GeomFromText('POINT(7.6 51.9)', 4326)), "
        "(2, ST_GeomFromText('LINESTRING(405000 5757000, 405010 5757000)', 25832)), (3, null), "
        "(4, ST_GeomFromText('GEOMETRYCOLLECTION EMPTY'))"
    )
    fields = {"place_id": "nr", "geometry": "form"}
    declared = fetch(record_type="place", fields=fields, table="spots", constants={"category": "other"})
    forms = [row["form"] and shapely.from_wkb(row["form"]) for row in landed.rows()]
    assert [shapely.get_srid(form) for form in forms[:2]] == [4326, 25832]
    assert [str(form) for form in forms] == [
        "POINT (7.6 51.9)",
        "LINESTRING (405000 5757000, 405010 5757000)",
        "",
        "GEOMETRYCOLLECTION EMPTY",
    ]
    found = records(declared, landed.payloads[0].body, "rows")["place"]
    assert [(round(row["lon"], 2), round(row["lat"], 2)) for row in found[:2]] == [(7.6, 51.9), (7.62, 51.96)]
    assert not any("lon" in row for row in found[2:])


def test_instants_are_told_apart_by_the_clock_of_nobody(
    ask: Callable[[str], Any], fetch: Callable[..., Any], landed: Landed, records: ReadRecords
) -> None:
    """A server in Berlin would show the same time twice in the night that summer time ends."""
    ask(READINGS)
    declared = fetch(table="readings", **OBSERVED)
    found = records(declared, landed.payloads[0].body, "rows")["observation"]
    assert [(row["phenomenon_start"], row.get("value")) for row in found] == [
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), 1.5),
        (datetime(2026, 10, 25, 1, 30, 0, 500_000, tzinfo=UTC), 2.5),
        (datetime(2026, 10, 25, 22, tzinfo=UTC), None),
    ]


@pytest.mark.parametrize(("cursor", "overlap"), [("id", 0), ("read_at", "1 s"), ("at", "1 s")])
def test_a_cursor_fetches_what_is_new_part_by_part(
    ask: Callable[[str], Any], fetch: Callable[..., Any], landed: Landed, cursor: str, overlap: Any
) -> None:
    ask(READINGS)
    settings = {"table": "readings", "cursor": cursor, "overlap": overlap, "fetch_size": 2, **OBSERVED}
    fetch(**settings)
    assert [payload.body.count(b"\n") - 1 for payload in landed.payloads] == [2, 1]
    ask("insert into readings values (4, 'neu', 4, '2026-10-26 00:00:00.000001', '2026-10-26 00:00:01')")
    fetch(**settings)
    assert [row["value"] for row in landed.rows()] == ["1.5", "2.5", "", "", "4"]


@pytest.mark.parametrize("nothing", ["null", "'0000-00-00'"])
def test_rows_that_a_cursor_would_never_reach_are_told(
    ask: Callable[[str], Any], fetch: Callable[..., Any], nothing: str
) -> None:
    ask(READINGS)
    fetch(table="readings", cursor="at", **OBSERVED)
    ask("insert into readings values (5, 'x', 1, now(), " + nothing + ")")  # noqa: S608 - its own
    with pytest.raises(FetchError, match="has rows without at"):
        fetch(table="readings", cursor="at", **OBSERVED)


def test_a_selection_may_hold_what_the_server_reads(
    ask: Callable[[str], Any], fetch: Callable[..., Any], landed: Landed
) -> None:
    ask(READINGS)
    select = r"""
        select meter, value % 1 as value, read_at /* all; of them */ from readings  # it's all; of them
        where meter like '%ü%' and meter <> ':x' and meter <> 'it\'s; not' and id < 2 -- the first"""
    fetch(select=select, **OBSERVED)
    assert [[*row.values()] for row in landed.rows()] == [["ü", "0.5", "2026-10-25 00:30:00+00:00"]]


def test_nothing_can_be_written_and_what_goes_wrong_is_told_in_the_servers_words(
    ask: Callable[[str], Any], fetch: Callable[..., Any], landed: Landed
) -> None:
    ask(READINGS)
    ask("create function emptied() returns int modifies sql data begin delete from readings; return 1; end")
    doing = "select '{}' as meter, now() as read_at, {} as value"
    for settings, message in (
        ({"select": doing.format("", "emptied()")}, "READ ONLY transaction"),
        ({"select": doing.format("", "sleep(20)"), "http": {"total_time": "1 s"}}, "max_statement_time"),
        ({"table": "nowhere"}, r"/town/?.*: Table 'town\.nowhere' doesn't exist \(1146\)$"),
        ({"select": f"{doing.format('', 1)}, 2 as value"}, r"Duplicate column name 'value' \(1060\)$"),
        ({"table": "readings", "password": None}, r"Access denied for user 'civitas'.* \(1045\)$"),
    ):
        with pytest.raises(FetchError, match=message) as error:
            fetch(**{**OBSERVED, **settings})
        assert SECRET not in str(error.value)
    assert ask("select count(*) from readings") == ((3,),)
    assert landed.payloads == []

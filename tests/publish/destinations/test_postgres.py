"""What PostgreSQL adds: readers of one moment, keys and indexes, months, comments, geometry, waiting for locks."""

from __future__ import annotations

import logging
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import adbc_driver_postgresql
import adbc_driver_postgresql.dbapi as adbc
import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from pydantic import SecretStr

from civitas_assets.errors import PublishError
from civitas_assets.harmonise.project import Project
from civitas_assets.publish.postgres.postgres_server import Server
from civitas_assets.settings import Settings
from tests.publish.destinations.conftest import MakeRow, Town

D1, D2 = date(2026, 7, 31), date(2026, 8, 1)


@pytest.fixture
def town(postgres_town: Town, site: MakeRow, status: MakeRow) -> Town:
    """A town with two days of two months."""
    postgres_town.publish(
        [D1, D2],
        rebuild=True,
        site=[site("a")],
        status=[status("a", D1, 1), status("a", D2, 3)],
        daily=[{"site_key": "a", "day": D1, "visits": 1}],
    )
    return postgres_town


def one(connection: psycopg.Connection, query: str) -> Any:
    return [row[0] if len(row) == 1 else row for row in connection.execute(query.encode()).fetchall()]


def test_a_reader_keeps_what_it_began_with_and_nobody_waits(
    town: Town, database: psycopg.Connection, postgres_url: str, site: MakeRow, status: MakeRow
) -> None:
    with psycopg.connect(postgres_url) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        both = "select (select sum(free) from town.status), (select string_agg(site_key, ',') from town.site)"
        assert one(reader, both) == [(4, "a")]
        # The open transaction holds its locks; publishing and even a rebuild do not ask for them.
        town.publish([D2], site=[site("b")], status=[status("b", D2, 5)])
        assert one(reader, both) == [(4, "a")]
        town.publish([D1, D2], rebuild=True, site=[site("c")], status=[status("c", D1, 7)])
        assert one(reader, both) == [(4, "a")]
        reader.rollback()
        assert one(reader, both) == [(7, "c")]
    assert town.pauses == []


def test_views_of_analysts_live_on_through_a_rebuild(
    town: Town, database: psycopg.Connection, site: MakeRow, status: MakeRow
) -> None:
    database.execute("create schema desk; create view desk.free as select free from town.status")
    town.publish([D1], rebuild=True, status=[status("c", D1, 8)])
    assert one(database, "select * from desk.free") == [8]


def test_a_new_month_is_attached_while_a_query_runs(town: Town, postgres_url: str, status: MakeRow) -> None:
    with psycopg.connect(postgres_url) as reader:
        assert one(reader, "select count(*) from town.status") == [2]
        town.publish([date(2026, 9, 1)], status=[status("a", "2026-09-01", 1)])
    assert town.pauses == []


def test_facts_are_kept_by_month_and_what_is_old_together(
    town: Town, database: psycopg.Connection, status: MakeRow
) -> None:
    days = [date(1987, 3, 1), date(2014, 12, 31), date(2026, 12, 31), date(2027, 1, 1)]
    town.publish(days, status=[status("a", day, 1) for day in days])
    parts = one(database, "select inhrelid::regclass::text from pg_inherits join pg_class on oid = inhparent"
                          " where relname = '_status' order by 1")  # fmt: skip
    assert parts == [
        f"town._status_{part}" for part in ("before_2015", "y2026m07", "y2026m08", "y2026m12", "y2027m01")
    ]
    assert one(database, "select count(*) from town._status_before_2015") == [2]
    assert one(
        database, "select count(*) from pg_inherits join pg_class on oid = inhparent where relname = 'daily'"
    ) == [0]


def test_keys_and_indexes_are_those_that_queries_use(town: Town, database: psycopg.Connection) -> None:
    found = one(
        database,
        "select indexdef from pg_indexes where schemaname = 'town' and tablename !~ '_y2026' order by 1",
    )
    listed = " ".join(sorted(found))
    assert "INDEX _status_pkey ON ONLY town._status USING btree (_label, observed_at, day)" in listed
    assert "ON ONLY town._status USING brin (day) WITH" in listed
    assert "_status_label_pkey ON town._status_label USING btree (id)" in listed
    assert (
        "UNIQUE INDEX daily_site_key_rule_day_key ON town.daily USING btree (site_key, rule, day)" in listed
    )
    assert "site_pkey ON town.site USING btree (site_key)" in listed
    plan = " ".join(one(database, "explain select * from town.status where day = '2026-08-01'"))
    assert "_status_y2026m08" in plan
    assert "_status_y2026m07" not in plan
    # What a query does not ask for is not looked up.
    assert "_status_label" not in " ".join(one(database, "explain select avg(free) from town.status"))


def test_a_month_that_came_later_is_like_the_others(
    town: Town, database: psycopg.Connection, status: MakeRow
) -> None:
    day = date(2026, 11, 3)
    town.publish([day], status=[status(key, day, 1) for key in "abc"])
    # A partition is filled before it joins the others: what they have, it has to be given then.
    made = """select count(*), count(*) filter (where indisunique),
        (select min(contype::text) filter (where contype <> 'n') from pg_constraint c where c.conrelid = i.indrelid),
        (select n_distinct from pg_stats s where schemaname = 'town' and attname = 'day'
            and tablename = relname) is not null
        from pg_index i join pg_class c on c.oid = indrelid
        where relnamespace = 'town'::regnamespace and relname ~ '^_status_y' group by indrelid, relname"""
    of_months = one(database, made)
    assert len(of_months) == 3
    assert {*of_months} == {(2, 1, "p", True)}
    assert one(database, "select count(*) from town.status where day = '2026-11-03'") == [3]


def test_tables_and_columns_say_what_they_are(town: Town, database: psycopg.Connection) -> None:
    bare = """select c.relname, a.attname from pg_class c join pg_namespace n on n.oid = relnamespace
        join pg_attribute a on a.attrelid = c.oid and attnum > 0
        where nspname = 'town' and relname in ('site', 'status', 'daily')
        and (obj_description(c.oid) is null or col_description(c.oid, attnum) is null)"""
    assert one(database, bare) == []
    assert one(database, "select obj_description('town.status'::regclass)") == [
        "One row per thing and time. It's status."
    ]


def test_geometry_is_worked_out_where_postgis_is(
    postgres_town: Town, database: psycopg.Connection, site: MakeRow, changed: Callable[..., Project]
) -> None:
    if not one(database, "select 1 from pg_available_extensions where name = 'postgis'"):
        pytest.skip("PostGIS is not installed")
    line = bytes.fromhex("01020000000200000000000000000000000000000000000000000000000000f03f000000000000f03f")
    rows = [site("a", geometry_wkb=line), site("b")]
    postgres_town.publish(rebuild=True, site=rows)
    columns = "select column_name from information_schema.columns where table_schema = 'town' and table_name = 'site'"
    assert "geom" not in one(database, columns)
    database.execute("create schema gis; create extension postgis schema gis")
    postgres_town.publish(site=rows)
    assert "geom" not in one(database, columns), "the writer may not use PostGIS, and does without"
    database.execute("grant usage on schema gis to public")
    postgres_town.publish(site=rows)
    shape = "select gis.st_astext(geom), gis.st_srid(geom) from town.site order by site_key"
    assert one(database, shape) == [("LINESTRING(0 0,1 1)", 4326), (None, None)]
    assert "USING gist (geom)" in " ".join(
        one(database, "select indexdef from pg_indexes where tablename = 'site'")
    )
    points = {"site_key": "varchar!", "lon": "double", "lat": "double"}
    postgres_town.project = changed(site=points)
    postgres_town.publish(site=[{"site_key": "a", "lon": 9.5, "lat": 50.5}])
    assert one(database, shape) == [("POINT(9.5 50.5)", 4326)]
    assert postgres_town.ask("select * from site") == [("a", 9.5, 50.5)]


def test_a_lock_is_waited_for_briefly_and_asked_for_again(
    town: Town,
    postgres_url: str,
    status: MakeRow,
    changed: Callable[..., Project],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CIVITAS_POSTGRES_LOCK_TIMEOUT", "0.05")
    columns = {name: column for name, column in town.project.models["status"].types.items() if name != "note"}
    columns |= {"site_key": "varchar!", "observed_at": "timestamptz!", "day": "date!"}
    town.settings = Settings(**{**town.settings.model_dump(), "postgres_lock_timeout": 0.05})
    town.project = changed(status=columns)
    with psycopg.connect(postgres_url) as analyst:
        assert one(analyst, "select count(*) from town.status") == [2]
        with pytest.raises(PublishError, match="lock timeout"):
            town.publish([D2], status=[status("a", D2, 9)])
        assert town.pauses == [1.0, 5.0, 15.0]
        # Whoever reads meanwhile is not in its way for longer than that, and sees the old state.
        with psycopg.connect(postgres_url) as other:
            assert one(other, "select free, note from town.status order by 1") == [(1, None), (3, None)]
    town.publish([D2], status=[status("a", D2, 9)])
    assert town.ask("select free from status order by 1") == [(1,), (9,)]


def test_what_breaks_off_is_tried_again_and_nothing_is_half_done(
    town: Town, database: psycopg.Connection, status: MakeRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest, killed = adbc.Cursor.adbc_ingest, []

    def kill_once(self: Any, table: str, *arguments: Any, **more: Any) -> int:
        if table == "_status" and not killed:
            killed.append(one(database, "select pg_terminate_backend(pid) from pg_stat_activity"
                                        " where application_name = 'civitas_assets'"))  # fmt: skip
        return ingest(self, table, *arguments, **more)

    monkeypatch.setattr(adbc.Cursor, "adbc_ingest", kill_once)
    town.publish([D2], status=[status("a", D2, 9)])
    assert killed == [[True]]
    assert town.pauses == [1.0]
    assert town.ask("select free from status order by 1") == [(1,), (9,)]


def test_a_server_that_stays_away_is_asked_several_times(town: Town, status: MakeRow) -> None:
    town.settings = elsewhere(town, "postgresql://u:geheim@127.0.0.1:1/d")
    with pytest.raises(PublishError, match=r"Connection refused") as caught:
        town.publish([D2])
    assert town.pauses == [1.0, 5.0, 15.0]
    assert "geheim" not in everything_said(caught.value)


def elsewhere(town: Town, url: str) -> Settings:
    return Settings(**{**town.settings.model_dump(), "postgres_url": SecretStr(url)})


def everything_said(error: BaseException) -> str:
    return "\n".join(traceback.format_exception(error))


def test_a_server_that_is_away_for_two_seconds_is_published_to(
    town: Town, postgres_url: str, status: MakeRow
) -> None:
    """Nobody listens at the port until the first pauses are over."""
    parts = urlsplit(postgres_url)
    with socket.socket() as listener, ExitStack() as forwarding:
        listener.bind(("127.0.0.1", 0))  # bound and silent: connections are refused
        where = f"127.0.0.1:{listener.getsockname()[1]}"
        credentials = parts.netloc.rpartition("@")[0]

        def come_back() -> None:
            if len(town.pauses) == 2:
                forwarding.enter_context(forwarded(listener, (str(parts.hostname), parts.port or 5432)))

        town.meanwhile = come_back
        town.settings = elsewhere(town, urlunsplit(parts._replace(netloc=f"{credentials}@{where}")))
        town.publish([D2], status=[status("a", D2, 9)])
    assert town.pauses == [1.0, 5.0]
    town.settings = elsewhere(town, postgres_url)
    assert town.ask("select free from status order by 1") == [(1,), (9,)]


@contextmanager
def forwarded(listener: socket.socket, target: tuple[str, int]) -> Iterator[None]:
    """Whoever connects is led to the target, until the end."""

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while part := source.recv(1 << 16):
                sink.sendall(part)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def accept() -> None:
        with suppress(OSError), ExitStack() as open_:
            while True:
                client = open_.enter_context(listener.accept()[0])
                server = open_.enter_context(socket.create_connection(target))
                for pair in ((client, server), (server, client)):
                    threads.append(threading.Thread(target=pump, args=pair, daemon=True))
                    threads[-1].start()

    listener.listen()
    threads = [threading.Thread(target=accept, daemon=True)]
    threads[0].start()
    yield
    listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("kind", ["connect", "open_loader"])
def test_a_connection_that_is_free_only_later_is_waited_for_and_a_wrong_password_is_not(
    database: psycopg.Connection, postgres_url: str, kind: str
) -> None:
    """The account has as many connections as it may have until the first pause is over."""
    role, pauses, parts = f"civitas_reader_busy_{kind}", list[float](), urlsplit(postgres_url)
    database.execute(f"create role {role} login password 'geheim' connection limit 0")

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        database.execute(f"alter role {role} connection limit 1")

    def server(password: str) -> Server:
        url = urlunsplit(parts._replace(netloc=f"{role}:{password}@{parts.hostname}:{parts.port}"))
        return replace(Server.from_settings(Settings(postgres_url=SecretStr(url))), pause=pause)

    with (
        pytest.raises(PublishError, match=r"cannot connect: .*too many connections"),
        connection_of(server("geheim"), kind, at_once=True),
    ):
        pass
    with connection_of(server("geheim"), kind):
        assert pauses == [1.0]
    with (
        pytest.raises(PublishError, match="password authentication failed"),
        connection_of(server("x"), kind),
    ):
        pass
    assert pauses == [1.0]
    database.execute(f"drop role {role}")


def test_what_the_driver_reads_of_all_tables_it_reads_once_and_not_for_each_connection(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, begin = list[str](), adbc_driver_postgresql.connect

    def noted(conninfo: str) -> Any:
        begun.append(conninfo)
        return begin(conninfo)

    monkeypatch.setattr(adbc_driver_postgresql, "connect", noted)
    server = Server.from_settings(Settings(postgres_url=SecretStr(postgres_url)))
    for number in range(3):
        with server.open_loader() as connection, connection.cursor() as cursor:
            cursor.execute(f"select {number}")
            assert cursor.fetchall() == [(number,)]
    assert len(begun) == 1


def connection_of(server: Server, kind: str, **more: bool) -> Any:
    return getattr(server, kind)(**more)


def test_the_server_may_be_named_in_a_service_file(
    town: Town, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: MakeRow
) -> None:
    parts = urlsplit(postgres_url)
    (tmp_path / "services").write_text(
        f"[civitas]\nhost={parts.hostname}\nport={parts.port}\ndbname={parts.path[1:]}\nuser={parts.username}\n"
    )
    (tmp_path / "pass").write_text(f"*:*:*:*:{parts.password}\n")
    (tmp_path / "pass").chmod(0o600)
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pass"))
    town.settings = Settings(**{**town.settings.model_dump(), "postgres_url": SecretStr("service=civitas")})
    town.publish([D2], status=[status("a", D2, 9)])
    assert town.ask("select free from status order by 1") == [(1,), (9,)]
    assert town.destination.address == "service=civitas, schema town"


@pytest.mark.parametrize("url", ["postgres:/u:geheim@h/x", "geheim", "host=h geheim"])
def test_a_setting_that_cannot_be_understood_is_not_repeated(url: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, postgres_url=SecretStr(url))
    assert "geheim" not in repr(settings)
    with pytest.raises(PublishError, match="CIVITAS_POSTGRES_URL is neither") as caught:
        Server.from_settings(settings)
    assert "geheim" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_no_message_holds_the_password(
    town: Town, postgres_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    password = urlsplit(postgres_url).password or "?"
    monkeypatch.setattr(
        adbc.Cursor, "adbc_ingest", lambda self, *_, **__: self.execute(f"select x{password}")
    )
    with pytest.raises(PublishError) as caught:
        town.publish([D2])
    assert "***" in str(caught.value)
    assert password not in str(caught.value) + caplog.text + repr(town.destination._server)  # type: ignore[attr-defined]


def test_first_nights_of_many_tenants_do_not_race(
    postgres_town: Town, site: MakeRow, status: MakeRow
) -> None:
    towns = [postgres_town.neighbour(f"town_{number}") for number in range(6)]
    failures: list[BaseException] = []

    def first_night(town: Town) -> None:
        try:
            town.publish([D1], rebuild=True, site=[site(town.slug)], status=[status(town.slug, D1, 1)])
        except PublishError as error:
            failures.append(error)

    threads = [threading.Thread(target=first_night, args=(town,)) for town in towns]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [town.ask("select site_key from status") for town in towns] == [[(town.slug,)] for town in towns]


@pytest.fixture
def another_schema(database: psycopg.Connection) -> str:
    """A schema that somebody else has made under the town's name."""
    database.execute(SQL("create schema {}").format(Identifier("town")))
    return "town"


def test_a_schema_of_somebody_else_is_left_alone(
    another_schema: str, postgres_town: Town, database: psycopg.Connection
) -> None:
    database.execute("create table town.treasure (x int)")
    with pytest.raises(PublishError, match="schema town belongs to civitas"):
        postgres_town.publish(rebuild=True)
    assert one(database, "select count(*) from town.treasure") == [0]


def test_days_that_are_not_asked_for_are_not_fetched(town: Town) -> None:
    from civitas_assets.publish.reading import open_published  # noqa: PLC0415

    with open_published(town.settings, "town", D2, D2 + timedelta(days=1)) as tables:
        assert tables.query_first("select free from status", 9)[2] == [(3,)]
        assert [*tables.list_columns()] == ["daily", "site", "status"]
        (batch,) = tables.stream("select s.free, t.name from status s join site t using (site_key)", [], 5)
        assert batch.to_pylist() == [{"free": 3, "name": "Site a"}]

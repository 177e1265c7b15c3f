"""Large tables in PostgreSQL are kept with numbers instead of texts, and nobody who reads sees a difference."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from typing import Any
from unittest.mock import patch

import duckdb
import psycopg
import pytest

from civitas_assets.catalog.share import Withheld
from civitas_assets.dictionary.contracts import Contract, ModelColumn, read_contracts
from civitas_assets.harmonise.project import Project
from civitas_assets.publish.commons import Member
from civitas_assets.publish.postgres import postgres_changes, postgres_following, postgres_session
from civitas_assets.publish.postgres.commons_postgres import PostgresCommons
from civitas_assets.publish.postgres.postgres_changes import Changes
from civitas_assets.publish.postgres.postgres_names import Names
from civitas_assets.publish.postgres.postgres_narrow import (
    Dimension,
    Narrow,
    choose_dimensions,
    make_narrow_layout,
)
from civitas_assets.publish.postgres.postgres_server import Server
from civitas_assets.publish.postgres.postgres_tables import Platform, TableLayout
from civitas_assets.publish.reading import open_published
from tests.publish.destinations.conftest import MakeRow, Town

D1, D2, D3 = date(2026, 7, 31), date(2026, 8, 1), date(2026, 8, 2)
STATUS = {
    "site_key": "varchar!", "observed_at": "timestamptz!", "day": "date!", "free": "integer", "share": "double",
    "is_open": "boolean", "note": "varchar",
}  # fmt: skip
ALL = "select * from town.status order by site_key, observed_at"


def one(connection: psycopg.Connection, query: str) -> Any:
    return [row[0] if len(row) == 1 else row for row in connection.execute(query.encode()).fetchall()]


@contextmanager
def as_before() -> Iterator[None]:
    """Publish as versions did that knew the wide form alone."""
    with ExitStack() as stack:
        for module in (postgres_following, postgres_changes, postgres_session):
            stack.enter_context(patch.object(module, "make_narrow_layout", lambda layout: layout))
        yield


@pytest.fixture
def wide(postgres_town: Town, site: MakeRow, status: MakeRow) -> Any:
    """A town with two days of two months, published before tables became narrow."""
    with as_before():
        postgres_town.publish(
            [D1, D2],
            rebuild=True,
            site=[site("a")],
            status=[
                status("a", D1, 1, note="", is_open=True),
                status("b", D1, 2),
                status("a", D2, 3, note="it's, 'NULL'"),
            ],
        )
    return postgres_town


def is_view(database: psycopg.Connection, name: str = "status") -> bool:
    kind = "select relkind::text from pg_class where oid = to_regclass(%s)"
    return database.execute(kind, [f"town.{name}"]).fetchone() == ("v",)


def seen(database: psycopg.Connection) -> Any:
    """What readers find about the model: columns, types, comments, rights."""
    columns = """select column_name, data_type, col_description('town.status'::regclass, ordinal_position::int)
        from information_schema.columns where table_schema = 'town' and table_name = 'status'
        order by ordinal_position"""
    rights = """select grantee::text, column_name::text, privilege_type, is_grantable
        from information_schema.column_privileges
        where table_schema = 'town' and table_name = 'status' and privilege_type = 'SELECT' and grantee !~ 'writer'
        order by 1, 2"""
    return (
        one(database, columns),
        one(database, "select obj_description('town.status'::regclass)"),
        one(database, rights),
    )


def contract(**columns: str) -> Contract:
    return Contract(
        "m", "1.0.0", "", "", "none", "", "replace_days", ("key", "at"),
        {name: ModelColumn(kind.rstrip("~"), "", free_text=kind.endswith("~")) for name, kind in columns.items()},
    )  # fmt: skip


def test_what_many_rows_have_in_common_is_numbered_and_what_is_measured_is_not() -> None:
    made = contract(
        key="varchar", at="timestamptz", day="date", value="double", count="integer", thing_version="integer",
        is_open="boolean", code="varchar", value_text="varchar~", run_id="varchar",
    )  # fmt: skip
    assert choose_dimensions(made) == (
        Dimension("label", ("key", "thing_version", "is_open", "code")), Dimension("run", ("run_id",)),
    )  # fmt: skip
    layout = make_narrow_layout(TableLayout(Names("town"), made, Platform(150_000, None)))
    assert [*layout.columns] == [
        "at", "value", "day", "count", "_label", "_run", "value_text",
    ], "by width, so that nothing is lost to alignment"  # fmt: skip
    assert [*layout.key] == ["_label", "at"]


def test_small_tables_and_those_with_a_position_stay_as_they_are() -> None:
    platform = Platform(150_000, None)
    columns = {"key": "varchar", "at": "timestamptz", "day": "date", "lon": "double", "lat": "double"}
    with_position = TableLayout(Names("town"), contract(**columns), platform)
    assert make_narrow_layout(with_position) is with_position
    by_day = TableLayout(Names("town"), contract(key="varchar", at="date", day="date"), platform)
    assert make_narrow_layout(by_day) is by_day


def test_a_row_takes_less_than_half_of_what_it_took(
    postgres_town: Town, changed: Callable[..., Project], database: psycopg.Connection
) -> None:
    columns = STATUS | {f"text_{number}": "varchar" for number in range(8)}
    postgres_town.project = changed(status=columns)
    rows = 20_000

    def publish() -> float:
        workspace = postgres_town.workspace([D2], {}, rebuild=True)
        with duckdb.connect(str(workspace.database)) as connection:
            texts = ", ".join(f"'what is said of {number}: ' || n % 50" for number in range(8))
            connection.execute(
                "insert into shared.status"  # noqa: S608
                " select 'site ' || n % 50, timestamptz '2026-08-01 00:00:00+00' + n * interval '1 second',"
                f" date '2026-08-01', n, n / 7, true, 'open', {texts} from range({rows}) t(n)"
            )
        publication = postgres_town.destination.publish(postgres_town.project, workspace, "run")
        assert publication.rows["status"] == rows
        ((size,),) = database.execute(
            "select sum(pg_total_relation_size(oid))::bigint from pg_class where relkind = 'r'"
            " and relnamespace = 'town'::regnamespace and relname ~ '^_?status'"
        ).fetchall()
        return int(size) / rows

    with as_before():
        before = publish()
    database.execute("drop schema town cascade")
    after = publish()
    assert after < 130
    assert after < before * 0.4


def test_tables_that_were_wide_become_narrow_with_the_next_publication(
    wide: Any, database: psycopg.Connection, status: MakeRow
) -> None:
    database.execute(
        "grant select on town.status to pg_monitor with grant option; grant select (free) on town.status to public"
    )
    before, rows = seen(database), one(database, ALL)
    sizes = wide.destination.publish(
        wide.project, wide.workspace([D3], {"status": [status("c", D3, 5)]}), "r"
    )
    assert is_view(database)
    assert seen(database) == before
    assert one(database, ALL)[:3] == rows
    assert wide.ask("select free from status order by day, free") == [(1,), (2,), (3,), (5,)]
    assert sizes.rows["status"] == 1
    assert one(database, "select count(*) from town._status_label") == [4]
    wide.publish([D1], status=[status("a", D1, 7)])
    assert wide.ask("select free from status order by day, free") == [(7,), (3,), (5,)]
    assert not wide.destination.plan_migration(wide.project)


def test_rights_that_were_taken_are_not_given_again(wide: Any, database: psycopg.Connection) -> None:
    database.execute("revoke all on town.status from civitas_reader_town")
    wide.publish([D3])
    assert is_view(database)
    assert one(database, "select has_table_privilege('civitas_reader_town', 'town.status', 'select')") == [
        False
    ]


def test_a_table_on_which_others_have_built_stays_until_they_have_not(
    wide: Any, database: psycopg.Connection, status: MakeRow, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    database.execute("create schema desk; create view desk.free as select free from town.status")
    wide.publish([D3], status=[status("c", D3, 5)])
    assert not is_view(database)
    assert "status stays as large as it is, since view desk.free uses it" in caplog.text
    assert one(database, "select sum(free) from desk.free") == [11]
    # A rebuild collects narrow rows, whatever the table is like.
    wide.collect({D1: "v1"}, status=[status("x", D1, 10, note="n")])
    wide.publish([D2], rebuild=True, status=[status("x", D2, 20)])
    assert one(database, "select free, note from town.status order by 1") == [(10, "n"), (20, None)]
    assert one(database, "select sum(free) from desk.free") == [30]
    database.execute("drop view desk.free")
    wide.publish([D3], status=[status("c", D3, 5)])
    assert is_view(database)
    assert wide.ask("select sum(free) from status") == [(35,)]


def test_a_table_that_is_read_stays_wide_and_the_night_goes_on(
    wide: Any,
    database: psycopg.Connection,
    postgres_url: str,
    status: MakeRow,
    caplog: pytest.LogCaptureFixture,
) -> None:
    wide.settings = type(wide.settings)(**{**wide.settings.model_dump(), "postgres_lock_timeout": 0.05})
    with psycopg.connect(postgres_url) as analyst:
        assert one(analyst, "select count(*) from town.status") == [3]
        publication = wide.publish([D3], status=[status("c", D3, 5)])
        assert publication.rows["status"] == 1
    assert "status is tried again with the next publication" in caplog.text
    assert wide.pauses == [1.0, 5.0, 15.0]
    assert not is_view(database)
    assert wide.ask("select sum(free) from status") == [(11,)]
    # Whoever reads several tables as of one moment has looked into _publication first, and keeps all of them.
    with open_published(wide.settings, "town") as tables:
        assert tables.list_models()
        wide.publish([D3], status=[status("c", D3, 6)])
        assert tables.query_first("select sum(free) from status", 9)[2] == [(11,)]
    assert not is_view(database)
    wide.publish([D3], status=[status("c", D3, 7)])
    assert is_view(database)
    assert wide.ask("select sum(free) from status") == [(13,)]


def test_what_breaks_off_on_the_way_can_be_done_again(
    wide: Any, database: psycopg.Connection, status: MakeRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, killed = Changes.lock, list[Any]()

    def kill_once(self: Changes, *arguments: Any) -> None:
        if not killed:
            killed.append(one(database, "select pg_terminate_backend(pid) from pg_stat_activity"
                                        " where application_name = 'civitas_assets'"))  # fmt: skip
        lock(self, *arguments)

    monkeypatch.setattr(Changes, "lock", kill_once)
    wide.publish([D3], status=[status("c", D3, 5)])
    assert killed == [[True]]
    assert wide.pauses == [1.0]
    assert is_view(database)
    assert wide.ask("select sum(free) from status") == [(11,)]


def test_whoever_reads_meanwhile_sees_everything_at_any_time(
    wide: Any, postgres_url: str, database: psycopg.Connection, status: MakeRow
) -> None:
    done, counts, failures = threading.Event(), set[int](), list[BaseException]()

    def read() -> None:
        try:
            with psycopg.connect(postgres_url, autocommit=True) as analyst:
                while not done.is_set():
                    counts.update(one(analyst, "select count(*) from town.status"))
        except BaseException as error:  # noqa: BLE001 - told to the test
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(5):
        wide.publish([D3], status=[status("c", D3, number)])
    done.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert is_view(database)
    assert counts <= {3, 4}


@pytest.fixture
def town(postgres_town: Town, site: MakeRow, status: MakeRow) -> Town:
    """A town with two days of two months, narrow from the beginning."""
    postgres_town.publish(
        [D1, D2],
        rebuild=True,
        site=[site("a")],
        status=[status("a", D1, 1, note="kept"), status("a", D2, 3, note="private")],
    )
    return postgres_town


def test_a_text_that_no_row_has_any_more_is_gone(
    town: Town, database: psycopg.Connection, status: MakeRow
) -> None:
    labels = "select note from town._status_label order by 1"
    assert one(database, labels) == ["kept", "private"]
    town.publish([D2], status=[status("a", D2, 3, note="new")])
    assert one(database, labels) == ["kept", "new"]
    town.publish([D2], status=[status("a", D2, 3, note="kept")])
    assert one(database, labels) == ["kept"]
    assert one(database, "select count(distinct _label) from town._status") == [1]
    town.publish([D1], rebuild=True, status=[status("a", D1, 1, note="after a rebuild")])
    assert one(database, labels) == ["after a rebuild"]


def test_what_is_built_on_a_view_lives_on_where_columns_come_or_are_renamed(
    town: Town, database: psycopg.Connection, status: MakeRow, changed: Callable[..., Project]
) -> None:
    database.execute("create schema desk; create view desk.free as select free, note from town.status")
    columns = {("remark" if name == "note" else name): kind for name, kind in STATUS.items()}
    columns |= {"colour": "varchar", "height": "double"}
    town.project = changed(status=columns, renamed={"remark": "note"})
    row = {**status("a", D3, 5), "remark": "r", "colour": "red", "height": 1.5}
    assert town.publish([D3], status=[row]).unfilled == ("status.colour", "status.height")
    assert one(database, "select * from desk.free order by 1") == [(1, "kept"), (3, "private"), (5, "r")]
    names, _, _ = seen(database)
    assert [name for name, _, _ in names] == [*columns]
    assert all(comment for _, _, comment in names)
    assert one(database, "select colour, height from town._status_label, town._status where _label = id") == [
        (None, None), (None, None), ("red", 1.5),
    ]  # fmt: skip


def test_a_large_model_is_renamed_with_all_that_is_under_its_view(
    postgres_town: Town, database: psycopg.Connection, changed: Callable[..., Project]
) -> None:
    town, key = postgres_town, ("site_key", "at")
    columns = {
        "site_key": "varchar!",
        "rule": "varchar",
        "at": "timestamptz!",
        "day": "date!",
        "visits": "bigint",
    }
    row = {"site_key": "a", "rule": "r", "at": f"{D1}T00:00:00Z", "day": D1, "visits": 1}
    town.project = changed(daily=columns, daily_key=key)
    town.publish([D1], rebuild=True, daily=[row])
    database.execute("create schema desk; create view desk.visits as select visits, rule from town.daily")
    after = {("why" if name == "rule" else name): kind for name, kind in columns.items()} | {
        "more": "varchar"
    }
    town.project = changed(daily=after, daily_key=key, daily_is="per_day", renamed={"why": "rule"})
    new = {"site_key": "a", "why": "w", "at": f"{D2}T00:00:00Z", "day": D2, "visits": 2, "more": "m"}
    town.publish([D2], per_day=[new])
    assert one(database, "select visits, why, more from town.per_day order by 1") == [
        (1, "r", None),
        (2, "w", "m"),
    ]
    assert one(database, "select * from desk.visits order by 1") == [(1, "r"), (2, "w")]
    left = "select count(*) from pg_class where relname ~ 'daily' and relkind in ('r', 'p', 'v')"
    assert one(database, left) == [0]
    assert not town.destination.plan_migration(town.project)


def test_a_table_that_has_changed_keeps_the_order_of_its_columns(
    wide: Any, database: psycopg.Connection, changed: Callable[..., Project]
) -> None:
    with as_before():
        wide.project = changed(status={"colour": "varchar", **STATUS})
        wide.publish([D3])
    before = seen(database)
    wide.publish([D3])
    assert is_view(database)
    assert seen(database) == before


def test_rights_live_on_where_a_view_is_made_anew_and_texts_that_became_alike_are_one(
    town: Town, database: psycopg.Connection, status: MakeRow, changed: Callable[..., Project]
) -> None:
    database.execute("grant select (free, note) on town.status to pg_monitor")
    town.publish([D1], status=[status("a", D1, 1, note="x"), status("b", D1, 2, note="y")])
    columns = {**STATUS, "free": "bigint"}
    del columns["note"]
    town.project = changed(status=columns)
    town.publish([D2], status=[status("a", D2, 2**40)])
    assert one(database, "select site_key, free from town.status order by 2") == [
        ("a", 1),
        ("b", 2),
        ("a", 2**40),
    ]
    _, _, rights = seen(database)
    assert ("pg_monitor", "free", "SELECT", "NO") in rights
    assert ("civitas_reader_town", "free", "SELECT", "NO") in rights
    town.publish([D1], status=[status("a", D1, 5)])
    assert one(database, "select free from town.status order by 1") == [5, 2**40]


def test_a_column_that_others_use_does_not_go(
    town: Town, database: psycopg.Connection, status: MakeRow, changed: Callable[..., Project]
) -> None:
    database.execute("create schema desk; create view desk.notes as select note from town.status")
    town.project = changed(status={name: kind for name, kind in STATUS.items() if name != "note"})
    with pytest.raises(Exception, match=r"view desk\.notes depends on view town\.status"):
        town.publish([D3], status=[status("a", D3, 5)])
    assert one(database, "select note from desk.notes order by 1") == ["kept", "private"]


def test_a_rebuild_numbers_what_is_numbered_otherwise_by_now(
    town: Town, database: psycopg.Connection, status: MakeRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "civitas_assets.publish.postgres.postgres_narrow._repeats", lambda name, _: name == "site_key"
    )
    town.publish([D3], status=[status("a", D3, 5, note="still numbered")])
    assert "still numbered" in one(database, "select note from town._status_label")
    town.publish([D3], rebuild=True, status=[status("a", D3, 5, note="in its row")])
    assert one(database, "select note from town._status") == ["in its row"]
    assert town.ask("select site_key, note from status") == [("a", "in its row")]


def test_the_narrow_form_is_a_layout_like_others() -> None:
    layout = make_narrow_layout(
        TableLayout(
            Names("town"), contract(key="varchar", at="timestamptz", day="date"), Platform(140_000, None)
        )
    )
    assert isinstance(layout, Narrow)
    assert layout.tables == ("_m", "_m_label")


@pytest.fixture
def shared(
    postgres_town: Town, database: psycopg.Connection, status: MakeRow, changed: Callable[..., Project]
) -> Any:
    """A town in the wide form that can share its model, with a table of sources, from which licences come."""
    town = postgres_town
    town.project = changed(status={"tenant": "varchar!", "source": "varchar!", **STATUS})
    with as_before():
        town.publish(
            [D1], rebuild=True, status=[status("a", D1, 1, tenant="town", source="s", note="private")]
        )
    database.execute(
        "create table town.source (source text, licence text, attribution text);"
        "insert into town.source values ('s', 'CC0-1.0', null);"
        "alter table town.source owner to civitas_writer_town"
    )
    return town


SHARED = "select tenant, free, note from commons.status order by free"


def share(town: Town) -> tuple[PostgresCommons, Any]:
    """Bring the commons up to date."""
    commons = PostgresCommons(Server(town.settings.postgres_url))
    contracts = read_contracts(town.project)
    commons.refresh(
        "town", {"town": Member("town", "Town", {"status": Withheld(frozenset({"note"}))})}, contracts
    )
    return commons, contracts


def test_what_is_shared_leaves_the_commons_for_the_change_and_comes_back(
    shared: Any, database: psycopg.Connection, status: MakeRow
) -> None:
    for number in (5, 6):
        commons, contracts = share(shared)
        commons.announce("town", "r", [D3], contracts, whole=False)
        shared.publish([D3], status=[status("c", D3, number, tenant="town", source="s")])
        assert is_view(database)
        share(shared)
        assert one(database, SHARED) == [("town", 1, None), ("town", number, None)]
    database.execute("set role civitas_commons")
    for withheld in ("select note from town.status", "select note from town._status_label"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.execute(withheld)


def test_a_table_that_others_use_as_well_stays_in_the_commons(
    shared: Any, database: psycopg.Connection, status: MakeRow
) -> None:
    database.execute("create schema desk; create view desk.free as select free from town.status")
    commons, contracts = share(shared)
    commons.announce("town", "r", [D3], contracts, whole=False)
    assert one(database, SHARED) == [("town", 1, None)]
    shared.publish([D3], status=[status("c", D3, 5, tenant="town", source="s")])
    assert not is_view(database)
    assert one(database, SHARED) == [("town", 1, None), ("town", 5, None)]

"""One tenant never reaches another's rows: by role, by path, by name, by workspace, or by loading at the same time."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from pydantic import SecretStr
from typer.testing import CliRunner

from civitas_assets.cli import app
from civitas_assets.errors import CivitasError, PublishError
from civitas_assets.harmonise.project import Project
from civitas_assets.publish.destinations import make_destination
from civitas_assets.publish.postgres.postgres_names import Names
from civitas_assets.publish.postgres.postgres_roles import grant_roles, grants_sql, remove_roles
from civitas_assets.publish.postgres.postgres_server import Server, to_statement_text
from civitas_assets.publish.query import ask_tables
from civitas_assets.publish.reading import open_published
from tests.publish.destinations.conftest import MakeRow, Town

D1, D2 = date(2026, 8, 1), date(2026, 8, 2)
ROUNDS = 20
# What an analyst of one town may not do.
FORBIDDEN = (
    "select * from btown.status",
    "select * from btown._status",
    "select * from btown._status_label",
    "select * from btown._status_y2026m08",
    "select * from btown._publication",
    'select * from "atown:rebuild".status',
    'select * from "btown:rebuild".status',
    "set role civitas_reader_btown",
    "set role civitas_writer_atown",
    "set role civitas_writer_btown",
    "set session authorization civitas_reader_btown",
    "insert into atown.site values ('x')",
    "delete from atown.status",
    "delete from atown._status",
    "update atown._status_label set note = 'mine'",
    "truncate atown._status",
    "drop table atown._status",
    "drop view atown.status",
    "create table atown.mine (x int)",
    "alter default privileges for role civitas_writer_btown grant select on tables to civitas_reader_atown",
    "grant civitas_reader_btown to civitas_reader_atown",
    "grant select on btown.status to civitas_reader_atown",
    "copy btown.status to stdout",
    "select query_to_xml('select * from btown.status', true, true, '')",
    "create temp view v as select * from btown.status",
    "do $$ begin perform * from btown.status; end $$",
    "explain analyze select * from btown.status",
    "comment on view atown.status is 'mine'",
)


@pytest.fixture
def pair(town: Town, site: MakeRow, status: MakeRow) -> tuple[Any, Any]:
    """Two published towns of one deployment."""
    towns = (town.neighbour("atown"), town.neighbour("btown"))
    for each in towns:
        each.publish([D1], rebuild=True, site=[site(each.slug)], status=[status(each.slug, D1, 1)])
    return towns


@pytest.mark.parametrize("town", ["duckdb", "postgres"], indirect=True)
def test_two_tenants_loaded_at_the_same_time_never_get_each_others_rows(
    pair: tuple[Any, Any], site: MakeRow, status: MakeRow
) -> None:
    failures: list[str] = []
    start = threading.Barrier(2)

    def nights(town: Town) -> None:
        rows = {
            "site": [site(town.slug)],
            "status": [status(town.slug, D2, 2)],
            "daily": [{"site_key": town.slug, "day": D2, "visits": 2}],
        }
        workspace = town.workspace([D2], rows)
        for number in range(ROUNDS):
            start.wait()
            town.destination.publish(town.project, workspace, f"{town.slug}-{number}")
            if number % 10 == 9:
                for table in rows:
                    keys = town.ask(f"select distinct site_key from {table}")  # noqa: S608
                    if keys != [(town.slug,)]:
                        failures.append(f"{town.slug}: {table} has {keys}")

    threads = [threading.Thread(target=nights, args=(town,)) for town in pair]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for town in pair:
        assert town.ask("select site_key, day from status order by 2") == [(town.slug, D1), (town.slug, D2)]


@pytest.fixture
def analyst(
    postgres_town: Town, database: psycopg.Connection, postgres_url: str, site: MakeRow, status: MakeRow
) -> Any:
    """Two published towns on PostgreSQL, and an analyst of the first, who logs in."""
    for slug in ("atown", "btown"):
        town = postgres_town.neighbour(slug)
        town.publish([D1], rebuild=True, site=[site(slug)], status=[status(slug, D1, 1)])
        town.collect({D1: "v"}, status=[status(slug, D1, 1)])
    name = f"analyst_{os.getpid()}"
    database.execute(
        SQL("create role {} login password 'pw' in role civitas_reader_atown").format(Identifier(name))
    )
    parts = urlsplit(postgres_url)
    place = urlunsplit(parts._replace(netloc=f"{name}:pw@{parts.hostname}:{parts.port}"))
    with psycopg.connect(place, autocommit=True) as connection:
        yield connection
    database.execute(SQL("drop role {}").format(Identifier(name)))


def test_a_reader_reads_its_own_schema(analyst: psycopg.Connection) -> None:
    assert analyst.execute("select site_key from atown.status").fetchall() == [("atown",)]
    assert analyst.execute("select site_key from atown._status_label").fetchall() == [("atown",)]


def test_a_reader_does_nothing_else(analyst: psycopg.Connection) -> None:
    for statement in FORBIDDEN:
        try:
            analyst.execute(statement.encode())
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectNotInPrerequisiteState):
            continue  # the second: such a view takes no rows from anybody
        pytest.fail(f"allowed: {statement}")


def test_what_the_server_knows_of_values_is_not_shown_to_others(analyst: psycopg.Connection) -> None:
    assert analyst.execute("select * from pg_stats where schemaname = 'btown'").fetchall() == []


def test_the_reader_owns_nothing_and_public_has_nothing(analyst: Any, database: psycopg.Connection) -> None:
    owned = "select count(*) from pg_class where pg_get_userbyid(relowner) ~ '^civitas_reader_'"
    assert database.execute(owned).fetchone() == (0,)
    public = """select 1 from pg_namespace, aclexplode(nspacl) as a where nspname ~ '^[ab]town' and a.grantee = 0
        union all select 1 from pg_class c join pg_namespace n on n.oid = relnamespace, aclexplode(relacl) as a
        where nspname ~ '^[ab]town' and a.grantee = 0"""
    assert database.execute(public).fetchall() == []
    can_log_in = "select rolname from pg_roles where rolname ~ '^civitas_(reader|writer)_' and rolcanlogin"
    assert database.execute(can_log_in).fetchall() == []


def test_a_writer_does_not_reach_another_tenant(analyst: Any, database: psycopg.Connection) -> None:
    for statement in (
        "select * from btown.status",
        "insert into btown.site values ('x')",
        "drop schema btown cascade",
    ):
        with database.transaction(force_rollback=True):
            database.execute("set local role civitas_writer_atown")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                database.execute(statement.encode())


@pytest.mark.parametrize("sql", ["select * from btown.status", 'select * from "btown"."status"'])
def test_a_query_for_one_tenant_does_not_see_another(analyst: Any, postgres_town: Town, sql: str) -> None:
    with pytest.raises(PublishError, match="does not exist"):
        ask_tables(postgres_town.settings, "atown", sql, 1)
    with (
        open_published(postgres_town.settings, "atown") as tables,
        pytest.raises(PublishError, match="does not exist"),
    ):
        tables.query_first(sql, 1)


@pytest.mark.parametrize(
    "key",
    ["btown/../atown", "../atown", "A", "a b", "a;drop schema btown", 'a"b', "a'b", "", "a\n", "ä", "public", "commons",
     "pg_catalog", "information_schema", "x" * 49, "atown:rebuild"],
)  # fmt: skip
def test_no_other_text_than_a_key_becomes_a_path_or_a_name(town: Town, key: str) -> None:
    with pytest.raises(CivitasError):
        make_destination(town.settings, key, town.kind)
    with pytest.raises(CivitasError), open_published(town.settings, key):
        pass


def test_the_longest_key_has_names_of_its_own() -> None:
    first, second = Names("x" * 47 + "a"), Names("x" * 47 + "b")
    for name in ("schema", "rebuild", "reader", "writer"):
        assert len(getattr(first, name)) <= 63, "PostgreSQL would cut it off"
        assert getattr(first, name) != getattr(second, name)
    assert Names("a_reader").schema != Names("a").reader


def test_files_of_a_tenant_are_for_its_group_only(pair: tuple[Any, Any]) -> None:
    first, second = (town.settings.published / town.slug for town in pair)
    if pair[0].kind == "postgres":
        assert not first.exists()
        return
    for folder in (first, second):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o750
        (file,) = folder.iterdir()
        assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_workspace_publishes_only_what_it_was_made_of(pair: tuple[Any, Any], tmp_path: Path) -> None:
    first = pair[0]
    workspace = first.workspace([D1], {})
    workspace.remove()
    with pytest.raises(CivitasError, match="no workspace to publish"):
        first.destination.publish(first.project, workspace, "run")
    assert [town.ask("select site_key from site") for town in pair] == [[("atown",)], [("btown",)]]


def test_grants_may_be_repeated_printed_and_taken_back(
    postgres_town: Town, database: psycopg.Connection, site: MakeRow
) -> None:
    server, names = Server.from_settings(postgres_town.settings), Names("town")
    for statement in grants_sql(names, "civitas"):  # as an administrator runs what was printed
        database.execute(to_statement_text(statement).encode())
    grant_roles(server, names)
    postgres_town.publish(rebuild=True, site=[site("a")])
    grant_roles(server, names)
    database.execute("create view public.v as select * from town.site")
    remove_roles(server, names)
    left = """select nspname from pg_namespace where nspname ~ '^town'
        union all select rolname from pg_roles where rolname ~ '_town$'"""
    assert database.execute(left).fetchall() == []
    remove_roles(server, names)


def test_an_account_that_may_not_make_roles_says_who_may(
    postgres_town: Town, database: psycopg.Connection, postgres_url: str, changed: Callable[..., Project]
) -> None:
    name, parts = f"weak_{os.getpid()}", urlsplit(postgres_url)
    database.execute(SQL("create role {} login password 'pw'").format(Identifier(name)))
    place = urlunsplit(parts._replace(netloc=f"{name}:pw@{parts.hostname}:{parts.port}"))
    postgres_town.settings = postgres_town.settings.model_copy(update={"postgres_url": SecretStr(place)})
    try:
        with pytest.raises(PublishError, match=r"permission denied.*civitas tenant grant"):
            postgres_town.publish(rebuild=True)
        for statement in grants_sql(Names("town"), name):
            database.execute(to_statement_text(statement).encode())
        postgres_town.publish(rebuild=True, site=[{"site_key": "a"}])
        assert postgres_town.ask("select site_key from site") == [("a",)]
    finally:
        database.execute(
            SQL("revoke civitas_reader_town, civitas_writer_town from {}").format(Identifier(name))
        )
        database.execute(SQL("drop role {}").format(Identifier(name)))


def test_the_command_prints_what_it_grants(
    postgres_town: Town, database: psycopg.Connection, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIVITAS_POSTGRES_URL", postgres_url)
    made = "select count(*) from pg_roles where rolname ~ '_town$'"
    printed = CliRunner().invoke(app, ["tenant", "grant", "town", "--print", "--login", "civitas"])
    assert printed.stdout.count("create role") == 2
    assert (urlsplit(postgres_url).password or "?") not in printed.output
    assert database.execute(made).fetchone() == (0,)
    for statement in printed.stdout.splitlines():  # one of it in each line, to be run by somebody else
        database.execute(statement.encode())
    assert database.execute(made).fetchone() == (2,)
    again = CliRunner().invoke(app, ["tenant", "grant", "town"])
    assert (again.exit_code, again.stdout.count("create role")) == (0, 2)
    postgres_town.publish(rebuild=True, site=[{"site_key": "a"}])

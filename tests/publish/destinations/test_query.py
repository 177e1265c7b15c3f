"""A query of `civitas query` is the tenant's reader's, by a login or in a copy, and has nothing else in its reach."""

# ruff: noqa: S608 - no text in these statements is from anybody else

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import duckdb
import polars as pl
import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from pydantic import SecretStr
from typer.testing import CliRunner

from civitas_assets.cli import app
from civitas_assets.errors import PublishError
from civitas_assets.publish.query import ask_tables
from civitas_assets.publish.reading import open_published
from tests.publish.destinations.conftest import MakeRow, Town

D1 = date(2026, 8, 1)
# What would end a role that was set before it, and go on as whoever publishes.
ESCAPES = (
    "select set_config('role', 'none', true), query_to_xml('select * from btown.status', true, true, '')",
    "select set_config('role', 'civitas_writer_btown', true)",
    "select set_config('role', 'civitas_reader_btown', false)",
    "select set_config('role', 'none', true), query_to_xml('select 1 from btown._publication', true, true, '')",
    "select * from btown.status",
    "select pg_read_file('PG_VERSION')",
    "select lo_import('/etc/hostname')",
    "copy atown.status to program 'true'",
    "select 1; reset role",
    "delete from atown.site",
)  # fmt: skip


@pytest.fixture
def pair(town: Town, site: MakeRow, status: MakeRow) -> Any:
    """Two published towns of one deployment."""
    for slug in ("atown", "btown"):
        each = town.neighbour(slug)
        each.publish([D1], rebuild=True, site=[site(slug)], status=[status(slug, D1, 1)])
    return town


@pytest.fixture
def logins(
    pair: Any, database: psycopg.Connection, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Any]]:
    """Gives the deployment logins of `civitas query`, made as an operator makes them."""
    made, parts = list[str](), urlsplit(postgres_url)

    def named(login: str) -> Any:
        url = urlunsplit(parts._replace(netloc=f"{login}:pw@{parts.hostname}:{parts.port}"))
        pair.settings = pair.settings.model_copy(update={"postgres_readers": SecretStr(url)})
        monkeypatch.setenv("CIVITAS_POSTGRES_URL", postgres_url)
        monkeypatch.setenv("CIVITAS_POSTGRES_READERS", url)
        done = CliRunner().invoke(app, ["tenant", "grant", "atown"])
        assert done.exit_code == 0, done.output
        made.append(login.replace("{tenant}", "atown"))
        database.execute(SQL("alter role {} password 'pw'").format(Identifier(made[-1])))
        return pair

    yield named
    for login in made:
        database.execute(SQL("drop owned by {}").format(Identifier(login)))
        database.execute(SQL("drop role {}").format(Identifier(login)))


@pytest.mark.parametrize("town", ["postgres"], indirect=True)
def test_by_a_login_that_is_nothing_but_the_reader(
    logins: Callable[[str], Any], database: psycopg.Connection
) -> None:
    login = f"query_{os.getpid()}_{{tenant}}"
    town = logins(login)
    answer = ask_tables(town.settings, "atown", "select site_key, session_user, current_user from status", 5)
    name = login.replace("{tenant}", "atown")
    assert answer.rows == [("atown", name, name)]
    for sql in ESCAPES:
        with pytest.raises(PublishError):
            ask_tables(town.settings, "atown", sql, 5)
    held = "select count(*) from atown.site"
    assert database.execute(held).fetchone() == (1,)
    for more in ("civitas_reader_btown", "civitas_writer_atown", "pg_read_all_data"):
        database.execute(SQL("grant {} to {}").format(Identifier(more), Identifier(name)))
        with pytest.raises(PublishError, match="may do more than read what is published of atown"):
            ask_tables(town.settings, "atown", "select 1", 5)
        database.execute(SQL("revoke {} from {}").format(Identifier(more), Identifier(name)))
    database.execute(SQL("revoke civitas_reader_atown from {}").format(Identifier(name)))
    with pytest.raises(PublishError, match=r"does not read what is published of atown: .*tenant grant"):
        ask_tables(town.settings, "atown", "select 1", 5)


@pytest.mark.parametrize("town", ["postgres"], indirect=True)
def test_the_account_that_publishes_is_no_login_of_readers(pair: Any, postgres_url: str) -> None:
    pair.settings = pair.settings.model_copy(update={"postgres_readers": SecretStr(postgres_url)})
    with pytest.raises(PublishError, match="may do more than read"):
        ask_tables(pair.settings, "atown", "select 1", 1)


@pytest.mark.parametrize("town", ["postgres"], indirect=True)
def test_without_a_login_in_a_copy_of_what_the_query_names(pair: Any) -> None:
    for table in ("status", "atown.status"):
        answer = ask_tables(pair.settings, "atown", f"select site_key, free from {table}", 5)
        assert (answer.rows, answer.numeric) == ([("atown", 1)], [False, True])
    for sql in ESCAPES[:-1]:
        with pytest.raises(PublishError):
            ask_tables(pair.settings, "atown", sql, 5)
    ask_tables(pair.settings, "atown", "delete from site", 5)
    assert ask_tables(pair.settings, "atown", "select count(*) from site", 5).rows == [(1,)], "it was a copy"


@pytest.mark.parametrize("town", ["duckdb", "postgres"], indirect=True)
def test_no_file_extension_variable_or_setting_is_in_reach(pair: Any, tmp_path: Path) -> None:
    file = tmp_path / "beside.csv"
    file.write_text("a\n1\n", encoding="utf-8")
    with duckdb.connect(str(tmp_path / "beside.duckdb")) as connection:
        connection.execute("create table t as select 1 as a")
    hidden = pl.DataFrame({"a": [1]})  # a variable, which DuckDB would find by its name
    assert duckdb.sql("select * from hidden").fetchall() == hidden.rows()
    for sql in (
        f"select * from '{file}'",
        f"select * from read_text('{file}')",
        "select * from glob('/etc/*')",
        f"attach '{tmp_path}/beside.duckdb'",
        f"attach '{tmp_path}/new.duckdb' as new",
        f"copy site to '{tmp_path}/out.csv'",
        f"export database '{tmp_path}/out'",
        "install spatial",
        "load spatial",
        f"load '{tmp_path}/some.duckdb_extension'",
        "select * from hidden",
        "create persistent secret s (type s3)",
        "select * from duckdb_secrets()",
        *(f"set {name} = {value}" for name, value in {
            "enable_external_access": "true", "lock_configuration": "false", "memory_limit": "'99GB'",
            "threads": "99", "allow_unsigned_extensions": "true", "extension_directory": "'/'", "temp_directory": "'/'",
            "autoload_known_extensions": "true", "profiling_output": f"'{tmp_path}/out.json'",
        }.items()),
        "reset enable_external_access",
    ):  # fmt: skip
        with pytest.raises(PublishError):
            ask_tables(pair.settings, "atown", sql, 5)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(("out", "new"))) == []
    with open_published(pair.settings, "atown") as tables:
        days = "select day, date_trunc('hour', observed_at at time zone 'Europe/Berlin') from status"
        assert [row[0] for row in tables.query_first(days, 5)[2]] == [D1], "what queries need still works"
        assert tables.query_first(
            "select json_extract('{\"a\": 1}', '$.a')::int, regexp_matches('ab', 'a')", 1
        )[2]


@pytest.mark.parametrize("town", ["postgres"], indirect=True)
def test_who_goes_takes_the_login_along(logins: Callable[[str], Any], database: psycopg.Connection) -> None:
    from civitas_assets.publish.postgres.postgres_names import Names  # noqa: PLC0415
    from civitas_assets.publish.postgres.postgres_roles import remove_roles  # noqa: PLC0415
    from civitas_assets.publish.postgres.postgres_server import Server  # noqa: PLC0415

    town = logins(f"query_{os.getpid()}_{{tenant}}")
    login = Server.find_query_login(town.settings, "atown")
    remove_roles(Server.from_settings(town.settings), Names("atown"), login)
    assert database.execute("select from pg_roles where rolname = %s", [login]).fetchone() is None
    database.execute(SQL("create role {}").format(Identifier(login or "")))

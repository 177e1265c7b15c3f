"""The commons of a hundred tenants: bringing in a night, and asking all of them for one day.

Rows are made by the databases themselves; contracts are those of the project.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from statistics import median

import duckdb
import msgspec
import psycopg
from psycopg.sql import SQL, Composed, Identifier, Literal
from pydantic import SecretStr

from benchmarks.town import Figures
from civitas_assets.catalog.basis import COMMONS
from civitas_assets.catalog.share import Withheld
from civitas_assets.dictionary.contracts import Contract, read_contracts
from civitas_assets.harmonise.prepare import prepare_project
from civitas_assets.publish.commons import Member
from civitas_assets.publish.duckdb.commons_duckdb import DuckDBCommons
from civitas_assets.publish.duckdb.published_file import find_published_file
from civitas_assets.publish.duckdb.published_files import PublishedFiles
from civitas_assets.publish.postgres.commons_postgres import PostgresCommons
from civitas_assets.publish.postgres.postgres_names import PUBLICATION, Names
from civitas_assets.publish.postgres.postgres_roles import grant_roles
from civitas_assets.publish.postgres.postgres_server import Server
from civitas_assets.publish.postgres.postgres_tables import Platform, TableLayout, group_by_month
from civitas_assets.settings import Settings
from civitas_assets.store.files import LocalFiles
from civitas_assets.store.locks import hold_shared_lock
from testbed.postgres import postgres

TENANTS = 100
DAYS = 10
ROWS_A_DAY = 500  # of each tenant
_FIRST = date(2026, 7, 1)
_DAYS = [_FIRST + timedelta(days=number) for number in range(DAYS)]
_ONE_DAY = f"""
    select tenant, licence, count(*) as rows, avg(value) as mean
    from commons.observation
    where day = date '{_DAYS[DAYS // 2]}'
    group by tenant, licence
    order by tenant
"""  # noqa: S608 - a constant
_MODELS = ("source", "observation")


def _members() -> Mapping[str, Member]:
    shared = {"observation": Withheld(frozenset({"value_native"}))}
    return {f"town_{n:03d}": Member(f"town_{n:03d}", f"Town {n}", shared) for n in range(TENANTS)}


def _contracts(folder: Path) -> Mapping[str, Contract]:
    contracts = read_contracts(prepare_project(Settings(home=folder / "home")))
    return {name: contracts[name] for name in _MODELS}


def _values(contract: Contract, slug: str, minute: str, day: str) -> dict[str, str]:
    """An expression for each column that is not null."""
    given = {
        "tenant": f"'{slug}'",
        "source": "'s'",
        "datastream_key": f"'{slug}/' || (n % 100)",
        "day": day,
        "value": "(n % 50)::double precision",
        "licence": "'CC0-1.0'",
        "attribution": f"'{slug}'",
    }
    kinds = {"varchar": "'x'", "double": "1", "integer": "1", "bigint": "1", "boolean": "true", "date": day}
    return {
        name: given.get(name, minute if column.type == "timestamptz" else kinds.get(column.type, "null"))
        for name, column in contract.columns.items()
        if name in given or not column.nullable
    }


def _insert(contract: Contract, target: str, slug: str, days: int, *, of_postgres: bool) -> str:
    total = days * ROWS_A_DAY if contract.replaced == "replace_days" else 1
    numbers = f"generate_series(0, {total - 1}) as r(n)" if of_postgres else f"range({total}) as r(n)"
    day = f"(date '{_FIRST}' + (n // {ROWS_A_DAY})::int)"
    day = day.replace("//", "/") if of_postgres else day
    values = _values(contract, slug, f"({day}::timestamp + (n % {ROWS_A_DAY}) * interval '40 seconds')", day)
    names = ", ".join(f'"{name}"' for name in values)
    return f"insert into {target} ({names}) select {', '.join(values.values())} from {numbers}"  # noqa: S608


def commons_in_duckdb(folder: Path) -> Figures:
    """One day of a tenant is brought into the file of a hundred, and all are asked for one day."""
    contracts, members = _contracts(folder), _members()
    hold = partial(hold_shared_lock, folder / "locks", COMMONS)
    commons = DuckDBCommons(PublishedFiles(folder / "published"), hold, LocalFiles(folder / "home"))
    started = time.perf_counter()
    for slug in members:
        file = find_published_file(folder / "published", slug)
        file.parent.mkdir(parents=True)
        with duckdb.connect(str(file)) as connection:
            for name, contract in contracts.items():
                columns = ", ".join(f'"{column}" {made.type}' for column, made in contract.columns.items())
                connection.execute(f"create table {name} ({columns})")
                connection.execute(_insert(contract, name, slug, DAYS, of_postgres=False))
            connection.execute("create schema meta; create table meta.publication (contracts varchar)")
            connection.execute(
                "insert into meta.publication values (?)", [msgspec.json.encode(contracts).decode()]
            )
        commons.announce(slug, "first", _DAYS, contracts, whole=True)
        commons.confirm(slug, "first")
    made = time.perf_counter()
    commons.refresh("town_000", members, contracts)
    first = time.perf_counter()
    for slug in ("town_000", "town_050", "town_099"):
        commons.announce(slug, "night", _DAYS[-1:], contracts, whole=False)
        commons.confirm(slug, "night")
    commons.refresh("town_050", members, contracts)
    night = time.perf_counter()
    shared = find_published_file(folder / "published", COMMONS)
    with duckdb.connect(str(shared), read_only=True) as connection:
        asked = [_timed(lambda: connection.execute(_ONE_DAY).fetchall()) for _ in range(5)]
    size = shared.stat().st_size
    return {
        "one-day query": median(asked),
        "first one-day query": asked[0],
        "a night of three tenants": night - first,
        "all at once": first - made,
        "making the towns": made - started,
        "rows": float(TENANTS * DAYS * ROWS_A_DAY),
        "mb": size / 1e6,
    }


def commons_in_postgres(folder: Path) -> Figures:
    """The views over a hundred schemas are made, and asked for one day."""
    contracts, members = _contracts(folder), _members()
    with postgres() as url:
        server = Server(SecretStr(url))
        commons = PostgresCommons(server)
        started = time.perf_counter()
        for slug in members:
            grant_roles(server, Names(slug))
            _fill(url, slug, contracts)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("vacuum analyze")
        made = time.perf_counter()
        changes = [_timed(lambda slug=slug: commons.refresh(slug, members, contracts)) for slug in members]
        unchanged = _timed(lambda: commons.is_current("town_050", members))
        with psycopg.connect(url) as connection:
            connection.execute("set role commons_reader")
            asked = [_timed(lambda: connection.execute(_ONE_DAY.encode()).fetchall()) for _ in range(5)]
            rows = connection.execute(_ONE_DAY.encode()).fetchall()
    assert len(rows) == TENANTS
    return {
        "one-day query": median(asked),
        "first one-day query": asked[0],
        "adding the last tenant": changes[-1],
        "asking whether all is current": unchanged,
        "making the towns": made - started,
        "rows": float(TENANTS * DAYS * ROWS_A_DAY),
    }


def _fill(url: str, slug: str, contracts: Mapping[str, Contract]) -> None:
    names = Names(slug)
    with psycopg.connect(url) as connection:
        run = connection.execute
        run(SQL("set role {}").format(Identifier(names.writer)))
        run(SQL("create table {} (contracts text)").format(names.quote_table(PUBLICATION)))
        text = msgspec.json.encode(contracts).decode()
        run(SQL("insert into {} values ({})").format(names.quote_table(PUBLICATION), Literal(text)))
        for contract in contracts.values():
            layout = TableLayout(names, contract, Platform(150_000, None))
            for statement in layout.create():
                run(statement)
            if layout.is_partitioned:
                for month in group_by_month(_DAYS):
                    run(layout.create_partition(month))
                    run(layout.attach_partition(month))
            target: Composed | str = layout.table.as_string(None)
            run(_insert(contract, str(target), slug, DAYS, of_postgres=True).encode())


def _timed(work: object) -> float:
    started = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - started

"""Tables in PostgreSQL are announced like those in a file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec
import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from pydantic import SecretStr

from civitas_assets.dcat.open_tables import read_open_tables
from civitas_assets.dictionary.contracts import Contract, ModelColumn
from civitas_assets.ingest.catalogue import load_catalogue
from civitas_assets.publish.postgres.postgres_names import Names
from civitas_assets.settings import Settings


def _contract(name: str, **columns: str) -> Contract:
    counts = {"occupied": "true"}
    described = {c: ModelColumn(kind, "", counts=counts.get(c, "")) for c, kind in columns.items()}
    return Contract(name, "1.0.0", "", f"All of {name}.", "", "", "as a whole", (), described)


CONTRACTS = [
    _contract("source", source="varchar", licence="varchar", attribution="varchar"),
    _contract("parking_status", source="varchar", day="date", occupied="integer", received_at="timestamptz"),
]


@pytest.fixture
def schema(postgres_url: str) -> Iterator[str]:
    """The schema of a tenant with a reader, a status of car parks, and what it follows."""
    names = Names("announcer")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        reader, place = Identifier(names.reader), Identifier(names.schema)
        connection.execute(SQL("create role {}").format(reader))
        try:
            connection.execute(SQL("create schema {}").format(place))
            for contract in CONTRACTS:
                columns = ", ".join(f"{name} {column.type}" for name, column in contract.columns.items())
                table = names.quote_table(contract.name)
                connection.execute(SQL("create table {} (" + columns + ")").format(table))  # type: ignore[arg-type]
            said = msgspec.json.encode({contract.name: contract for contract in CONTRACTS}).decode()
            told = SQL("create table {} as select {}::text as contracts")
            connection.execute(told.format(names.quote_table("_publication"), said))
            source, status = map(names.quote_table, ("source", "parking_status"))
            connection.execute(SQL("insert into {} values ('lots', 'CC-BY-4.0', 'Stadt')").format(source))
            row = "insert into {} values ('lots', '2026-11-01', 3, '2026-11-02T01:00:00Z')"
            connection.execute(SQL(row).format(status))
            connection.execute(SQL("grant usage on schema {} to {}").format(place, reader))
            connection.execute(SQL("grant select on all tables in schema {} to {}").format(place, reader))
            yield names.schema
        finally:
            connection.execute(SQL("drop owned by {}").format(reader))
            connection.execute(SQL("drop role {}").format(reader))


def test_a_table_with_small_counts_is_announced(schema: str, postgres_url: str, tmp_path: Path) -> None:
    (tmp_path / f"{schema}.yaml").write_text(
        'name: T\nags: "99000001"\nbbox: [9, 50, 10, 51]\ndestination: postgres\nk: 5\nshare: [parking_status]\n'
        "sources:\n  lots: {connector: json, title: P, licence: CC-BY-4.0, url: 'https://lots.example/now',\n"
        "    record_type: parking_status, fields: {site_id: id, occupied: used}, time: {column: at, zone: offset}}\n",
        encoding="utf-8",
    )
    settings = Settings(home=tmp_path, tenants_dir=tmp_path, postgres_url=SecretStr(postgres_url))
    found = read_open_tables(settings, load_catalogue(settings).get_tenant(schema))
    assert found.left_out == {}
    (table,) = found.tables
    assert (table.licences, table.attributions) == (("CC-BY-4.0",), ("Stadt",))
    assert (table.first, table.last) == (date(2026, 11, 1), date(2026, 11, 1))
    assert table.changed_at is not None
    assert table.contract is not None
    assert table.contract.description == "All of parking_status."

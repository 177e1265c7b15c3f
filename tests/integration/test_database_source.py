"""A municipal database as a source, through to the tables: what it no longer has is gone, but not forgotten."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

import polars as pl
import psycopg
import pytest

from tests.integration.conftest import Workplace

TENANT = """
name: Aktenstadt
ags: "99000096"
bbox: [10.0, 50.0, 10.2, 50.2]
sources:
  car_parks:
    title: Parkhäuser
    connector: sql
    licence: CC0-1.0
    url: "{url}"
    password: {{secret: AKTENSTADT_PASSWORD}}
    table: parken.haus
    record_type: parking_site
    fields: {{site_id: nr, name: name, capacity: plaetze, has_fee: kostet, geometry: form}}
    crs: EPSG:25832
"""
MAKE = """
create schema parken;
create table parken.haus (nr text primary key, name text, plaetze numeric(6, 0), kostet boolean, form text, notiz text);
insert into parken.haus values
    ('007', 'Markt', 320, true, 'POINT (573000 5548000)', 'Schlüssel bei Amt 66'),
    ('008', 'Bahnhof', 80, false, 'POINT (574000 5549000)', null);
"""


def test_things_that_a_table_no_longer_has_leave_the_shared_model_and_keep_their_history(
    workplace: Workplace, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = urlsplit(postgres_url)
    monkeypatch.setenv("AKTENSTADT_PASSWORD", parts.password or "")
    place = urlunsplit(parts._replace(netloc=f"{parts.username}@{parts.hostname}:{parts.port}"))
    workplace.write_tenant("aktenstadt", TENANT.format(url=place))
    sites = (
        "select site_id, name, capacity, has_fee, round(lon, 3), round(lat, 3) from parking_site order by 1"
    )
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(MAKE)
        first = workplace.run("aktenstadt")
        assert not first.errors, first.errors
        assert workplace.ask("aktenstadt", sites) == [
            ("007", "Markt", 320, True, 10.02, 50.08),
            ("008", "Bahnhof", 80, False, 10.034, 50.089),
        ]
        connection.execute("delete from parken.haus where nr = '007'")
        second = workplace.run("aktenstadt")
        assert not second.errors, second.errors
        assert [row[0] for row in workplace.ask("aktenstadt", sites)] == ["008"]
        connection.execute("delete from parken.haus")
        emptied = workplace.run("aktenstadt")
        assert "nothing is deleted" in str(emptied.errors)
        assert [row[0] for row in workplace.ask("aktenstadt", sites)] == ["008"]
    (file,) = (workplace.settings.home / "records" / "aktenstadt" / "parking_site").glob("*.parquet")
    assert pl.read_parquet(file).select("site_id", "revision", "deleted").sort(
        "site_id", "revision"
    ).rows() == [
        ("007", 1, False),
        ("007", 2, True),
        ("008", 1, False),
    ]
    kept = [path.read_bytes() for path in workplace.settings.home.rglob("*") if path.is_file()]
    assert not any((parts.password or "?").encode() in body for body in kept), "the password is nowhere"

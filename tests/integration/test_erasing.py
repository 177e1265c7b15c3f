"""One device goes from all that a town has: no byte tells of it afterwards, and nothing brings it back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import zstandard
from psycopg.sql import SQL, Identifier

from civitas_assets.pipeline.runner import Order
from tests.integration.conftest import CivitasIn, Server, Workplace

DEVICE, OTHER = "geraet-4711-x", "geraet-4712-x"
TOWN = """
name: Messdorf
ags: "99000096"
bbox: [9.0, 50.0, 9.2, 50.2]
share: [observation, station]
sources:
  boxes:
    title: Messkästen
    connector: csv
    licence: CC0-1.0
    url: "$url/boxes.csv"
    record_type: observation
    fields: {datastream_id: stream, station_id: box, station_name: name, value: v}
    constants: {observed_property: weather.temperature, unit: Cel}
    time: {column: t, zone: offset}
    http: {requests_per_second: 200}
  files:
    title: Dateien
    connector: csv
    licence: CC0-1.0
    url: "drop:*.csv"
    record_type: observation
    fields: {datastream_id: stream, station_id: box, value: v}
    constants: {observed_property: weather.temperature, unit: Cel}
    time: {column: t, zone: offset}
"""
HEADER = "stream,box,name,t,v"


def rows(*devices: str, hour: int = 10) -> bytes:
    """Two values of each device, and one that is rejected."""
    lines = [HEADER]
    for device in devices:
        lines += [
            f"{device}:temp,{device},Kasten {device},2026-08-20T{hour}:00:00Z,{20 + n}" for n in range(2)
        ]
        lines[-1] = lines[-1].replace(":00:00Z", ":30:00Z")
        lines.append(f"{device}:temp,{device},Kasten {device},2026-08-20T{hour}:45:00Z,warm and {device}")
        lines.append(f"{device}:temp,{device},Kasten {device},yesterday,1")
    return "\n".join([*lines, ""]).encode()


def telling(*folders: Path) -> list[str]:
    """Files in which the device stands, whatever they are packed in."""
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    return [str(file) for file in files if tells(file.name, file.read_bytes())]


def tells(name: str, body: bytes) -> bool:
    """Whether the device stands in a file or object, whatever it is packed in."""
    import polars as pl  # noqa: PLC0415

    if name.endswith(".zst"):
        body = zstandard.ZstdDecompressor().decompress(body)
    elif name.endswith(".parquet"):
        body += pl.read_parquet(io.BytesIO(body)).cast(pl.String, strict=False).write_csv().encode()
    return DEVICE.encode() in body or DEVICE in name


def telling_tables(url: str) -> list[str]:
    """Tables of a database, and their files, in which it stands."""
    found = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("checkpoint")
        tables = connection.execute(
            "select nspname, relname, pg_relation_filepath(c.oid) from pg_class c"
            " join pg_namespace n on n.oid = relnamespace"
            " where relkind in ('r', 't') and (nspname = 'messdorf' or nspname = 'pg_toast')"
        ).fetchall()
        for schema, name, path in tables:
            if schema != "pg_toast":
                said = SQL("select count(*) from {} t where t::text like %s").format(Identifier(schema, name))
                if connection.execute(said, [f"%{DEVICE}%"]).fetchone() != (0,):
                    found.append(name)
            raw = connection.execute("select pg_read_binary_file(%s, 0, 100000000, true)", [path]).fetchone()
            if raw and raw[0] and DEVICE.encode() in bytes(raw[0]):
                found.append(f"{name} in {path}")
    return found


@pytest.mark.parametrize(("destination", "storage"), [("duckdb", "folder"), ("postgres", "objects")])
def test_a_device_is_nowhere_afterwards_and_does_not_come_back(  # noqa: PLR0917 - fixtures
    workplace: Workplace,
    town: Server,
    command_in: CivitasIn,
    stored: Callable[[], Mapping[str, bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from string import Template  # noqa: PLC0415

    # What was put into a bucket cannot be made to look older.
    monkeypatch.setattr("civitas_assets.ingest.drop.SETTLED", timedelta(0))

    def telling_of_stores() -> set[str]:
        return {key.split("/")[0] for key, body in stored().items() if tells(key, body)}

    workplace.write_tenant("messdorf", Template(TOWN).substitute(url=town.url))
    town.pages["/boxes.csv"] = rows(DEVICE, OTHER)
    workplace.drop_file("messdorf/files/one.csv", rows(DEVICE, hour=11))
    civitas = command_in(workplace)
    civitas("run")
    town.pages["/boxes.csv"] = rows(DEVICE, OTHER, hour=12)
    civitas("run")
    exported = tmp_path / "exported"
    exported.mkdir()
    assert civitas("export", "csv", "messdorf", "observation", "-o", str(exported / "o.csv")).exit_code == 0
    before = {row["datastream_id"] for row in csv.DictReader(io.StringIO((exported / "o.csv").read_text()))}
    assert before == {f"{DEVICE}:temp", f"{OTHER}:temp"}
    home, history = workplace.settings.home, workplace.folder / "dagster-home"
    places = [home, history, exported]
    assert telling_of_stores() >= {"landing", "records", "quarantine"}

    where = ("erase", "messdorf", "--where", f"station_id={DEVICE}", "--exports", str(exported))
    dry = civitas(*where, "--dry-run").stdout
    for place in (
        "landing/bodies",
        "records/observation",
        "quarantine",
        "drop",
        "exports",
        "published/observation",
    ):
        assert place in dry, dry
    assert telling_of_stores(), "nothing goes by that"
    assert civitas(*where, "--yes", "somebody").exit_code == 1
    done = civitas(*where, "--yes", "messdorf")
    assert done.exit_code == 0, done.output
    assert (telling(*places), telling_of_stores()) == ([], set())
    if workplace.postgres_url:
        assert telling_tables(workplace.postgres_url) == []
    ask = "select datastream_id, count(*) from observation group by all"
    assert workplace.ask("messdorf", ask) == [(f"{OTHER}:temp", 4)], "what was beside it stays"
    (report,) = (body for key, body in stored().items() if key.startswith("retention/messdorf/erasures/"))
    kept = json.loads(report)
    assert kept["left"] == {}
    assert kept["found"]["landing/bodies"]["files"] >= 2

    # The source has it still, in an answer that is known and in a new one; and landing is read again.
    assert civitas("run").exit_code in {0, 1}
    town.pages["/boxes.csv"] = rows(DEVICE, OTHER, hour=13)
    civitas("run")
    civitas("rebuild", "messdorf", "--records")
    assert workplace.ask("messdorf", ask) == [(f"{OTHER}:temp", 6)]
    assert (telling(*places), telling_of_stores()) == ([], set())


def test_what_cannot_be_erased_is_said(kleinstadt: Workplace, command_in: CivitasIn) -> None:
    civitas = command_in(kleinstadt)
    refused = civitas("erase", "kleinstadt", "--where", "colour=red", "--dry-run")
    assert refused.exit_code == 1
    assert "'colour' is no text of a record; there are:" in refused.output
    assert "write COLUMN=VALUE" in civitas("erase", "kleinstadt", "--where", "station_id").output
    assert (
        "Nothing of it was found"
        in civitas("erase", "kleinstadt", "--where", "station_id=nobody", "--dry-run").stdout
    )
    assert kleinstadt.run("kleinstadt", Order()).ok

"""Canary secrets through many ways to fail: nothing that is written anywhere holds one of them, in any spelling.

A secret is in each place that can hold one. Servers repeat what they were sent, in all spellings that they know.
"""

from __future__ import annotations

import base64
import html
import io
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

import polars as pl
import psycopg
import pytest
import yaml
import zstandard
from psycopg.sql import SQL, Identifier, Literal

from civitas_assets.defs.messages import notify_of_faults
from testbed.serving import Loopback, Request
from tests.integration.conftest import CivitasIn, Workplace

PLACES = (
    "header", "query", "basic", "certificate", "sql", "sqlrow", "mqtt", "hook", "plain", "url", "probe", "postgres",
    "reader", "aws",
)  # fmt: skip
# What nobody has to escape is in all spellings; what somebody has to makes them differ.
CORES = {place: f"Kanari{place.title()}77x" for place in PLACES}
CANARIES = {place: f'{core}/+ "&%ü' for place, core in CORES.items()}
CANARIES |= {name: f"{CORES[name]}-/+&" for name in ("header", "query", "basic")}
SENT = ("header", "query", "basic")
MARK = "what-any-scan-finds"


def spellings(text: str) -> list[str]:
    body = text.encode()
    return [
        text, quote(text, safe=""), json.dumps(text), json.dumps(text).replace("/", "\\/"), html.escape(text),
        body.hex(), *(base64.b64encode(b"x" * n + body + b"x").decode() for n in range(3)),
        "".join(f"%{byte:02X}" for byte in body), "".join(f"\\u{ord(char):04x}" for char in text),
    ]  # fmt: skip


class Echo:
    """A server that fails in all ways, each at a path of its own, and repeats what it was sent whenever it can."""

    def __init__(self) -> None:
        self.received = ""
        self.hangs, self.closing = threading.Event(), threading.Event()
        echo = self

        class Handler(Request):
            def do_GET(self) -> None:
                echo.answer(self)

            def do_POST(self) -> None:
                echo.answer(self)

        self._server = Loopback(Handler)
        self.port = self._server.port
        self.url = f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.closing.set()
        self._server.close()

    def sent(self, request: Request) -> list[str]:
        """The secrets of a request as they are meant."""
        query = parse_qs(urlsplit(request.path).query)
        login = request.headers.get("Authorization", "").removeprefix("Basic ")
        try:
            password = base64.b64decode(login).decode().partition(":")[2]
        except ValueError:
            password = login
        found = [request.headers.get("X-Key", ""), *query.get("apikey", []), password]
        self.received += request.path + str(request.headers) + "".join(found)
        return [text for text in found if text]

    def answer(self, request: Request) -> None:
        secrets = self.sent(request)
        dump = f"{request.requestline}\n{request.headers}{secrets}"
        said = [*secrets, *(form for text in secrets for form in spellings(text)), *spellings(dump)]
        name = urlsplit(request.path).path.strip("/").partition(".")[0]
        status, body, headers = self.answers(name, said, secrets[0] if secrets else "")
        if name in {"hang", "slow"}:
            self.hangs.set()
            self.closing.wait(300)
            return
        request.send_response(status)
        for key, value in headers.items():
            request.send_header(key, value.replace("\n", " "))
        cut = 10 if name == "cut" else 0
        request.send_header("Content-Length", str(len(body) + cut))
        request.end_headers()
        request.wfile.write(body)

    def answers(self, name: str, said: list[str], one: str) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers, by what is asked for."""
        text = json.dumps([MARK, *said])
        rows = [f'"{form.replace(chr(34), chr(34) * 2)}"' for form in said]
        table = "\n".join([
            "time,id,count,said", *(f"2026-08-20T{n % 24:02d}:00:00Z,1,{n},{row}" for n, row in enumerate(rows))
        ])  # fmt: skip
        site = {"id": f"{MARK} {one}", "free": 3, "x": 9.1, "y": 50.1, "at": "2026-08-20T12:00:00", one: said}
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", table)
        away = f"http://other.example:1/{quote(one)}?token={quote(one)}"
        found: dict[str, tuple[int, str | bytes, dict[str, str]]] = {
            "denied": (401, json.dumps({"error": f"no login with {said}"}), {"WWW-Authenticate": one}),
            "dump": (500, f"<html><title>{html.escape(str(said))}</title>", {}),
            "busy": (503, text, {"Retry-After": one}),
            "away": (302, "", {"Location": away}),
            "loop": (302, "", {"Location": f"/loop.csv?x={quote(one)}"}),
            "broken": (200, f'[{{"id": "{one}", {text}', {}),
            "next": (200, json.dumps({"rows": [site], "next": away}), {}),
            "tags": (200, table, {"ETag": f'"{one}"', "Last-Modified": one, "Content-Type": f"text/{one}",
                                  "Link": f"<{away}>; rel=next", "X-Total-Count": one}),
            "echo": (200, table, {}),
            "wrong": (200, f"time,id,count\n{one},1,{one}\n2026-08-20T01:00:00Z,{one},1\n", {}),
            "names": (200, json.dumps([site]), {}),
            "coding": (200, text, {"Content-Encoding": one}),
            "zip": (200, packed.getvalue(), {"Content-Type": "application/zip"}),
            "cut": (200, text, {}),
            "page": (200, f"<!doctype html><title>{html.escape(one)}</title>{text}", {}),
            "xml": (200, f"<a><b>{html.escape(one)}</b>", {}),
        }  # fmt: skip
        status, body, headers = found.get(name, (404, text, {}))
        return status, body if isinstance(body, bytes) else body.encode(), headers


@pytest.fixture
def echo() -> Iterator[Echo]:
    """The server."""
    server = Echo()
    yield server
    server.close()


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def tenant(echo: Echo, database: str, destination: str = "duckdb") -> dict[str, Any]:
    """A town with a source for each way to fail."""
    asked = {
        "title": "Echo", "licence": "CC0-1.0",
        "headers": {"X-Key": {"secret": "HAFEN_HEADER"}}, "query": {"apikey": {"secret": "HAFEN_QUERY"}},
        "basic_auth": {"username": "hafen", "password": {"secret": "HAFEN_BASIC"}},
        "http": {"requests_per_second": 200, "attempts": 1, "timeout": "1 s"},
    }  # fmt: skip
    csv = {
        **asked, "connector": "csv", "record_type": "observation",
        "time": {"column": "time", "zone": "offset", "interval": "1 hour"},
        "fields": {"datastream_id": "id", "value": "count"},
        "constants": {"station_id": "s", "observed_property": "traffic.bicycle_count", "unit": "1"},
    }  # fmt: skip
    parking = {
        **asked, "connector": "json", "record_type": "parking_status",
        "fields": {"site_id": "id", "free": "free", "lon": "x", "lat": "y"},
        "time": {"column": "at", "zone": "local_wall"},
    }  # fmt: skip
    plain = {key: value for key, value in parking.items() if key not in {"headers", "query", "basic_auth"}}
    sql = {
        **plain,
        "connector": "sql",
        "password": {"secret": "HAFEN_SQL"},
        "url": database,
        "table": "public.echo",
    }
    queue = {"client_id": "c", "username": "hafen", "password": {"secret": "HAFEN_MQTT"}, "quiet": "1 s"}
    sources: dict[str, dict[str, Any]] = {
        **{name: {**csv, "url": f"{echo.url}/{name}.csv"} for name in (
            "denied", "dump", "busy", "away", "loop", "tags", "echo", "wrong", "coding", "zip", "cut", "page", "hang",
        )},
        **{name: {**parking, "url": f"{echo.url}/{name}.json"} for name in ("broken", "names")},
        "next": {**parking, "url": f"{echo.url}/next.json", "records": "rows", "next": "next"},
        "xml": {**asked, "connector": "datex2", "publication": "parking", "url": f"{echo.url}/xml.xml"},
        "refused": {**csv, "url": f"http://127.0.0.1:{closed_port()}/"},
        "tls": {**csv, "url": f"https://127.0.0.1:{echo.port}/"},
        "certificate": {**csv, "url": f"https://127.0.0.1:{echo.port}/c", "certificate": {
            "file": {"secret": "HAFEN_FILE"}, "password": {"secret": "HAFEN_CERTIFICATE"}}},
        "nameless": {**csv, "url": "http://nowhere.invalid/"},
        "unset": {**csv, "url": echo.url, "query": {"apikey": {"secret": "HAFEN_UNSET"}}},
        "rows": {**sql, "password": {"secret": "HAFEN_SQLROW"}, "url": database.replace("//", "//kanari_", 1)},
        "login": {**sql, "url": database.replace("//", "//nobody_", 1)},
        "statement": {**{k: v for k, v in sql.items() if k != "table"}, "select": "select wrong",
                      "password": {"secret": "HAFEN_SQLROW"}, "url": database.replace("//", "//kanari_", 1)},
        "server": {**sql, "url": f"mysql+pymysql://u@127.0.0.1:{closed_port()}/d"},
        "broker": {"title": "Echo", "licence": "CC0-1.0", "connector": "lorawan", "queue": queue,
                   "url": f"mqtt://127.0.0.1:{closed_port()}", "http": {"timeout": "2 s"}},
        "no_broker": {"title": "Echo", "licence": "CC0-1.0", "connector": "lorawan", "queue": queue,
                      "url": f"mqtt://127.0.0.1:{echo.port}", "http": {"timeout": "2 s"}},
    }  # fmt: skip
    return {
        "name": "Hafen", "ags": "99000095", "bbox": [9.0, 50.0, 9.2, 50.2], "destination": destination,
        "notify": {"secret": "HAFEN_HOOK"}, "sources": sources,
    }  # fmt: skip


@pytest.fixture
def database(postgres_url: str) -> Iterator[str]:
    """A database with a table that holds the password of who reads it; its address without a login."""
    login, canary = f"kanari_u{os.getpid()}", CANARIES["sqlrow"]
    parts = urlsplit(postgres_url)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        made = "create role {} login password {}"
        connection.execute(SQL(made).format(Identifier(login), Literal(canary)))
        connection.execute("create table echo (id text, free int, x float, y float, at timestamp, said text)")
        row = "insert into echo values ({}, 1, 9.1, 50.1, '2026-08-20 12:00', {})"
        connection.execute(SQL(row).format(Literal(f"{MARK} {canary}"), Literal(json.dumps(canary))))
        connection.execute(SQL("grant select on echo to {}").format(Identifier(login)))
        yield urlunsplit(parts._replace(netloc=f"u{os.getpid()}@{parts.hostname}:{parts.port}"))
        connection.execute(SQL("drop owned by {0}; drop role {0}").format(Identifier(login)))


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """All that is written below the folder; what is packed as what it holds, too."""
    for file in folder.rglob("*"):
        if file.is_symlink() or not file.is_file():
            continue
        body = file.read_bytes()
        yield f"{file} (its name)", str(file).encode()
        yield str(file), body
        if file.suffix == ".zst":
            yield f"{file}, unpacked", zstandard.ZstdDecompressor().decompress(body)
        elif file.suffix == ".parquet":
            frame = pl.read_parquet(file).cast(pl.String, strict=False)
            yield f"{file}, as rows", json.dumps(frame.to_dicts(), ensure_ascii=False).encode()


def told_by(where: Mapping[str, bytes]) -> list[str]:
    """Which canaries are told where, in any spelling."""
    wanted = {
        place: {core.encode(), core.encode().hex().encode(), "".join(f"\\u{ord(c):04x}" for c in core).encode(),
                "".join(f"%{ord(c):02X}" for c in core).encode(),
                *(base64.b64encode(b"x" * n + core.encode())[4 if n else 0 : -4] for n in range(3))}
        for place, core in CORES.items()
    }  # fmt: skip
    return [
        f"{place} in {name}"
        for name, body in where.items()
        for place, forms in wanted.items()
        if any(form in body for form in forms)
    ]


class Kept(logging.Handler):
    """All that any library logs, at every level."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def everything_logged() -> Iterator[Kept]:
    """The log of the whole process."""
    root, handler = logging.getLogger(), Kept()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)


def test_no_canary_comes_back_by_any_way_to_fail(  # noqa: PLR0917 - fixtures
    workplace: Workplace,
    echo: Echo,
    database: str,
    command_in: CivitasIn,
    monkeypatch: pytest.MonkeyPatch,
    everything_logged: Kept,
) -> None:
    for place, value in CANARIES.items():
        monkeypatch.setenv(f"HAFEN_{place.upper()}", value)
    monkeypatch.setenv("HAFEN_FILE", str(workplace.folder / "no-such.pem"))
    monkeypatch.setenv("HAFEN_HOOK", f"json://127.0.0.1:{echo.port}/dump/{quote(CANARIES['hook'], safe='')}")
    told: dict[str, bytes] = {}
    civitas = command_in(workplace)

    def said(name: str, *arguments: str) -> str:
        called = civitas(*arguments)
        told[f"output of {name}"] = called.output.encode()
        return str(called.output)

    written = tenant(echo, database)
    workplace.write_tenant("hafen", yaml.safe_dump(written, allow_unicode=True))
    output = said("a run", "run", "--tenant", "hafen")
    failed = {name for name in written["sources"] if f"· {name}" in output}
    fine = {"tags", "echo", "names", "rows"}
    assert failed >= written["sources"].keys() - fine, output
    assert all(CORES[place] in echo.received for place in SENT), "they were sent"
    said("the same again", "run", "--tenant", "hafen", "--sources", "tags,echo,names,rows,wrong")
    assert "secret_repeated" in said("the state", "status", "hafen", "--json")
    said("the state as a table", "status", "hafen")
    said("the quarantine", "quarantine", "list", "hafen")
    for name in ("denied", "echo", "wrong", "names", "rows", "statement"):
        said(f"a probe of {name}", "probe", "hafen", name)
    login = f"//kanari:{CORES['probe']}@"
    address = f"{echo.url}/names.json?apikey={quote(CANARIES['probe'])}".replace("//", login)
    assert "basic_auth:" in said("a probe of an address", "probe", address)
    said("a probe of a broken address", "probe", address.replace("names", "denied"))
    said("a query", "query", "hafen", "select * from parking_status, observation")
    said("the history of runs", "purge")

    # Files of tenants that hold what they must not, each in a place of its own.
    for number, source in enumerate((
        {"url": f"https://u:{CORES['url']}@data.example/"}, {"url": f"https://data.example/?token={CORES['url']}"},
        {"headers": {"Authorization": f"Bearer {CANARIES['plain']}"}}, {"query": {"apikey": [CANARIES["plain"]]}},
        {"headers": {"X": {"secret": CANARIES["plain"]}}},
        {"basic_auth": {"username": 1, "password": CANARIES["plain"]}},
        {"connector": "sql", "table": "t", "url": f"postgresql://u:{CORES['url']}@db.example/d"},
    )):  # fmt: skip
        faulty = {**written, "sources": {"a": {**written["sources"]["echo"], **source}}}
        told[f"file {number}"] = b""
        workplace.write_tenant(f"faulty{number}", yaml.safe_dump(faulty))
    output = said("a check of files", "validate")
    assert all(f"faulty{number}.yaml" in output for number in range(7))
    said("the operator's page", "report")
    for number in range(7):  # what tenants write themselves is theirs
        (workplace.settings.tenants_dir / f"faulty{number}.yaml").unlink()

    # Messages to people whose service fails, and a deployment whose own services refuse it.
    deployment = workplace.deployment
    faults = [f"denied: {output}", "loop"]
    assert not notify_of_faults(deployment, "hafen", faults, "http://ui.example/runs/1")
    assert CORES["hook"] in echo.received
    wrong = urlsplit(database)
    for name, place in (("CIVITAS_POSTGRES_URL", "postgres"), ("CIVITAS_POSTGRES_READERS", "reader")):
        netloc = f"nobody_{{tenant}}:{quote(CANARIES[place], safe='')}@{wrong.hostname}:{wrong.port}"
        monkeypatch.setenv(name, urlunsplit(wrong._replace(netloc=netloc)).replace(
            "{tenant}", "x" if place == "postgres" else "{tenant}"))  # fmt: skip
    workplace.write_tenant("werft", yaml.safe_dump({**tenant(echo, database, "postgres"), "notify": None, "sources": {
        "counters": {**written["sources"]["echo"], "headers": {}, "query": {}, "basic_auth": None}}}))  # fmt: skip
    assert "werft" in said("a database that refuses", "run", "--tenant", "werft")
    said("a query that is refused", "query", "werft", "select 1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"{echo.url}/denied")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", CORES["aws"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARIES["aws"])
    monkeypatch.setenv("CIVITAS_STORAGE_URL", "s3://kanari/x")
    said("a storage that refuses", "status")
    for name in ("CIVITAS_STORAGE_URL", "AWS_ENDPOINT_URL", "CIVITAS_POSTGRES_URL"):
        monkeypatch.delenv(name)

    # A run that is killed while a server lets it wait.
    slow = {**written["sources"]["hang"], "url": f"{echo.url}/slow.csv", "http": {"timeout": "1 min"}}
    both = {"slow": slow, "echo": written["sources"]["echo"]}
    workplace.write_tenant("hafen", yaml.safe_dump({**written, "sources": both}))
    echo.hangs.clear()
    with (workplace.folder / "killed.txt").open("wb") as out:
        run = subprocess.Popen(
            [sys.executable, "-m", "civitas_assets.cli", "run", "--tenant", "hafen"],
            stdout=out, stderr=out, env={**workplace.environment(), "CIVITAS_LOG_LEVEL": "DEBUG"},
        )  # fmt: skip
        try:
            assert echo.hangs.wait(120), "it has asked"
        finally:
            run.send_signal(signal.SIGKILL)
            run.wait()

    (workplace.settings.tenants_dir / "hafen.yaml").unlink()
    (workplace.settings.tenants_dir / "werft.yaml").unlink()
    told |= dict(contents(workplace.folder))
    told["the log of all libraries"] = "\n".join(everything_logged.lines).encode()
    hits = told_by(told)
    assert not hits, "\n".join(hits)
    assert sum(MARK.encode() in body for body in told.values()) > 5, (
        "it looks into landing, records and tables"
    )
    assert sum(b"httpx2" in line.encode() for line in everything_logged.lines) == 0
    suffixes = {Path(name.partition(",")[0].partition(" (")[0]).suffix for name in told}
    assert suffixes >= {".zst", ".parquet", ".duckdb", ".db", ".html", ".json", ".jsonl"}, suffixes

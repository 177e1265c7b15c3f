"""The scenarios over a network: fetching from a service that answers late, with the floor measured beside it.

How answers that have landed become records, alone, is measured in `scenarios.py`.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import msgspec

from benchmarks.data import OBSERVATIONS, ROWS, START
from benchmarks.town import NOW, Figures, tenant_of
from civitas_assets.catalog import Window
from civitas_assets.connectors.base import Payload, Request
from civitas_assets.connectors.reachable import LOCAL
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.ingest.fetch import fetch_sources
from civitas_assets.ingest.read_all import read_sources
from civitas_assets.store.files import LocalFiles
from civitas_assets.store.landing import SourceLanding
from civitas_assets.store.stores import Stores


@contextmanager
def _service(form: str) -> Iterator[int]:
    """The port of a SensorThings service that answers 50 ms late, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.server", form]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield int(process.stdout.readline())
        process.communicate()


def _fetch(folder: Path, form: str) -> Figures:
    """Fetched, landed and decoded into tables; then, instead of only decoded, read into the record store.

    The same addresses, fetched by as many threads of the bare client and decoded into untyped objects, are the floor.
    """
    with _service(form) as port:
        tenant, files = tenant_of(folder, port), LocalFiles(folder / "home")
        sources = {"sensors": tenant.sources["sensors"]}
        window = Window(START.date(), (START + timedelta(minutes=15 * ROWS)).date())
        started = time.perf_counter()
        with HttpClient("benchmark", clock=lambda: datetime.now(UTC), secrets=str, reachable=LOCAL) as client:
            (fetched,) = fetch_sources(tenant, sources, CONNECTORS, window, files, client, lambda: NOW)
        landed = time.perf_counter()
        assert fetched.ok, fetched.error
        landing = SourceLanding(files, "messstadt", "sensors")
        lines = [line for manifest in landing.list_manifests() for line in manifest.lines]
        connector, rows = CONNECTORS["sensorthings"], 0
        for line in lines:
            body = landing.read_body(line.sha256)
            asked = Request(line.url, line.role, line.variables)
            payload = Payload(asked, body, line.fetched_at, line.content_type)
            tables = connector.read(sources["sensors"], payload)
            rows += sum(table.frame.height for table in tables if table.record_type == "observation")
        decoded = time.perf_counter()
        assert rows == OBSERVATIONS, rows
        stores = Stores.for_tenant(files, tenant.slug)
        (report,) = read_sources(tenant, sources, CONNECTORS, stores, "benchmark")
        stored = time.perf_counter()
        assert report.counts["observation"].new == OBSERVATIONS, report.errors
        addresses = [line.url for line in lines if line.role == "observations"]
        floor = time.perf_counter()
        with httpx2.Client() as bare, ThreadPoolExecutor(32) as pool:
            bodies = pool.map(lambda url: bare.get(url).content, addresses)
            found = sum(len(body) for body in bodies if msgspec.json.decode(body)["value"])
        floor = time.perf_counter() - floor
    return {
        "observations_per_second": OBSERVATIONS / (decoded - started),
        "fetch and land": landed - started,
        "decode into tables": decoded - landed,
        "records_per_second": OBSERVATIONS / (landed - started + stored - decoded),
        "read into the store": stored - decoded,
        "floor_per_second": OBSERVATIONS / floor,
        "requests": float(len(lines)),
        "input_mb": found / 1e6,
    }


def fetch_flat(folder: Path) -> Figures:
    """A million observations from a service 50 ms away, in plain pages."""
    return _fetch(folder, "plain")


def fetch_data_arrays(folder: Path) -> Figures:
    """A million observations from a service 50 ms away, in data arrays."""
    return _fetch(folder, "compact")

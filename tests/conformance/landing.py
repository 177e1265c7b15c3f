"""One night of one source against a service in memory: what is landed, read, rejected and told.

The client, the session, landing and the record store are the product's own; only the wire is in memory.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx2
import polars as pl

from civitas_assets.catalog import Tenant, Window
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.ingest.fetch import fetch_sources
from civitas_assets.ingest.read_all import read_sources
from civitas_assets.records import RECORD_TYPES
from civitas_assets.store.files import LocalFiles
from civitas_assets.store.stores import Stores

HOST = "https://data.example"
BOX = (7.0, 51.0, 8.0, 52.0)
WINDOW = Window(date(2026, 7, 1), date(2026, 7, 2))
START, END = datetime(2026, 6, 30, 22, tzinfo=UTC), datetime(2026, 7, 2, 22, tzinfo=UTC)  # of the window
NOW = datetime(2026, 7, 3, tzinfo=UTC)

Service = Callable[[httpx2.Request], httpx2.Response]


@dataclass(frozen=True)
class Night:
    """What became of a source: accepted records and rejected rows by record type, and all that was told."""

    records: Mapping[str, pl.DataFrame]
    rejected: int
    told: tuple[str, ...]
    quarantined: pl.DataFrame

    def rows(self, record_type: str, *columns: str) -> list[tuple[Any, ...]]:
        """The current revision of each record, sorted."""
        frame = self.records[record_type]
        key = list(RECORD_TYPES[record_type].key)
        return sorted(frame.sort("revision").group_by(key).last().select(columns).rows(), key=repr)


@contextmanager
def _folder() -> Any:
    """A folder in memory where there is one: what reaches a disk is proven elsewhere."""
    memory = Path("/dev/shm")  # noqa: S108 - only where to keep what the test itself makes
    home = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    try:
        yield home
    finally:
        shutil.rmtree(home)


def land(settings: Mapping[str, Any], service: Service) -> Night:
    """Fetch the source for two days of July and read what has landed."""
    source = {
        "title": "Test",
        "licence": "CC0-1.0",
        "url": HOST,
        "http": {"requests_per_second": 200.0, "attempts": 1},
    }
    model = CONNECTORS[settings["connector"]].source_model.model_validate(source | dict(settings))
    tenant = Tenant.model_validate(
        {"name": "Town", "ags": "05515000", "bbox": BOX, "sources": {"s": model.with_place("s", BOX)}}
    ).with_key("town")
    transport, passed = httpx2.MockTransport(service), [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += seconds

    with (
        _folder() as home,
        HttpClient(
            "test",
            clock=lambda: NOW,
            secrets=str,
            transport=transport,
            sleep=sleep,
            monotonic=lambda: passed[0],
        ) as client,
    ):
        files = LocalFiles(home)
        stores = Stores.for_tenant(files, "town")
        (fetched,) = fetch_sources(tenant, tenant.sources, CONNECTORS, WINDOW, files, client, lambda: NOW)
        (read,) = read_sources(tenant, tenant.sources, CONNECTORS, stores, "run")
        records = {
            name: stores.records.read_rows(contract, stores.records.list_days(contract))
            for name, contract in RECORD_TYPES.items()
            if name in tenant.sources["s"].record_types()
        }
        quarantined = stores.quarantine.read_rows()
        rejected = sum(counts.rejected for counts in read.counts.values())
    notes = [
        str(getattr(note, "text", note))
        for report in (fetched, read)
        for note in getattr(report, "notes", ())
    ]
    told = (fetched.error, *read.errors, *getattr(read, "warnings", ()), *notes)
    return Night(records, rejected, tuple(filter(None, told)), quarantined)


def answer(value: Any, headers: Mapping[str, str] | None = None, status: int = 200) -> httpx2.Response:
    """A response with a document of JSON."""
    return httpx2.Response(status, json=value, headers=headers)

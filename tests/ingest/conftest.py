"""A town with sources, a publisher in memory whose clock is the test's, and what a night of work does with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from civitas_assets.catalog import Source, Tenant, Window
from civitas_assets.connectors.base import Connector
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.ingest.fetch import fetch_sources
from civitas_assets.ingest.read_all import read_sources
from civitas_assets.ingest.reports import FetchReport, ReadReport
from civitas_assets.records import RECORD_TYPES
from civitas_assets.store.files import Files, LocalFiles
from civitas_assets.store.landing import SourceLanding
from civitas_assets.store.stores import Stores
from civitas_assets.store.summary import SourceSummary, SummaryStore

HOST = "https://data.example/"
WEEK = Window(date(2026, 7, 1), date(2026, 7, 2))


class Publisher:
    """Serves bodies by path, with entity tags unless they are switched off, and notes what it was asked."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes | int] = {}
        self.tags = True
        self.asked: list[tuple[str, int]] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        path = str(request.url).removeprefix(HOST)
        body = self.bodies.get(path, 404)
        tag = f'"{hash(body)}"' if self.tags else None
        if isinstance(body, int):
            status, body, tag = body, b"", None
        else:
            status = 304 if tag and request.headers.get("if-none-match") == tag else 200
        self.asked.append((path, status))
        return httpx2.Response(
            status, content=b"" if status == 304 else body, headers={"etag": tag} if tag else {}
        )

    @property
    def paths(self) -> list[str]:
        return sorted(path for path, _ in self.asked)


class Town:
    """One tenant, night by night."""

    def __init__(self, home: Path, publisher: Publisher) -> None:
        self.home = home
        self.files: Files = LocalFiles(home)
        self.publisher = publisher
        self.now = datetime(2026, 7, 3, tzinfo=UTC)
        self._passed = 0.0
        self.tenant = self.with_sources()
        self.client = HttpClient(
            "test",
            clock=lambda: self.now,
            secrets=lambda name: name,
            transport=httpx2.MockTransport(publisher),
            sleep=self._sleep,
            monotonic=lambda: self._passed,
        )

    def _sleep(self, seconds: float) -> None:
        self._passed += seconds

    def with_sources(self, **sources: dict[str, Any]) -> Tenant:
        """The tenant with these sources; each is a CSV file of observations unless it says otherwise."""
        csv = {
            "connector": "csv",
            "title": "Test",
            "licence": "CC0-1.0",
            "url": HOST + "{file}.csv",
            "each": {"file": ("a",)},
            "record_type": "observation",
            "time": {"column": "t", "zone": "utc"},
            "fields": {"datastream_id": "id", "value": "v"},
            "http": {"requests_per_second": 200.0, "attempts": 1},
        }
        models: dict[str, Source] = {}
        for name, more in sources.items():
            settings = {**csv, **more}
            settings = {key: value for key, value in settings.items() if value is not None}
            models[name] = (
                CONNECTORS[settings["connector"]]
                .source_model.model_validate(settings)
                .with_place(name, (7.0, 51.0, 8.0, 52.0))
            )
        self.tenant = Tenant.model_validate(
            {"name": "Town", "ags": "05515000", "bbox": (7.0, 51.0, 8.0, 52.0), "sources": models}
        ).with_key("town")
        return self.tenant

    def fetch(self, connectors: Mapping[str, Connector] = CONNECTORS) -> dict[str, FetchReport]:
        """Fetch all sources; a night passes."""
        self.now += timedelta(days=1)
        reports = fetch_sources(
            self.tenant,
            self.tenant.sources,
            connectors,
            WEEK,
            self.files,
            self.client,
            lambda: self.now,
        )
        return {report.source: report for report in reports}

    def read(
        self, connectors: Mapping[str, Connector] = CONNECTORS, run_id: str = "run"
    ) -> dict[str, ReadReport]:
        """Read what has landed."""
        reports = read_sources(self.tenant, self.tenant.sources, connectors, self.stores, run_id)
        return {report.source: report for report in reports}

    def night(self) -> ReadReport:
        """Fetch and read the one source."""
        self.fetch()
        (report,) = self.read().values()
        return report

    @property
    def stores(self) -> Stores:
        return Stores.for_tenant(self.files, "town")

    def landing(self, source: str = "s") -> SourceLanding:
        return SourceLanding(self.files, "town", source)

    def summary(self, source: str = "s") -> SourceSummary:
        """What the runs so far have left for the overview."""
        return SummaryStore(self.files, "town").read().get_source(source)

    def values(self, *columns: str) -> list[tuple[Any, ...]]:
        """Stored observations."""
        contract, records = RECORD_TYPES["observation"], self.stores.records
        names = columns or ("datastream_id", "phenomenon_start", "value", "revision")
        return sorted(records.read_rows(contract, records.list_days(contract)).select(names).rows(), key=str)


@pytest.fixture
def publisher() -> Publisher:
    return Publisher()


@pytest.fixture
def town(tmp_path: Path, publisher: Publisher) -> Iterator[Town]:
    """A town with one source `s` of one file `a.csv`."""
    town = Town(tmp_path, publisher)
    town.with_sources(s={})
    with town.client:
        yield town


@pytest.fixture
def csv() -> Callable[..., bytes]:
    """A file of values, one for each hour of the first of July."""

    def body(*values: object, header: str = "id,v,t") -> bytes:
        rows = (f"d,{value},2026-07-01T{hour:02}:00" for hour, value in enumerate(values))
        return "\n".join([header, *rows, ""]).encode()

    return body

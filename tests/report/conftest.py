"""A town whose published tables, runs and sources a test fills row by row, and a browser that looks at its pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from msgspec.structs import replace

from civitas_assets.catalog import Tenant, load_catalog
from civitas_assets.catalog.frame import Frame
from civitas_assets.connectors.registry import SOURCE_MODELS
from civitas_assets.dictionary.contracts import Contract, read_contracts
from civitas_assets.errors import HttpStatusError
from civitas_assets.harmonise.project import Project
from civitas_assets.publish.reading import open_published
from civitas_assets.report.morning import Morning, gather_morning
from civitas_assets.settings import Settings
from civitas_assets.store.files import LocalFiles
from civitas_assets.store.nights import Night, NightBook, SourceNight
from civitas_assets.store.stores import Stores
from civitas_assets.store.summary import SummaryStore

NOW = datetime(2026, 8, 22, 4, 30, tzinfo=UTC)
TODAY = date(2026, 8, 22)

TOWN = """
name: Beispielstadt
ags: "99000001"
bbox: [9.9, 50.9, 10.1, 51.1]
sources:
  air:
    title: Luftmessnetz
    connector: json
    licence: dl-de/by-2-0
    attribution: Stadtwerke <Beispielstadt>
    url: "https://air.example/values"
    headers: {Authorization: {secret: AIR_TOKEN}}
    record_type: observation
    fields: {datastream_id: id, value: v}
    time: {column: at, zone: utc}
  counters:
    title: "<script>alert('Zählstellen')</script>"
    connector: json
    licence: CC0-1.0
    url: "https://counters.example/values"
    record_type: observation
    fields: {datastream_id: id, value: v}
    time: {column: at, zone: utc}
"""


@dataclass
class Town:
    """A deployment with one tenant."""

    folder: Path
    contracts: Mapping[str, Contract]
    tenant: Tenant = field(init=False)
    now: datetime = NOW

    def __post_init__(self) -> None:
        self.write_tenant("beispielstadt", TOWN)
        self.tenant = self.catalog["beispielstadt"]

    def write_tenant(self, slug: str, text: str) -> None:
        self.settings.tenants_dir.mkdir(parents=True, exist_ok=True)
        (self.settings.tenants_dir / f"{slug}.yaml").write_text(text, encoding="utf-8")

    @property
    def catalog(self) -> Mapping[str, Tenant]:
        return load_catalog(self.settings.tenants_dir, SOURCE_MODELS, Frame(secrets=("AIR_TOKEN",))).tenants

    @property
    def settings(self) -> Settings:
        return Settings(home=self.folder, tenants_dir=self.folder / "tenants")

    @property
    def files(self) -> LocalFiles:
        return LocalFiles(self.folder)

    @property
    def stores(self) -> Stores:
        return Stores.for_tenant(self.files, self.tenant.slug)

    @property
    def published(self) -> Path:
        return self.settings.published / self.tenant.slug / f"{self.tenant.slug}_db.duckdb"

    def publish(self) -> None:
        """All tables by their contracts, empty."""
        self.published.parent.mkdir(parents=True)
        with duckdb.connect(str(self.published)) as connection:
            for contract in self.contracts.values():
                columns = ", ".join(f'"{name}" {column.type}' for name, column in contract.columns.items())
                connection.execute(f'create table "{contract.name}" ({columns})')

    def ask(self, sql: str, parameters: list[object] | None = None) -> None:
        with duckdb.connect(str(self.published)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute(sql, parameters)

    def insert(self, model: str, *rows: Mapping[str, object]) -> None:
        for row in rows:
            names = ", ".join(f'"{name}"' for name in row)
            marks = ", ".join("?" * len(row))
            self.ask(f'insert into "{model}" ({names}) values ({marks})', [*row.values()])  # noqa: S608

    def run_at(self, at: datetime, **more: Any) -> None:
        """A run that all sources have answered, unless said otherwise."""
        sources = {"air": SourceNight(requests=1), "counters": SourceNight(requests=1)}
        night = {"published": True, "sources": sources, **more}
        book = NightBook(self.files, self.tenant.slug)
        book.write(Night.from_summary(f"run-{at:%d%H}", at, at + timedelta(seconds=9), **night))
        outcomes: Mapping[str, SourceNight] = night["sources"]
        for name, outcome in outcomes.items():
            answered = {} if outcome.fetch_error else {"answered_at": at, "heard_at": at}
            errors = {"error": outcome.fetch_error, "read_error": outcome.read_error}
            self.summarise(name, asked_at=at, **errors, **answered)

    def summarise(self, source: str, **what: Any) -> None:
        """What runs leave of a source."""
        SummaryStore(self.files, self.tenant.slug).change_sources(
            {source: lambda known: replace(known, **what)}
        )

    def fetched(self, source: str, at: datetime) -> None:
        self.summarise(source, heard_at=at, brought_at=at)

    def morning(self, now: datetime = NOW) -> Morning:
        return gather_morning(self.settings, self.tenant, self.stores, self.contracts, now)

    @property
    def tables(self) -> Any:
        return open_published(self.settings, self.tenant.slug)


def fill(town: Town) -> None:
    """Three weeks of a station with a gap and doubtful values, and one of a counter that has broken off."""
    town.publish()
    town.insert(
        "observed_property",
        {
            "observed_property": "air.no2",
            "label_de": "Stickstoffdioxid",
            "label_en": "nitrogen dioxide",
            "unit": "ug/m3",
            "aggregation": "mean",
        },
        {
            "observed_property": "traffic.bicycle_count",
            "label_de": "Fahrräder",
            "label_en": "bicycles",
            "unit": "1",
            "aggregation": "sum",
        },
    )
    series = """
        insert into {model} by name
        select 'air:1' as datastream_key, 'air:s1' as station_key,
          timezone('Europe/Berlin', day)::date as day, {columns}
        from (select unnest(generate_series(timestamptz '2026-08-01 22:00:00+00', timestamptz '2026-08-20 22:00:00+00',
          interval '{step}')) as day)
        where day::date not between '2026-08-10' and '2026-08-12'
    """
    thing = "'air.no2' as observed_property, 'ug/m3' as unit, "
    daily = thing + "20.5 as value, 4.0 as minimum, 61.25 as maximum, 22 as valid_count, 2 as suspect_count"
    hourly = (
        thing + "day as hour_start_at, 20.5 as value, 4.0 as minimum, 61.25 as maximum, 1 as valid_count,"
        " if(hour(day) = 3, 1, 0) as suspect_count"
    )
    observed = (
        thing
        + "day as phenomenon_start_at, day + interval 1 hour as phenomenon_end_at, 'air' as source, 20.5 as value,"
        " if(hour(day) in (3, 4), 'suspect', 'good') as quality_code,"
        " if(hour(day) in (3, 4), 'range', null) as quality_rule"
    )
    covered = (
        "'air' as source, 24 as record_count, 24 as value_count, 24 as expected_count, 1.0 as coverage_ratio"
    )
    town.ask(series.format(model="observation_daily", columns=daily, step="1 day"))
    town.ask(series.format(model="observation_hourly", columns=hourly, step="1 hour"))
    town.ask(series.format(model="observation", columns=observed, step="1 hour"))
    town.ask(series.format(model="coverage", columns=covered, step="1 day"))
    for day, count in ((14, 300), (15, 200)):
        town.insert(
            "observation_daily",
            {
                "datastream_key": "counters:1",
                "observed_property": "traffic.bicycle_count",
                "unit": "1",
                "day": date(2026, 8, day),
                "value": float(count),
                "minimum": 1.0,
                "maximum": 20.0,
                "valid_count": 96,
                "suspect_count": 0,
            },
        )
        town.insert(
            "coverage",
            {
                "source": "counters",
                "station_key": "counters:c1",
                "day": date(2026, 8, day),
                "record_count": 96,
                "value_count": 96,
                "expected_count": 96,
                "coverage_ratio": 0.5,
            },
        )
    town.insert(
        "station",
        {
            "station_key": "air:s1",
            "station_id": "s1",
            "name": "Markt & Rathaus",
            "source": "air",
            "lon": 10.0,
            "lat": 51.0,
        },
        {
            "station_key": "counters:c1",
            "station_id": "c1",
            "name": "Brücke",
            "source": "counters",
            "lon": 10.05,
            "lat": 51.05,
        },
        {"station_key": "counters:c2", "station_id": "c2", "name": "Lager", "source": "counters"},
    )
    town.insert("parking_site", {"site_key": "p:1", "name": "Parkhaus Markt", "lon": 10.0, "lat": 51.0})
    town.insert(
        "rejected_record",
        {
            "source": "air",
            "record_type": "observation",
            "rule": "unknown_unit",
            "field": "unit",
            "day": date(2026, 8, 21),
            "record_count": 12,
            "example_detail": "ppb",
            "last_received_at": NOW - timedelta(hours=2),
        },
        {
            "source": "counters",
            "record_type": "observation",
            "rule": "not_a_number",
            "field": "value",
            "day": date(2026, 8, 2),
            "record_count": 3,
            "example_detail": "<b>fünf</b>",
            "last_received_at": NOW - timedelta(days=20),
        },
    )
    failed = SourceNight(
        fetch_error=HttpStatusError(503, "https://counters.example/values", "fetch later").to_problem()
    )
    sources = {"air": SourceNight(requests=3, new=24, changed=2, rejected=12), "counters": failed}
    for ago in (2, 1):
        town.run_at(NOW - timedelta(days=ago), sources=sources)
    town.run_at(NOW - timedelta(minutes=5), sources=sources)
    town.fetched("air", NOW - timedelta(minutes=5))
    town.fetched("counters", datetime(2026, 8, 16, tzinfo=UTC))


@pytest.fixture(scope="module")
def contracts(project: Project) -> Mapping[str, Contract]:
    """The contracts of the shared models."""
    return read_contracts(project)


@pytest.fixture
def empty_town(tmp_path: Path, contracts: Mapping[str, Contract]) -> Town:
    """A town that has never run."""
    return Town(tmp_path, contracts)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, contracts: Mapping[str, Contract]) -> Town:
    """The town with its weeks; tests that change it take one of their own."""
    made = Town(tmp_path_factory.mktemp("town"), contracts)
    fill(made)
    return made

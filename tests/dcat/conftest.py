"""A town that publishes openly: its file, and published tables made by hand."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest
import yaml

from civitas_assets.dictionary.contracts import Contract, ModelColumn
from civitas_assets.settings import PROJECT_DIR, Settings

SHARED = PROJECT_DIR / "dbt_project" / "models" / "shared"
TOWN = """\
name: Musterstadt
ags: "99000001"
bbox: [9.95, 50.95, 10.1, 51.1]
share: [{share}]
open_data:
  publisher: {{name: Stadt Musterstadt, url: "https://www.musterstadt.example/"}}
  contact: {{name: Statistikstelle, email: offene-daten@musterstadt.example, url: "https://www.musterstadt.example/kontakt"}}
  landing_page: "https://www.musterstadt.example/daten"
  downloads: {{url: "https://daten.musterstadt.example/export", formats: [csv, geojson, geoparquet]}}
  contributor: http://dcat-ap.de/def/contributors/musterstadt
  high_value: [air_quality_observed]
sources:
  air: {{connector: uba, title: Luft, stations: [DEHE046]}}
  water: {{connector: pegelonline, title: Pegel, stations: [MUSTER], cadence: every_15_minutes}}
  lots: &lots
    title: Parken
    connector: json
    licence: proprietary
    url: "https://lots.example/now"
    record_type: parking_status
    fields: {{site_id: id, occupied: used}}
    time: {{column: at, zone: offset}}
  agreed: {{<<: *lots, shareable: true}}
"""
SHARE = "air_quality_observed, station, event, parking_status, rejected_record, water_observed"
NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
CONTRACT = Contract(
    "station", "1.1.0", "One row per station.", "One row per station, with its place.", "none", "select 1",
    "as a whole", ("station_key",), {"station_key": ModelColumn("varchar", "Key.")},
)  # fmt: skip


@cache
def _columns(model: str) -> str:
    """Columns with their types, as the contract has them."""
    (file,) = SHARED.rglob(f"{model}.yml")
    described = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["models"]
    (columns,) = (found["columns"] for found in described if found["name"] == model)
    return ", ".join(f'"{column["name"]}" {column["data_type"]}' for column in columns)


class OpenTown:
    """A town with a file and published tables."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home, tenants_dir=home / "tenants")
        self.tables = self.settings.published / "town" / "town_db.duckdb"
        self.tables.parent.mkdir(parents=True)
        self.settings.tenants_dir.mkdir()
        self.say(TOWN.format(share=SHARE))

    def say(self, text: str) -> None:
        (self.settings.tenants_dir / "town.yaml").write_text(text, encoding="utf-8")

    def put(self, model: str, *rows: dict[str, Any]) -> None:
        """Publish rows; columns that are not said are null."""
        with duckdb.connect(str(self.tables)) as connection:
            connection.execute(f'create table if not exists "{model}" ({_columns(model)})')
            for row in rows:
                places = ", ".join("?" * len(row))
                statement = f'insert into "{model}" ({", ".join(row)}) values ({places})'  # noqa: S608
                connection.execute(statement, [*row.values()])


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Air, stations of two sources, an event, and car parks, one of which may be given away and none is open."""
    made = OpenTown(tmp_path_factory.mktemp("open"))
    made.put(
        "source",
        {"source": "air", "licence": "dl-de/by-2-0", "attribution": "Umweltbundesamt"},
        {"source": "water", "licence": "dl-de/zero-2-0"},
        {"source": "lots", "licence": "proprietary"},
        {"source": "agreed", "licence": "proprietary", "is_shareable": True},
        {"source": "gone", "licence": "CC0-1.0"},
    )
    at = {"received_at": NOON}
    made.put(
        "air_quality_observed",
        {"source": "air", "day": date(2026, 11, 1), **at},
        {"source": "air", "day": date(2026, 11, 2), **at},
    )
    made.put("station", {"source": "air", "lon": 10.0, "lat": 51.0, **at}, {"source": "water", **at})
    # Half past eleven at night in UTC is the next day in Berlin.
    made.put("event", {"source": "air", "start_at": datetime(2026, 6, 30, 23, 30, tzinfo=UTC), **at})
    made.put("parking_status", {"source": "lots", **at}, {"source": "agreed", **at})
    made.put("rejected_record", {"source": "air", "day": date(2026, 11, 1)})
    with duckdb.connect(str(made.tables)) as connection:
        connection.execute("create schema meta")
        content = msgspec.json.encode({"station": CONTRACT}).decode()
        connection.execute("create table meta.publication as select ? as contracts", [content])
    return made.tables


@pytest.fixture
def town(tmp_path: Path, published: Path) -> OpenTown:
    """A town of one's own with what is published."""
    made = OpenTown(tmp_path)
    shutil.copyfile(published, made.tables)
    return made

"""A town that publishes openly, with a folder of its own."""

from __future__ import annotations

from datetime import UTC, date, datetime

import duckdb
import msgspec
import pytest

from civitas_assets.dictionary.contracts import Contract, ModelColumn
from civitas_assets.ingest.catalogue import load_catalogue
from civitas_assets.opendata.folder_contents import FolderChange, make_open_folder
from civitas_assets.store.open_folder import OpenFolder
from civitas_assets.store.storage import make_storage
from tests.dcat.conftest import SHARE, TOWN, OpenTown
from tests.dcat.conftest import published as published  # noqa: PLC0414 - a fixture
from tests.dcat.conftest import town as town  # noqa: PLC0414

NOW = datetime(2026, 11, 4, 5, 0, tzinfo=UTC)
DOWNLOADS = (
    '  downloads: {url: "https://daten.musterstadt.example/export", formats: [csv, geojson, geoparquet]}\n'
)


class OfferingTown:
    """The town, whose file says that it has a folder."""

    def __init__(self, town: OpenTown) -> None:
        self._town, self.settings, self.tables = town, town.settings, town.tables
        self.put, self.files = town.put, make_storage(town.settings).files
        self.folder = OpenFolder(self.files, "town")
        self.say("{}")
        self.publish("r1")

    def say(self, folder: str, share: str = SHARE, **changes: str) -> None:
        """Write the tenant's file; without a folder, none is said."""
        text = TOWN.format(share=share).replace(DOWNLOADS, f"  folder: {folder}\n" if folder else "")
        for before, after in changes.items():
            text = text.replace(before, after)
        self._town.say(text)

    def publish(self, run: str) -> None:
        """Name what is published now."""
        columns = {
            "source": ModelColumn("varchar", "Source."),
            "station_key": ModelColumn("varchar", "Key.", nullable=False),
            "received_at": ModelColumn("timestamptz", "When it came."),
            "lon": ModelColumn("double", "Longitude.", unit="deg"),
            "elevation_m": ModelColumn(
                "double", "Taken for a number of people.", counts="source is not null"
            ),
        }
        contract = Contract(
            "station", "1.1.0", "One row per station.", "Stations.", "none", "select 1", "as a whole",
            ("station_key",), columns,
        )  # fmt: skip
        with duckdb.connect(str(self.tables)) as connection:
            content = msgspec.json.encode({"station": contract}).decode()
            connection.execute(
                "create or replace table meta.publication as select ? as contracts, ? as run_id, now() as published_at",
                [content, run],
            )

    def offer(self, now: datetime = NOW) -> FolderChange | None:
        tenant = load_catalogue(self.settings).get_tenant("town")
        return make_open_folder(self.settings, self.files, tenant, now)

    def read(self, name: str) -> bytes:
        index = self.folder.read_index()
        assert index is not None
        file = index.files[name]
        return b"".join(self.folder.read_parts(file, 0, file.size) or ())


@pytest.fixture
def offering(town: OpenTown) -> OfferingTown:
    """The town with two stations more, in another order than that of their keys."""
    made = OfferingTown(town)
    at = datetime(2026, 11, 3, 12, 0, 0, 500_000, tzinfo=UTC)
    with duckdb.connect(str(made.tables)) as connection:
        connection.execute("delete from station")
    made.put(
        "station",
        {"source": "air", "station_key": "b", "name": "=1+1", "lon": 10.0, "lat": 51.0, "received_at": at},
        {"source": "air", "station_key": "a", "name": 'Ä "x"', "lon": 10.05, "lat": 51.05, "received_at": at},
        {
            "source": "lots",
            "station_key": "c",
            "name": "closed",
            "lon": 10.05,
            "lat": 51.05,
            "received_at": at,
        },
    )
    made.put(
        "air_quality_observed",
        {"source": "air", "station_key": "a", "day": date(2026, 11, 3), "received_at": at},
    )
    return made

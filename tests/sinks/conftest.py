"""A town with stations, datastreams and observations that are published, and a real SensorThings server."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from civitas_assets.catalog import Tenant
from civitas_assets.export.formats import Format, export_model
from civitas_assets.ingest.catalogue import load_catalogue
from civitas_assets.settings import LOOPBACK, Settings
from civitas_assets.sinks.deliver import bring_to_sinks
from civitas_assets.store.files import LocalFiles
from testbed.sensorthings_server import PACKAGE, VERSION, start_sensorthings
from tests.dcat.conftest import OpenTown

TOWN = """\
name: Messstadt
ags: "99000001"
bbox: [7.0, 51.0, 8.0, 52.5]
sinks:
  frost: {{kind: sensorthings, url: "{url}", times: {times}, http: {{requests_per_second: 200, attempts: 1}}}}
sources:
  air: {{connector: uba, title: Luft, stations: [DEHE046]}}
  bought: {{connector: pegelonline, title: Pegel, stations: [MUSTER], licence: proprietary}}
"""
NOW = datetime(2026, 7, 3, 5, 0, tzinfo=UTC)
START = datetime(2026, 6, 30, 22, tzinfo=UTC)  # midnight in Berlin
STREAMS, ROWS = 3, 30


class SinkTown(OpenTown):
    """The town; `bring` brings what it has published to its sink."""

    def __init__(self, home: Path, url: str, times: str = "start") -> None:
        super().__init__(home)
        self.settings = Settings(
            home=home, tenants_dir=home / "tenants", contact="a@b.example", reachable=LOOPBACK
        )
        self.say(TOWN.format(url=url, times=times))
        self.files = LocalFiles(home)

    @property
    def tenant(self) -> Tenant:
        return load_catalogue(self.settings).get_tenant("town")

    def fill(self, rows: int = ROWS) -> None:
        at = {"received_at": START, "last_seen_at": START, "tenant": "town"}
        self.put(
            "source",
            {"source": "air", "licence": "dl-de/by-2-0", "attribution": "Umweltbundesamt"},
            {"source": "bought", "licence": "proprietary"},
        )
        for number in range(STREAMS):
            source = "bought" if number == STREAMS - 1 else "air"
            key = {"station_key": f"town/s{number}", "source": source, **at}
            self.put(
                "station",
                {
                    "station_id": f"s{number}",
                    "name": f"Messstelle {number} ü",
                    "lon": 7.5,
                    "lat": 51.5 + number / 8,
                    **key,
                },
            )
            stream = {
                "datastream_key": f"town/d'{number}", "datastream_id": f"d'{number}", "observed_property": "air.no2",
                "unit": "ug/m3", "name": f"NO2 {number}", **key,
            }  # fmt: skip
            self.put("datastream", stream)
            self.put_observations(stream, [(START + timedelta(hours=n), number + n / 8) for n in range(rows)])

    def fill_one(self, number: int, rows: int) -> None:
        """One datastream of a minute's step, with a name of its own."""
        at = {"received_at": START, "last_seen_at": START, "tenant": "town", "source": "air"}
        self.put("source", {"source": "air", "licence": "dl-de/by-2-0"})
        key = {"station_key": f"town/{number}", **at}
        self.put("station", {"station_id": "s", "name": "s", "lon": 7.5, "lat": 51.5, **key})
        stream = {"datastream_key": f"town/{number}", "datastream_id": "d", "unit": "ug/m3", **key}
        self.put("datastream", stream | {"observed_property": "air.no2"})
        self.put("observation")
        self.run(
            f"""insert into observation by name
            select '{stream["datastream_key"]}' as datastream_key, 'd' as datastream_id, 'air.no2' as observed_property,
              'ug/m3' as unit, 'air' as source, 'good' as quality_code, false as is_corrected, 1 as revision,
              timestamptz '2026-07-01 00:00:00+00' + interval (n) minute as phenomenon_start_at, n / 8.0 as value,
              (timestamp '2026-07-01 02:00:00' + interval (n) minute)::date as day,
              timestamptz '2026-07-01 00:00:00+00' as received_at
            from range({rows}) as made(n)"""  # noqa: S608 - of this test
        )

    def put_observations(self, stream: dict[str, Any], values: list[tuple[datetime, float]]) -> None:
        names = (
            "datastream_key",
            "datastream_id",
            "observed_property",
            "unit",
            "station_key",
            "source",
            "received_at",
        )
        fixed = {name: stream[name] for name in names} | {
            "quality_code": "good",
            "is_corrected": False,
            "revision": 1,
        }
        self.put(
            "observation",
            *(
                {"phenomenon_start_at": at, "phenomenon_end_at": at + timedelta(hours=1), "value": value,
                 "day": (at + timedelta(hours=2)).date(), **fixed}
                for at, value in values
            ),
        )  # fmt: skip

    def run(self, sql: str) -> None:
        with duckdb.connect(str(self.tables)) as connection:
            connection.execute(sql)

    def export(self, model: str, form: Format) -> bytes:
        sink = io.BytesIO()
        export_model(self.settings, "town", model, form, standard_output=sink)
        return sink.getvalue()

    def bring(self, first: date | None = None) -> Any:
        (report,) = bring_to_sinks(self.settings, self.files, self.tenant, NOW, first=first).values()
        assert not isinstance(report, str), report
        return report


@pytest.fixture(scope="session")
def sensorthings(tmp_path_factory: pytest.TempPathFactory, oracle: Callable[..., Path]) -> Iterator[str]:
    """The root of a real server."""
    python = oracle(PACKAGE, VERSION)
    with start_sensorthings(python, tmp_path_factory.mktemp("sink"), arrays=True) as server:
        yield server.root

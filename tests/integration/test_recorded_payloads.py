"""What other cities really published, through the whole chain: coordinates, numbers, times and codes come out right."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from civitas_assets.catalog import Window
from civitas_assets.defs.runner import Order

TENANT = "deutschland"
RECEIVED = datetime(2026, 8, 22, 5, 11, tzinfo=UTC)


class Hamburg(http.server.BaseHTTPRequestHandler):
    """The recorded Thing, and observations of its datastream in the recorded form."""

    thing: bytes

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        intervals = [f"2024-12-29T10:0{m}:00Z/2024-12-29T10:0{m + 4}:59Z" for m in (0, 5)]
        found = {
            "/v1.1": b'{"value":[]}',
            "/v1.1/Things": b'{"value":[' + self.thing + b"]}",
            "/v1.1/Datastreams(16183)/Observations": json.dumps(
                {
                    "value": [
                        {"phenomenonTime": t, "resultTime": None, "result": n}
                        for n, t in enumerate(intervals, 3)
                    ]
                }
            ).encode(),
        }.get(path)
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(found or b"")))
        self.end_headers()
        self.wfile.write(found or b"")


@pytest.fixture(scope="module")
def hamburg(payloads: Path) -> Iterator[str]:
    (file,) = (payloads / "sensorthings").glob("hamburg_thing_7648_*.json")
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), type("Recorded", (Hamburg,), {"thing": file.read_bytes()})
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def place(replay: Any, hamburg: str, new_workplace: Any) -> Any:
    """All recorded sources, run for 2019 and for the days at the end of 2024."""
    workplace = new_workplace()
    workplace.copy_tenant(TENANT, url=replay.url, hamburg=hamburg)
    workplace.clock = RECEIVED
    for window in (
        Window(date(2019, 3, 1), date(2019, 10, 31)),
        Window(date(2024, 12, 28), date(2024, 12, 30)),
    ):
        sources = ("hamburg_bicycles",) if window.first.year == 2024 else ()
        outcome = workplace.run(TENANT, Order(window=window, sources=sources))
        assert outcome.errors == []
        assert outcome.rejected == 0
    return workplace


def test_repeated_hour_of_autumn_lands_once_and_spans_both_passes(place: Any) -> None:
    rows = place.ask(
        TENANT,
        """
        select phenomenon_start_at, phenomenon_end_at, value, time_flag from observation
        where datastream_id = '100031297' and time_flag is not null order by 1
        """,
    )
    assert [row[2] for row in rows] == [84, 69, 82, 53]
    assert {row[3] for row in rows} == {"fold_summed"}
    # 02:00 in summer time begins at 00:00 UTC; 03:00 in winter time is 02:00 UTC.
    quarters = [(row[0].astimezone(UTC), row[1].astimezone(UTC)) for row in rows]
    assert quarters[0] == (
        datetime(2019, 10, 27, 0, 0, tzinfo=UTC),
        datetime(2019, 10, 27, 1, 15, tzinfo=UTC),
    )
    assert quarters[-1] == (
        datetime(2019, 10, 27, 0, 45, tzinfo=UTC),
        datetime(2019, 10, 27, 2, 0, tzinfo=UTC),
    )


def test_october_has_each_interval_once_and_its_days_sum_is_right(place: Any, payloads: Path) -> None:
    count = """
        select count(*) from observation
        where datastream_id = '100031297' and day between '2019-10-01' and '2019-10-31'
    """
    assert place.ask(TENANT, count) == [(2_976,)]
    lines = (payloads / "ecocounter_muenster" / "100031297_2019-10.csv").read_text().splitlines()
    expected = sum(int(line.split(",")[1]) for line in lines if line.startswith("2019-10-27"))
    total = (
        "select sum(value)::bigint from observation where datastream_id = '100031297' and day = '2019-10-27'"
    )
    assert place.ask(TENANT, total) == [(expected,)]


def test_nothing_falls_into_the_hour_that_does_not_exist(place: Any) -> None:
    rows = place.ask(
        TENANT,
        """
        select count(*), count(distinct phenomenon_start_at),
               count(*) filter (hour(phenomenon_start_at at time zone 'Europe/Berlin') = 2)
        from observation where datastream_id = '100031297' and day = '2019-03-31'
        """,
    )
    assert rows == [(92, 92, 0)]
    ratio = "select distinct coverage_ratio from coverage where datastream_id = '100031297' and day = '2019-03-31'"
    assert place.ask(TENANT, ratio) == [(1.0,)]


def test_jena_sites_have_their_kinds_and_positions(place: Any, payloads: Path) -> None:
    features = json.loads((payloads / "parking" / "jena.geojson").read_text())["features"]
    rows = place.ask(TENANT, "select site_id, name, lon, lat from parking_site where source = 'jena_parking'")
    sites = {row[0]: row[1:] for row in rows}
    assert len(rows) == len(sites) == len(features) == 103
    for feature in features:
        name, lon, lat = sites[str(feature["properties"]["gid"])]
        assert name == (feature["properties"]["name"].strip() or None)
        assert [lon, lat] == pytest.approx(feature["geometry"]["coordinates"], abs=1e-7)
    kinds = """
        select site_type, purpose, count(*) from parking_site where source = 'jena_parking'
        group by all order by all
    """
    assert place.ask(TENANT, kinds) == [
        ("car_park", "car", 10),
        ("off_street", "bus", 3),
        ("off_street", "car", 48),
        ("other", "car", 42),
    ]


def test_freiburg_sites_and_statuses(place: Any) -> None:
    site = """
        select name, capacity, site_type, site_type_native from parking_site
        where source = 'freiburg_sites' and site_id = '11'
    """
    assert place.ask(TENANT, site) == [("Parkhaus ZO", 294, "underground", "Tiefgarage")]
    count = "select count(*) from parking_site where source = 'freiburg_sites'"
    assert place.ask(TENANT, count) == [(15,)]
    status = """
        select site_id, free, occupied, capacity, round(occupancy_ratio, 4), observed_at
        from parking_status where source = 'freiburg_status' order by 1
    """
    noon = datetime(2025, 5, 5, 10, 34, 3, tzinfo=UTC)  # 12:34:03 on the wall clock of Freiburg in May
    rows = place.ask(TENANT, status)
    assert [(*row[:5], row[5].astimezone(UTC)) for row in rows] == [
        ("PR153", 54, 282, 336, 0.8393, noon),
        ("PR156", 10, 7, 17, 0.4118, noon),
        ("PR159", 42, 106, 148, 0.7162, noon),
        ("PR162", 31, 94, 125, 0.752, noon),
        ("PR165", 72, 140, 212, 0.6604, noon),
    ]


def test_freiburg_positions_in_utm_and_numbers_as_text(place: Any) -> None:
    rows = place.ask(
        TENANT,
        """
        select s.name, t.free, t.capacity, s.lon, s.lat
        from parking_status t join parking_site s using (site_key)
        where t.source = 'freiburg_utm' and t.site_id = 'P21'
        """,
    )
    assert [row[:3] for row in rows] == [("Zentrum Oberwiehre", 160, 274)]
    # The other recorded feed has the same car park, named Parkhaus ZO, in degrees: 7.8715, 47.9880.
    assert rows[0][3:] == pytest.approx((7.871473, 47.987991), abs=1e-3)


def test_aalen_statuses_without_ids_or_times(place: Any) -> None:
    rows = place.ask(
        TENANT,
        """
        select site_id, free, occupied, capacity, opening_status, opening_status_native, observed_at
        from parking_status where source = 'aalen_status' order by 1
        """,
    )
    assert len(rows) == 6
    assert rows[0][:6] == ("P1 Kubus", 4, 30, 34, "open", "geöffnet")
    assert {row[6].astimezone(UTC) for row in rows} == {RECEIVED}


def test_hamburg_thing_is_a_station_with_its_datastream_and_intervals(place: Any) -> None:
    assert place.ask(
        TENANT, "select station_id, name, lon, lat from station where source = 'hamburg_bicycles'"
    ) == [("7648", "Zählfeld J_52.1_1_I", 9.9786482, 53.4613167)]
    rows = place.ask(
        TENANT,
        """
        select datastream_id, station_id, phenomenon_start_at, phenomenon_end_at, value, unit, observed_property
        from observation where source = 'hamburg_bicycles' order by 3
        """,
    )
    assert [(r[0], r[1], r[4], r[5], r[6]) for r in rows] == [
        ("16183", "7648", 3, "1", "traffic.bicycle_count"),
        ("16183", "7648", 4, "1", "traffic.bicycle_count"),
    ]
    assert rows[0][2].astimezone(UTC) == datetime(2024, 12, 29, 10, 0, tzinfo=UTC)
    assert rows[0][3].astimezone(UTC) == datetime(2024, 12, 29, 10, 4, 59, tzinfo=UTC)

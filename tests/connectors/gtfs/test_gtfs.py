"""Timetables of public transport: what lies in the box, on which days it runs, and when a time of a day is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest

from civitas_assets.catalog import Source
from civitas_assets.connectors.base import Payload, Request
from civitas_assets.connectors.gtfs import gtfs_tables
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable
from tests.connectors.conftest import ReadRecords, zipped

BOX = (7.5, 51.9, 7.7, 52.0)
WEEK = "monday,tuesday,wednesday,thursday,friday,saturday,sunday"
FEED: Mapping[str, str] = {
    "agency.txt": "agency_id,agency_name,agency_timezone\nA,Stadtwerke,Europe/Berlin\n",
    "stops.txt": "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station\n"
    "001,Markt,51.95,7.6,0,M\nM,Markt Bahnhof,51.95,7.6,1,\n2,Tor,51.96,7.6,,\n9,Fern,48.1,11.5,,\n",
    "routes.txt": "route_id,agency_id,route_short_name,route_type\nNA,A,NA,3\nR2,A,2,900\n",
    "calendar.txt": f"service_id,{WEEK},start_date,end_date\nW,1,1,1,1,1,0,0,20260301,20260405\n",
    "calendar_dates.txt": "service_id,date,exception_type\nW,20260403,2\nX,20260329,1\n",
    "trips.txt": "route_id,service_id,trip_id\nNA,W,t1\nNA,X,t2\nR2,W,t3\n",
    "stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    "t1,07:00:00,07:01:00,001,1\nt1,07:05:00,07:05:00,2,2\nt1,09:00:00,09:00:00,9,3\n"
    "t2,25:10:00,25:10:00,001,1\nt2,25:20:00,25:20:00,2,2\n"
    "t3,6:00:00,6:00:00,2,1\nt3,6:10:00,6:10:00,001,2\n",
}  # fmt: skip


def _read(files: Mapping[str, str], received: str = "2026-03-27", **settings: Any) -> list[RawTable]:
    source = _declare(**settings)
    body = zipped({name: content.encode() for name, content in files.items()})
    at = datetime.fromisoformat(received).replace(hour=12, tzinfo=UTC)
    return [*CONNECTORS["gtfs"].read(source, Payload(Request(source.url), body, at))]


def _declare(**settings: Any) -> Source:
    basics = {
        "title": "Test",
        "licence": "CC0-1.0",
        "url": "https://data.example/gtfs.zip",
        "connector": "gtfs",
    }
    return CONNECTORS["gtfs"].source_model.model_validate({**basics, **settings}).with_place("town", BOX)


def _rows(tables: list[RawTable], record_type: str) -> list[dict[str, Any]]:
    return [row for table in tables if table.record_type == record_type for row in table.frame.to_dicts()]


def _service(tables: list[RawTable]) -> dict[tuple[str, str, date], tuple[Any, ...]]:
    """Departures, and the first and last of them in UTC, by stop, route and day."""
    found = {}
    for row in _rows(tables, "transit_service"):
        day = row["service_start"].astimezone(_declare().zone).date()
        times = (
            row[name] and f"{row[name]:%d %H:%M}" for name in ("first_departure_at", "last_departure_at")
        )
        found[row["stop_id"], row["route_id"], day] = (row["departures"], *times)
    return found


def test_stops_in_the_box_come_with_their_station_and_routes_with_what_leaves_them() -> None:
    tables = _read(FEED)
    stops = {row["stop_id"]: row for row in _rows(tables, "transit_stop")}
    assert {*stops} == {"001", "M", "2"}, "ids stay text, zeros included"
    assert (stops["001"]["parent_stop_id"], stops["M"]["stop_type"], stops["2"]["stop_type"]) == (
        "M",
        "station",
        "stop",
    )
    routes = {row["route_id"]: row for row in _rows(tables, "transit_route")}
    assert routes["NA"]["short_name"] == "NA", "a line may be called so"
    assert (routes["NA"]["mode"], routes["R2"]["mode"]) == ("bus", "tram")
    assert (routes["R2"]["mode_native"], routes["R2"]["operator"]) == ("900", "Stadtwerke")


def test_service_is_on_the_days_of_its_calendar_and_of_the_changes_to_it() -> None:
    found = {key: what for key, what in _service(_read(FEED)).items() if what[0]}
    assert {day for stop, route, day in found if (stop, route) == ("001", "NA")} == {
        date(2026, 3, 27), date(2026, 3, 29), date(2026, 3, 30), date(2026, 3, 31), date(2026, 4, 1), date(2026, 4, 2),
    }, "weekdays up to the end without Good Friday, and one Sunday more"  # fmt: skip
    assert found["001", "NA", date(2026, 3, 27)] == (1, "27 06:01", "27 06:01")
    assert ("001", "R2", date(2026, 3, 27)) not in found, "a trip that ends there does not depart"
    assert ("2", "NA", date(2026, 3, 27)) in found, "one that goes on out of the box does"


def test_a_time_after_midnight_is_counted_from_noon_minus_twelve_hours() -> None:
    found = _service(_read(FEED))
    # 29 March has 23 hours: noon minus twelve hours is 23:00 of the day before, and 25:10 is 1:10 on the 30th.
    assert found["001", "NA", date(2026, 3, 29)] == (1, "29 23:10", "29 23:10")
    winter = {**FEED, "calendar_dates.txt": "service_id,date,exception_type\nX,20260330,1\n"}
    assert _service(_read(winter))["001", "NA", date(2026, 3, 30)] == (2, "30 05:01", "30 23:10")


def test_trips_by_frequency_leave_again_and_again_and_not_at_the_end() -> None:
    every = "trip_id,start_time,end_time,headway_secs\nt1,10:00:00,11:00:00,1200\nt1,12:00:00,12:30:00,1800\n"
    found = _service(_read({**FEED, "frequencies.txt": every}))
    assert found["001", "NA", date(2026, 3, 27)] == (4, "27 09:00", "27 11:00")
    assert found["2", "NA", date(2026, 3, 27)] == (4, "27 09:04", "27 11:04")


def test_no_pickup_is_no_departure_and_a_stop_without_a_time_is_one() -> None:
    times = FEED["stop_times.txt"].replace("t1,07:05:00,07:05:00,2,2", "t1,,,2,2")
    assert _service(_read({**FEED, "stop_times.txt": times}))["2", "NA", date(2026, 3, 27)] == (1, None, None)
    lines = FEED["stop_times.txt"].splitlines()
    closed = [
        f"{line},{kind}"
        for line, kind in zip(lines, ["pickup_type", "1", "", "", "0", "", "", ""], strict=True)
    ]
    found = _service(_read({**FEED, "stop_times.txt": "\n".join(closed)}))
    assert ("001", "NA", date(2026, 3, 27)) not in found
    assert ("001", "NA", date(2026, 3, 29)) in found


def test_a_day_carries_a_digest_that_changes_with_anything_of_it_alone() -> None:
    def digests(feed: Mapping[str, str]) -> dict[date, set[str]]:
        by_day: dict[date, set[str]] = {}
        for row in _rows(_read(feed), "transit_service"):
            by_day.setdefault(row["service_start"].astimezone(_declare().zone).date(), set()).add(
                row["timetable"]
            )
        return by_day

    before = digests(FEED)
    assert all(len(found) == 1 for found in before.values())
    assert before[date(2026, 3, 27)] == before[date(2026, 3, 30)]
    dates = FEED["calendar_dates.txt"] + "W,20260330,2\nX,20260330,1\n"
    after = digests({**FEED, "calendar_dates.txt": dates})
    assert [day for day in before if before[day] != after[day]] == [date(2026, 3, 30)]


def test_a_day_of_the_feed_on_which_nothing_runs_is_told() -> None:
    found = _service(_read(FEED))
    assert found["001", "NA", date(2026, 4, 3)] == (0, None, None), "Good Friday"
    assert max(day for _, _, day in found) == date(2026, 4, 5), "the feed ends there"
    assert {day for _, _, day in _service(_read(FEED, days_ahead="2 days"))} == {
        date(2026, 3, 27),
        date(2026, 3, 28),
    }


def test_one_bad_row_is_rejected_with_its_rule_and_all_others_count() -> None:
    times = (
        FEED["stop_times.txt"] + "t9,08:00:00,08:00:00,2,1\nt1,8 Uhr,8 Uhr,2,4\nt1,09:00:00,09:00:00,2,last\n"
    )
    dates = FEED["calendar_dates.txt"] + "W,20260331,3\n"
    stops = FEED["stops.txt"] + "5,Dort,fünf,7.6,,\n"
    tables = _read({**FEED, "stop_times.txt": times, "calendar_dates.txt": dates, "stops.txt": stops})
    broken = {row.rule: row for table in tables for row in table.broken}
    assert {rule: row.row for rule, row in broken.items()} == {
        "unknown_trip": 8, "unreadable_time": 9, "unreadable_sequence": 10, "unreadable_calendar": 3,
    }  # fmt: skip
    assert broken["unreadable_time"].raw == "t1,2,4,8 Uhr,8 Uhr"
    assert _service(tables) == _service(_read(FEED))
    assert "5" in {row["stop_id"] for row in _rows(tables, "transit_stop")}, (
        "its contract says what is wrong with it"
    )


def test_codes_that_nobody_knows_are_empty_and_never_the_default() -> None:
    feed = {
        **FEED,
        "stops.txt": "stop_id,stop_lat,stop_lon,location_type,wheelchair_boarding,parent_station\n"
        "001,51.95,7.6,7,5,2\n2,51.96,7.6,1,1,\n3,,,4,,2\n",
        "routes.txt": "route_id,route_type\nNA,99\nR2,109\n",
    }  # fmt: skip
    tables = _read(feed)
    stops = {
        row["stop_id"]: (row["stop_type"], row["is_wheelchair_accessible"])
        for row in _rows(tables, "transit_stop")
    }
    assert stops == {"001": (None, None), "2": ("station", "true"), "3": ("boarding_area", "true")}
    routes = {row["route_id"]: (row["mode"], row["mode_native"]) for row in _rows(tables, "transit_route")}
    assert routes == {"NA": (None, "99"), "R2": ("rail", "109")}


def test_parts_of_a_large_table_are_the_same_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with marks of bytes, blanks, quotes and line breaks within them, and rows that are too short."""
    feed = {
        **{name: "\ufeff" + content.replace("\n", "\r\n") for name, content in FEED.items()},
        "folder/trips.txt": 'route_id,service_id,trip_id,headsign\n"NA",W,t1,"a\nb"\n NA , X,t2 ,"c ""d"""\n\n'
        "R2,W,t3\n",
    }
    del feed["trips.txt"]
    whole = _read(FEED)
    steps = gtfs_tables.unzip_steps  # type: ignore[attr-defined]
    monkeypatch.setattr(gtfs_tables, "_PART", 40)
    monkeypatch.setattr(
        gtfs_tables,
        "unzip_steps",
        lambda *given: (part[i : i + 7] for part in steps(*given) for i in range(0, len(part), 7)),
    )
    assert [table.frame.to_dicts() for table in _read(feed)] == [table.frame.to_dicts() for table in whole]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"stops.txt": ""}, "no stop in the tenant's bbox"),
        ({"stops.txt": "stop_id,stop_lat,stop_lon\n1,48,11\n"}, "no stop in the tenant's bbox"),
        ({"stop_times.txt": ""}, "no stop_times.txt"),
        ({"trips.txt": "trip_id,route_id\nt,r\n"}, "trips.txt without service_id; it has trip_id, route_id"),
        ({"calendar.txt": "", "calendar_dates.txt": ""}, "no days in calendar.txt"),
        ({"agency.txt": "agency_name,agency_timezone\nA,Mars/Olympus\n"}, "Mars/Olympus, which is none"),
    ],
)
def test_what_is_no_feed_is_an_error_that_says_why(files: Mapping[str, str], message: str) -> None:
    with pytest.raises(ReadError, match=message):
        _read({**FEED, **files})


def test_too_many_bad_rows_are_told_by_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gtfs_tables, "_MOST_BROKEN", 2)
    times = FEED["stop_times.txt"] + "t9,08:00:00,08:00:00,2,1\n" * 5
    (table,) = [table for table in _read({**FEED, "stop_times.txt": times}) if table.broken]
    assert len(table.broken) == 2
    assert [note.text for note in table.notes] == ["3 further row(s) of the feed cannot be used"]


def test_each_feed_is_a_source_of_its_own() -> None:
    with pytest.raises(ValueError, match="make a source of each feed"):
        _declare(url="https://data.example/{part}.zip", each={"part": ("a", "b")})


def test_what_is_read_fits_its_contracts(records: ReadRecords) -> None:
    source = _declare()
    feed = {**FEED, "calendar.txt": FEED["calendar.txt"].replace("20260405", "20261231")}
    body = zipped({name: content.encode() for name, content in feed.items()})
    found = records(source, body, box=BOX)
    assert {name: len(rows) > 1 for name, rows in found.items()} == {
        "transit_stop": True, "transit_route": True, "transit_service": True,
    }  # fmt: skip

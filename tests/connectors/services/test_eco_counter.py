"""Eco-Counter: sites and channels of an account, and counts by the wall clock, also in the nights that it changes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from civitas_assets.catalog import SecretRef, Window, load_catalog
from civitas_assets.connectors.base import Request
from civitas_assets.connectors.registry import SOURCE_MODELS
from civitas_assets.connectors.services.eco_counter import EcoCounterConnector, EcoCounterSource
from civitas_assets.errors import CatalogError, FetchError, ReadError
from tests.connectors.conftest import MakeSession, ReadBody, ReadRecords

BOX = (7.4, 51.8, 7.8, 52.1)
Row = dict[str, Any]


def counters(**settings: Any) -> EcoCounterSource:
    """A source as a tenant writes it."""
    said = {
        "connector": "eco_counter",
        "licence": "dl-de/by-2-0",
        "token": {"secret": "MUENSTER_TOKEN"},
        **settings,
    }
    return EcoCounterSource.model_validate(said).with_place("counters", BOX)


def site(number: int, **more: Any) -> Row:
    """A site as the API describes it."""
    return {"id": number, "name": f"Stelle {number}", "latitude": 51.96, "longitude": 7.62, "sens": 5, **more}


def count(wall: str, offset: str, counts: int | None) -> Row:
    """A count as the API writes it: the wall clock twice, once with an offset that is none."""
    return {"date": f"{wall}+0000", "isoDate": f"{wall}{offset}", "counts": counts, "status": 0}


@pytest.fixture
def observed(records: ReadRecords) -> Callable[..., list[tuple[datetime, datetime, Any, Any]]]:
    """Start, end, value and flag of each count of an answer."""

    def read(rows: list[Row], **settings: Any) -> list[tuple[datetime, datetime, Any, Any]]:
        found = records(counters(**settings), json.dumps(rows).encode(), "counts", datastream_id="7")
        assert {row["datastream_id"] for row in found["observation"]} == {"7"}
        return [
            (row["phenomenon_start"], row["phenomenon_end"], row.get("value"), row.get("time_flag"))
            for row in found["observation"]
        ]

    return read


class TestSource:
    def test_a_named_secret_becomes_the_header_that_the_service_wants(self) -> None:
        assert counters().headers == {
            "Authorization": SecretRef(secret="MUENSTER_TOKEN", prefix="Bearer ")  # noqa: S106 - its name
        }
        own = {"Authorization": {"secret": "OTHER"}}
        assert counters(token=None, headers=own).headers == {"Authorization": SecretRef(secret="OTHER")}  # noqa: S106

    def test_without_any_token_the_source_is_refused(self) -> None:
        with pytest.raises(ValidationError, match=r"token is needed: \{secret: NAME\}"):
            counters(token=None)

    def test_a_token_in_the_place_of_its_name_is_refused_and_not_repeated(self, tmp_path: Path) -> None:
        (tmp_path / "muenster.yaml").write_text(
            "name: Münster\nags: '05515000'\nbbox: [7.4, 51.8, 7.8, 52.1]\nsources:\n"
            "  it: {connector: eco_counter, licence: CC0-1.0, token: abc123geheim}\n",
            encoding="utf-8",
        )
        with pytest.raises(CatalogError, match=r"token must be \{secret: NAME\}") as refused:
            load_catalog(tmp_path, SOURCE_MODELS)
        assert "geheim" not in str(refused.value)

    def test_the_rule_of_time_goes_with_the_step(self) -> None:
        for step, seconds in (("15m", 900), ("hour", 3600)):
            rule = counters(step=step).time
            assert rule is not None
            assert rule.interval is not None
            assert (rule.zone, rule.fold, rule.interval.seconds) == ("local_wall", "summed", seconds)
        own = {"column": "date", "zone": "utc"}
        assert counters(time=own).time.zone == "utc"  # type: ignore[union-attr]

    def test_what_it_says_again_is_the_same_source(self) -> None:
        source = counters(step="hour")
        said = source.model_dump(mode="json")
        assert EcoCounterSource.model_validate(said, strict=False).model_dump(mode="json") == said


class TestFetching:
    def test_channels_of_the_sites_in_the_box_are_asked_for_in_slices(self, session: MakeSession) -> None:
        sites = [
            site(1, channels=[{"id": 11}, {"id": 12}]),
            site(2, channels=None),
            site(3, longitude=13.4),
            site(4, latitude=None, longitude=None),
        ]

        def answer(request: Request) -> bytes:
            return json.dumps(sites).encode() if request.role == "sites" else b"[]"

        fake = session(answer)
        window = Window(date(2026, 7, 1), date(2026, 7, 31))
        EcoCounterConnector().fetch(counters(), window, ZoneInfo("Europe/Berlin"), fake)
        first, *others = fake.requests
        assert first.url == "https://apieco.eco-counter-tools.com/api/1.0/site"
        assert {urlsplit(r.url).path.rpartition("/")[2] for r in others} == {"11", "12", "2"}
        assert {(r.role, r.variables["datastream_id"]) for r in others} == {
            ("counts", "11"),
            ("counts", "12"),
            ("counts", "2"),
        }
        queries = [parse_qs(urlsplit(r.url).query) for r in others if r.variables["datastream_id"] == "2"]
        assert {(q["step"][0], q["complete"][0]) for q in queries} == {("15m", "false")}
        spans = [(q["begin"][0], q["end"][0]) for q in queries]
        assert spans[0][0] <= "2026-07-01T00:00:00"
        assert spans[-1][1] > "2026-07-31T00:00:00"
        assert all(earlier[1] == later[0] for earlier, later in itertools.pairwise(spans))

    def test_a_named_site_needs_no_position(self, session: MakeSession) -> None:
        body = json.dumps([site(4, latitude=None, longitude=None), site(1)]).encode()
        fake = session(lambda request: body if request.role == "sites" else b"[]")
        day = Window(date(2026, 7, 1), date(2026, 7, 1))
        EcoCounterConnector().fetch(counters(stations=("4",)), day, ZoneInfo("Europe/Berlin"), fake)
        assert [r.variables.get("datastream_id") for r in fake.requests] == [None, "4"]
        with pytest.raises(FetchError, match="no station 5 at present"):
            EcoCounterConnector().fetch(
                counters(stations=("4", "5")), day, ZoneInfo("Europe/Berlin"), session(lambda r: body)
            )


class TestSites:
    def test_recorded_sites_are_counted_by_their_channels_and_not_once_more(
        self, records: ReadRecords, payloads: Path
    ) -> None:
        recorded = json.loads((payloads / "ecocounter_muenster" / "site_min.json").read_bytes())
        sites = [
            site(
                int(each["directory"]),
                name=each["name"],
                channels=[{"id": number, "name": name, "userType": 2} for number, name in each["channels"]],
            )
            for each in recorded
        ]
        found = records(counters(), json.dumps(sites).encode(), "sites")
        assert found["station"][0] == {
            "station_id": "300038855",
            "name": "Bismarckallee",
            "lon": 7.62,
            "lat": 51.96,
        }
        of_first = [s for s in found["datastream"] if s["station_id"] == "300038855"]
        assert of_first == [
            {
                "datastream_id": number,
                "station_id": "300038855",
                "name": f"Bismarckallee Fahrräder {way}",
                "observed_property": "traffic.bicycle_count",
                "unit": "1",
                "interval_s": 900,
            }
            for number, way in (("353420516", "IN"), ("353420517", "OUT"))
        ]
        totals = {s["datastream_id"] for s in found["datastream"]} & {
            s["station_id"] for s in found["station"]
        }
        alone = {each["directory"] for each in recorded if len(each["channels"]) == 1}
        assert totals == alone

    def test_a_kind_of_traffic_is_that_of_the_channel_or_else_of_its_site(self, records: ReadRecords) -> None:
        channels = [{"id": n, "userType": n} for n in (1, 2, 4, 7)] + [{"id": 90}]
        sites = [
            site(100, userType=1, channels=channels),
            site(101, userType=7, channels=[{"id": 91, "userType": 7}]),
            site(102),
            site(103, userType=3),
        ]
        found = records(counters(step="hour"), json.dumps(sites).encode(), "sites")["datastream"]
        assert {s["datastream_id"]: s["observed_property"] for s in found} == {
            "1": "traffic.pedestrian_count",
            "2": "traffic.bicycle_count",
            "4": "traffic.count",
            "7": "traffic.pedestrian_count",
            "90": "traffic.pedestrian_count",
            "91": "Eco-Counter userType 7",
            "102": "traffic.bicycle_count",
            "103": "Eco-Counter userType 3",
        }
        assert {s["interval_s"] for s in found} == {3600}

    def test_channels_that_are_taken_for_bicycles_are_told_and_one_bad_site_costs_itself(
        self, read: ReadBody
    ) -> None:
        body = json.dumps([site(100, channels=[{"id": 1}, {"id": 2, "userType": 1}]), {"id": None}]).encode()
        stations, channels = read(counters(), body, "sites")
        assert stations.frame["station_id"].to_list() == ["100"]
        assert [(row.row, row.rule) for row in stations.broken] == [(2, "unreadable_element")]
        (note,) = channels.notes
        assert note.text.startswith("1 channel(s) have no userType")


class TestCounts:
    def test_times_are_starts_by_the_wall_clock(
        self, observed: Callable[..., list[tuple[datetime, datetime, Any, Any]]]
    ) -> None:
        rows = [count("2026-08-01T00:00:00", "+0200", 47), count("2026-08-01T00:15:00", "+0200", None)]
        assert observed(rows) == [
            (datetime(2026, 7, 31, 22, 0, tzinfo=UTC), datetime(2026, 7, 31, 22, 15, tzinfo=UTC), 47.0, None),
            (
                datetime(2026, 7, 31, 22, 15, tzinfo=UTC),
                datetime(2026, 7, 31, 22, 30, tzinfo=UTC),
                None,
                None,
            ),
        ]

    @pytest.mark.parametrize(
        "row",
        [
            {"date": "2026-08-01T02:00:00+0000", "counts": 5},
            {"date": "2026-08-01T02:00:00", "counts": 5},
            {"date": "2026-08-01T02:00:00+0000", "isoDate": "2026-08-01T02:00:00+02:00", "counts": 5},
            {"date": "2026-08-01T00:00:00+0000", "isoDate": "2026-08-01T02:00:00+0200", "counts": 5},
            {"date": "2026-08-01T02:00:00+0000", "isoDate": "2026-08-01T00:00:00+0000", "counts": 5},
        ],
        ids=["only date", "no offset", "colon", "date in UTC", "isoDate in UTC"],
    )
    def test_the_one_with_a_true_offset_is_believed_and_else_date_is_the_wall_clock(
        self, observed: Callable[..., list[tuple[datetime, datetime, Any, Any]]], row: Row
    ) -> None:
        start = datetime(2026, 8, 1, 0, 0, tzinfo=UTC)
        assert observed([row]) == [(start, datetime(2026, 8, 1, 0, 15, tzinfo=UTC), 5.0, None)]

    def test_one_count_of_the_repeated_hour_holds_both_passes(
        self, observed: Callable[..., list[tuple[datetime, datetime, Any, Any]]]
    ) -> None:
        rows = [
            count("2026-10-25T01:45:00", "+0200", 3),
            count("2026-10-25T02:00:00", "+0200", 20),
            count("2026-10-25T03:00:00", "+0100", 4),
        ]
        assert observed(rows)[1:] == [
            (
                datetime(2026, 10, 25, 0, 0, tzinfo=UTC),
                datetime(2026, 10, 25, 1, 15, tzinfo=UTC),
                20.0,
                "fold_summed",
            ),
            (datetime(2026, 10, 25, 2, 0, tzinfo=UTC), datetime(2026, 10, 25, 2, 15, tzinfo=UTC), 4.0, None),
        ]

    def test_two_counts_of_the_repeated_hour_are_put_together(
        self, observed: Callable[..., list[tuple[datetime, datetime, Any, Any]]]
    ) -> None:
        rows = [
            count("2026-10-25T02:00:00", "+0200", 9),
            count("2026-10-25T02:15:00", "+0200", 1),
            count("2026-10-25T02:00:00", "+0100", 11),
            count("2026-10-25T02:15:00", "+0100", None),
            count("2026-10-25T02:30:00", "+0200", None),
            count("2026-10-25T02:30:00", "+0100", None),
        ]
        found = observed([*rows, rows[-1]])
        assert [(start.minute, value, flag) for start, _, value, flag in found] == [
            (0, 20.0, "fold_summed"),
            (15, None, "fold_summed"),
            (30, None, "fold_summed"),
        ]

    def test_a_count_that_is_told_twice_is_no_second_pass(self, read: ReadBody) -> None:
        rows = [count("2026-08-01T02:00:00", "+0200", n) for n in (9, 11, 11)]
        night = [count("2026-10-25T02:00:00", offset, n) for offset, n in (("+0200", 3), ("+0100", None))]
        body = json.dumps([*rows, *night]).encode()
        (found,) = read(counters(), body, "counts", datastream_id="7")
        assert found.frame["@result"].to_list() == [9.0, 11.0, None]
        assert [note.code for note in found.notes] == ["half_of_repeated_hour"]

    def test_hours_last_an_hour(
        self, observed: Callable[..., list[tuple[datetime, datetime, Any, Any]]]
    ) -> None:
        ((start, end, _, _),) = observed([count("2026-01-01T05:00:00", "+0100", 1)], step="hour")
        assert (start.hour, (end - start).seconds) == (4, 3600)

    def test_an_answer_without_counts_is_none_and_one_without_times_is_an_error(
        self,
        observed: Callable[..., list[tuple[datetime, datetime, Any, Any]]],
        read: ReadBody,
        records: ReadRecords,
    ) -> None:
        assert not records(counters(), b"[]", "counts", datastream_id="7")["observation"]
        with pytest.raises(ReadError, match="neither date nor isoDate"):
            read(counters(), b'[{"counts":1}]', "counts", datastream_id="7")

"""History of an NGSI-LD broker: every value of the window, in parts forwards or backwards, as observations."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from civitas_assets.catalog import Window
from civitas_assets.connectors.base import Request
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.errors import ReadError
from tests.connectors.conftest import MakeSession, MakeSource, ReadRecords

KEY = "urn:ngsi-ld:WeatherObserved:Ufer, 1"
DAYS = Window(date(2026, 7, 29), date(2026, 7, 30))
BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 7, 28, 22, tzinfo=UTC)
Series = dict[str, list[datetime]]


def every(minutes: int, hours: int = 48, start: datetime = START) -> list[datetime]:
    """Times from the very start of the window on."""
    return [start + timedelta(minutes=number) for number in range(0, 60 * hours, minutes)]


def iso(moment: datetime, precision: str = "milliseconds") -> str:
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")


def instance(moment: datetime, value: Any = 1) -> dict[str, Any]:
    return {"type": "Property", "value": value, "observedAt": iso(moment, "microseconds")}


@dataclass
class Broker:
    """A broker with one entity, which gives so many values of each attribute at once."""

    series: Series
    limit: int = 1000
    backwards: bool = False
    takes_start: bool = True  # whether `between` has its first instant
    exact: bool = True  # whether the range ends where the first attribute was cut off, and all others with it
    parts: int = 0
    given: set[tuple[str, str]] = field(default_factory=set)

    def __call__(self, request: Request) -> Any:
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        if request.role == "entities":
            return json.dumps([{"id": KEY, "type": "WeatherObserved"}]).encode(), {
                "ngsild-results-count": "1"
            }
        assert (query["id"], query["timerel"], query["timeproperty"]) == (KEY, "between", "observedAt")
        assert request.partial, "206 would be an error"
        first, last = (datetime.fromisoformat(query[name]) for name in ("timeAt", "endTimeAt"))
        within = {
            name: sorted((t for t in times if self._covers(first, t, last)), reverse=self.backwards)
            for name, times in self.series.items()
        }
        cut = {name: times[: self.limit] for name, times in within.items() if len(times) >= self.limit}
        if not cut:
            return self._body(within), {}
        self.parts += 1
        edge = (max if self.backwards else min)(times[-1] for times in cut.values())
        part = {name: times[: self.limit] for name, times in within.items()}
        if self.exact:
            part = {
                n: [t for t in ts if (t >= edge if self.backwards else t <= edge)] for n, ts in part.items()
            }
        else:
            edge = (min if self.backwards else max)(t for times in part.values() for t in times)
        start = last if self.backwards else first
        zone = "" if not self.exact else "Z"  # some write UTC without saying so
        covered = f"{start:%Y-%m-%dT%H:%M}{zone}-{edge:%Y-%m-%dT%H:%M:%S.%f}{zone}"
        return self._body(part), {"content-range": f"date-time {covered}/{self.limit if self.exact else '*'}"}

    def _covers(self, first: datetime, moment: datetime, last: datetime) -> bool:
        return (first <= moment if self.takes_start else first < moment) and moment < last

    def _body(self, series: Series) -> bytes:
        self.given |= {
            (name, iso(moment, "microseconds")) for name, times in series.items() for moment in times
        }
        attributes = {name: [instance(moment) for moment in times] for name, times in series.items()}
        return json.dumps([{"id": KEY, "type": "WeatherObserved", **attributes}]).encode()


@pytest.fixture
def fetch(source: MakeSource, session: MakeSession) -> Callable[..., list[Any]]:
    """The requests of a fetch with history."""

    def crawl(
        broker: Callable[..., AbstractContextManager[int]], window: Window = DAYS, **settings: Any
    ) -> list[Any]:
        declared = source("ngsi_ld", **{"types": ("WeatherObserved",), "history": True, **settings})
        asked = session(broker)
        CONNECTORS["ngsi_ld"].fetch(declared, window, BERLIN, asked)
        return list(asked.requests)

    return crawl


@pytest.fixture
def history(source: MakeSource, records: ReadRecords) -> Callable[..., Any]:
    """Records of a temporal answer."""

    def read(*entities: dict[str, Any], role: str = "history", **settings: Any) -> Any:
        kind = entities[0]["type"]
        declared = source("ngsi_ld", types=(kind,), history=True, **settings)
        return records(declared, json.dumps(entities).encode(), role, type=kind)

    return read


def all_of(series: Series) -> set[tuple[str, str]]:
    return {(name, iso(moment, "microseconds")) for name, times in series.items() for moment in times}


def test_history_is_asked_for_by_entity_and_slice_in_days_of_the_tenant(
    fetch: Callable[..., list[Any]],
) -> None:
    _, *asked = fetch(Broker({}), slice="1 day", context="https://c.example/x.jsonld")
    assert [request.url for request in asked] == [
        "https://data.example/v1/temporal/entities?type=WeatherObserved"
        "&id=urn%3Angsi-ld%3AWeatherObserved%3AUfer%2C%201&timerel=between"
        f"&timeAt=2026-07-{day - 1}T21:59:59.999Z&endTimeAt=2026-07-{day}T22:00:00.000Z&timeproperty=observedAt"
        for day in (29, 30)
    ]
    assert all("c.example" in request.headers["Link"] for request in asked)


def test_without_history_nothing_but_the_current_entities_is_asked_for(
    fetch: Callable[..., list[Any]],
) -> None:
    assert [request.role for request in fetch(Broker({}), history=False)] == ["entities"]


def test_ngsi_v2_has_no_history(source: MakeSource) -> None:
    with pytest.raises(ValidationError, match="NGSI-v2 has no temporal interface"):
        source("ngsi_ld", types=("A",), api="v2", history=True)


@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
@pytest.mark.parametrize("takes_start", [True, False], ids=["from", "after"])
@pytest.mark.parametrize("exact", [True, False], ids=["cut", "last"])
def test_a_history_in_parts_comes_whole_however_the_broker_cuts_it(
    fetch: Callable[..., list[Any]], backwards: bool, takes_start: bool, exact: bool
) -> None:
    series = {
        "temperature": every(10),
        "precipitation": every(60),
        "windSpeed": every(7, hours=20),
        "illuminance": [START + timedelta(hours=47)],
    }
    broker = Broker(series, 20, backwards, takes_start, exact)
    fetch(broker, slice="1 day")
    assert broker.given == all_of(series)
    assert 10 < broker.parts < 25, "each part brings as much as it can"


@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
def test_values_of_the_same_millisecond_at_the_edge_of_a_part_are_not_lost(
    fetch: Callable[..., list[Any]], backwards: bool
) -> None:
    times = [moment + timedelta(microseconds=part) for moment in every(30, hours=4) for part in (0, 100, 200)]
    broker = Broker({"temperature": times}, limit=5, backwards=backwards, takes_start=False)
    fetch(broker)
    assert broker.given == all_of({"temperature": times})


@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
def test_parts_that_come_no_further_are_an_error(fetch: Callable[..., list[Any]], backwards: bool) -> None:
    with pytest.raises(ReadError, match=r"comes no further .* too few values at once"):
        fetch(Broker({"temperature": every(60)}, limit=1, backwards=backwards))


@dataclass
class SetsBroker:
    """A broker whose attributes have data sets, and whose limit is for each of them, each attribute or all together."""

    series: dict[tuple[str, str | None], list[datetime]]
    limit: int
    counts: str  # what the limit is for
    says: str  # what the range ends with: the last of all, the cut that came first; or nothing is said
    backwards: bool = False
    given: set[tuple[str, str | None, str]] = field(default_factory=set)

    def __call__(self, request: Request) -> Any:
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        if request.role == "entities":
            return json.dumps([{"id": KEY, "type": "WeatherObserved"}]).encode(), {
                "ngsild-results-count": "1"
            }
        first, last = (datetime.fromisoformat(query[name]) for name in ("timeAt", "endTimeAt"))
        within = sorted(
            (
                (moment, *key)
                for key, times in self.series.items()
                for moment in times
                if first < moment < last
            ),
            key=lambda part: (part[0], str(part[2])),
            reverse=self.backwards,
        )
        part, counted, ends = [], Counter[Any](), dict[Any, datetime]()
        for moment, name, data_set in within:
            key = {"set": (name, data_set), "attribute": name, "answer": None}[self.counts]
            counted[key] += 1
            if counted[key] <= self.limit:
                part.append((moment, name, data_set))
                ends[key] = moment
        self.given |= {(name, data_set, iso(moment)) for moment, name, data_set in part}
        attributes: dict[str, list[Any]] = {}
        for moment, name, data_set in part:
            more = {"datasetId": data_set} if data_set else {}
            attributes.setdefault(name, []).append({**instance(moment), **more})
        body = json.dumps([{"id": KEY, "type": "WeatherObserved", **attributes}]).encode()
        cut = [ends[key] for key, number in counted.items() if number > self.limit]
        if not cut or self.says == "nothing":
            return body, {}
        edge = part[-1][0] if self.says == "last" else (max if self.backwards else min)(cut)
        start = last if self.backwards else first
        return body, {"content-range": f"date-time {iso(start)}-{iso(edge)}/*"}


@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
@pytest.mark.parametrize("counts", ["set", "attribute", "answer"])
@pytest.mark.parametrize("says", ["last", "cut"])
def test_no_data_set_is_cut_off_by_what_another_one_says(
    fetch: Callable[..., list[Any]], counts: str, says: str, backwards: bool
) -> None:
    series = {
        ("temperature", None): every(120),
        ("temperature", "urn:roof"): every(30),
        ("temperature", "urn:once"): [START + timedelta(hours=20)],
        ("windSpeed", "urn:roof"): every(50),
        ("windSpeed", "urn:yard"): every(11, hours=7, start=START + timedelta(hours=30)),
        ("precipitation", None): every(60),
    }
    broker = SetsBroker(series, 12, counts, says, backwards)
    fetch(broker, slice="1 day")
    assert broker.given == {(*key, iso(moment)) for key, times in series.items() for moment in times}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_history_comes_whole_whatever_its_series_are(fetch: Callable[..., list[Any]], data: Any) -> None:
    keys = st.tuples(st.sampled_from(["a", "b"]), st.sampled_from([None, "urn:x", "urn:y"]))
    times = st.lists(st.integers(0, 2879), unique=True, max_size=30)
    series = {
        key: [START + timedelta(minutes=minute) for minute in minutes]
        for key, minutes in data.draw(st.dictionaries(keys, times, max_size=5)).items()
    }
    broker = SetsBroker(
        series,
        data.draw(st.integers(8, 20)),
        data.draw(st.sampled_from(["set", "attribute", "answer"])),
        data.draw(st.sampled_from(["last", "cut"])),
        data.draw(st.booleans()),
    )
    fetch(broker)
    assert broker.given == {(*key, iso(moment)) for key, times in series.items() for moment in times}


@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
@pytest.mark.parametrize("counts", ["set", "attribute"])
def test_a_broker_that_cuts_without_a_word_is_asked_what_comes_behind(
    fetch: Callable[..., list[Any]], counts: str, backwards: bool
) -> None:
    series = {
        ("temperature", None): every(10),
        ("temperature", "urn:roof"): every(20),
        ("windSpeed", None): every(60),
    }
    broker = SetsBroker(series, 100, counts, "nothing", backwards)
    asked = fetch(broker)
    assert broker.given == {(*key, iso(moment)) for key, times in series.items() for moment in times}
    assert len(asked) < 10
    assert len(fetch(SetsBroker({("windSpeed", None): every(60)}, 100, counts, "nothing"))) == 2, (
        "no round number"
    )


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"content-range": "bytes 0-5/9"}, "names no range of times"),
        ({"content-range": "date-time 2026-13-01T00:00-2026-07-29T00:00/*"}, "times that do not exist"),
    ],
)
def test_a_part_that_does_not_say_of_what_is_an_error(
    fetch: Callable[..., list[Any]], headers: dict[str, str], message: str
) -> None:
    broker = Broker({})
    with pytest.raises(ReadError, match=message):
        fetch(lambda request: (b"[]", headers) if request.role == "history" else broker(request))


def test_the_recorded_history_is_read_with_time_and_unit(
    source: MakeSource, records: ReadRecords, payloads: Path
) -> None:
    body = (payloads / "ngsi_ld" / "temporal_entity_lastN3.json").read_bytes()
    found = records(source("ngsi_ld", types=("Animal",), history=True), body, "history", type="Animal")
    assert sorted(found) == ["observation"]
    assert [
        (row["datastream_id"], row["value"], row["unit"], row["observed_property"], iso(row["phenomenon_start"]))
        for row in found["observation"]
    ] == [
        ("urn:ngsi-ld:Animal:cow002/heartRate", value, "5K", "heartRate", f"2021-09-15T13:41:{seconds}Z")
        for value, seconds in ((51, "33.508"), (50, "34.568"), (51, "37.888"))
    ]  # fmt: skip


def test_current_entities_say_what_it_is_and_history_says_the_values(history: Callable[..., Any]) -> None:
    entity = {"id": "a", "type": "WeatherObserved", "temperature": instance(START, 20)}
    found = history(entity, role="entities")
    assert sorted(found) == ["datastream", "station"]
    assert found["datastream"][0]["datastream_id"] == "a/temperature"
    (row,) = history(entity)["observation"]
    assert (row["datastream_id"], row["value"], row["unit"]) == ("a/temperature", 20, "Cel")


def test_pairs_of_value_and_time_are_read_too(history: Callable[..., Any]) -> None:
    pairs = [[20.5, "2026-07-30T10:00:00Z"], [None, "2026-07-30T11:00:00Z"], ["21", "2026-07-30T12:00:00Z"]]
    found = history(
        {"id": "a", "type": "WeatherObserved", "temperature": {"type": "Property", "values": [*pairs, [1]]}}
    )
    assert [(row["value"], row["phenomenon_start"].hour) for row in found["observation"]] == [
        (20.5, 10),
        (21, 12),
    ]


def twins(*values: Any, modified: Iterable[int] = ()) -> list[dict[str, Any]]:
    found = [{**instance(START, value), "instanceId": f"urn:i:{value}"} for value in values]
    for part, minute in zip(found, modified, strict=False):
        part["modifiedAt"] = iso(START + timedelta(minutes=minute))
    return found


@pytest.mark.parametrize(
    ("instances", "value"),
    [
        (twins(1, 2), 2),
        (twins(1, 2, modified=(9, 3)), 1),
        ([instance(START + timedelta(hours=1), 5), *twins(2, 1)], 2),
        ([*twins(1), {**instance(START, 2), "deletedAt": iso(START)}], 1),
        ([*twins(1), instance(START, "urn:ngsi-ld:null"), instance(START, None)], 1),
    ],
    ids=["the last", "the latest modified", "the first where the latest come first", "deleted", "null"],
)
def test_of_several_instances_of_one_time_one_counts(
    history: Callable[..., Any], instances: Any, value: int
) -> None:
    found = history({"id": "a", "type": "WeatherObserved", "temperature": instances})
    assert [row["value"] for row in found["observation"] if row["phenomenon_start"] == START] == [value]


def test_the_history_of_a_car_park_has_a_status_for_each_time(history: Callable[..., Any]) -> None:
    later = START + timedelta(minutes=5)
    found = history(
        {
            "id": "p",
            "type": "OffStreetParking",
            "availableSpotNumber": [instance(later, 8), instance(START, "9")],
            "occupiedSpotNumber": instance(START, 1),
            "status": [instance(START, "open"), {**instance(later, "x"), "deletedAt": iso(later)}],
            "name": {"type": "Property", "value": "Ufer"},
        }
    )
    assert found == {
        "parking_status": [
            {
                "site_id": "p",
                "observed_at": START,
                "free": 9,
                "occupied": 1,
                "opening_status": "open",
                "opening_status_native": "open",
            },
            {"site_id": "p", "observed_at": later, "free": 8},
        ]
    }


def test_the_history_of_a_docking_station_has_a_status_for_each_time(history: Callable[..., Any]) -> None:
    bikes = {"type": "Property", "values": [[3, iso(START)], [4, iso(START + timedelta(minutes=1))]]}
    found = history({"id": "d", "type": "BikeHireDockingStation", "availableBikeNumber": bikes})
    assert [row["vehicles_available"] for row in found["sharing_status"]] == [3, 4]


@pytest.mark.parametrize("unit", [None, "CEL", 59, {"value": "CEL"}])
@pytest.mark.parametrize("backwards", [False, True])
def test_values_mean_the_same_however_one_of_them_is_written(
    history: Callable[..., Any], unit: Any, *, backwards: bool
) -> None:
    values = [{**instance(START + timedelta(minutes=n), n / 2), "unitCode": unit} for n in range(3)]
    told = [{**value, "qualityCode": "x", "datasetId": "@none"} for value in values]
    alike, mixed = (
        history(
            {
                "id": "w",
                "type": "WeatherObserved",
                "temperature": [*series[:1], *values[1:]][:: -1 if backwards else 1],
            }
        )
        for series in (values, told)
    )
    assert alike == mixed
    assert [row["value"] for row in alike["observation"]] == [0.0, 0.5, 1.0]

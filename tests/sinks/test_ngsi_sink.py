"""A context broker has after each run what is published, entity by entity, and our own connector reads it so.

No broker installs from a package; the one of the testbed does what the specification says, as it is read here.
"""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from civitas_assets.catalog import Window
from civitas_assets.connectors.base import Request
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.connectors.transport.http_writer import HttpWriter
from civitas_assets.errors import ExportError
from civitas_assets.sinks.deliver import bring_to_sinks
from testbed.context_broker import Broker, start_broker
from tests.connectors.conftest import MakeSession, MakeSource, ReadRecords, read, records, session, source  # noqa: F401 - fixtures
from tests.sinks.conftest import NOW, START, SinkTown

AIR = "https://raw.githubusercontent.com/smart-data-models/dataModel.Environment/master/context.jsonld"
TOWN = """\
name: Messstadt
ags: "99000001"
bbox: [7.0, 51.0, 8.0, 52.5]
sinks:
  broker:
    kind: ngsi_ld
    url: "{url}"
    broker_tenant: messstadt
    models: [air_quality_observed, parking_status]
    entities: {entities}
    batch: 4
    headers: {{Authorization: {{secret: TOWN_BROKER_TOKEN, prefix: "Bearer "}}}}
    http: {{requests_per_second: 200, attempts: 1}}
sources:
  air: {{connector: uba, title: Luft, stations: [DEHE046]}}
  bought: {{connector: pegelonline, title: Pegel, stations: [MUSTER], licence: proprietary}}
"""
STATIONS, HOURS = 6, 3
ID = "urn:ngsi-ld:AirQualityObserved:town:s{}"


class BrokerTown(SinkTown):
    """A town whose sink is a broker."""

    def __init__(self, home: Path, url: str, entities: str) -> None:
        super().__init__(home, url)
        self.say(TOWN.format(url=url, entities=entities))

    def fill(self, rows: int = HOURS) -> None:
        at = {"received_at": START, "last_seen_at": START, "tenant": "town"}
        self.put("source", {"source": "air", "licence": "dl-de/by-2-0", "attribution": "Amt"})
        self.put("source", {"source": "bought", "licence": "proprietary"})
        self.put(
            "parking_site",
            {"site_key": "p1", "name": "Markt", "lon": 7.5, "lat": 51.5, "source": "air", **at},
        )
        free = {"site_key": "p1", "source": "air", "free": 3, "capacity": 10, "observed_at": START}
        self.put("parking_status", {**free, "day": date(2026, 7, 1)})
        for number in range(STATIONS):
            origin = "bought" if number == STATIONS - 1 else "air"
            key = {"station_key": f"town:s{number}", "source": origin, **at}
            place = {"lon": 7.5, "lat": 51.5 + number / 100}
            self.put(
                "station", {"station_id": f"s{number}", "name": f"Messstelle {number} ü", **place, **key}
            )
            self.put("air_quality_observed", *(self._hour(key, number, hour) for hour in range(rows)))

    def _hour(self, key: dict[str, Any], number: int, hour: int) -> dict[str, Any]:
        start = START + timedelta(hours=hour)
        return {
            "station_key": key["station_key"], "source": key["source"], "quality_code": "good", "day": date(2026, 7, 1),
            "phenomenon_start_at": start, "phenomenon_end_at": start + timedelta(hours=1),
            "no2_ug_m3": number + hour / 8, "received_at": START,
        }  # fmt: skip


MakeTown = Callable[..., BrokerTown]


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def make_town(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., BrokerTown]]:
    monkeypatch.setenv("TOWN_BROKER_TOKEN", "s3cret-token")

    def make(entities: str = "latest") -> BrokerTown:
        town = BrokerTown(tmp_path, url, entities)
        town.fill()
        return town

    with start_broker(broker) as url:
        yield make


@pytest.fixture
def look(source: MakeSource, session: MakeSession, records: ReadRecords) -> Any:  # noqa: F811
    """What our connector reads from the broker: positions by name, and values by series and time."""

    def found(root: str) -> tuple[dict[str, tuple[float, float]], dict[tuple[str, Any], float]]:
        bodies: list[tuple[Request, bytes]] = []

        def answer(request: Request) -> bytes:
            asked = urllib.request.Request(request.url, headers=dict(request.headers))
            with closing(urllib.request.urlopen(asked, timeout=10)) as reply:
                bodies.append((request, body := reply.read()))
                return bytes(body)

        declared = source(
            "ngsi_ld",
            url=root,
            types=("AirQualityObserved",),
            context=AIR,
            broker_tenant="messstadt",
            page_size=4,
        )
        days = Window(date(2026, 7, 1), date(2026, 7, 2))
        CONNECTORS["ngsi_ld"].fetch(declared, days, ZoneInfo("Europe/Berlin"), session(answer))
        places: dict[str, tuple[float, float]] = {}
        values: dict[tuple[str, Any], float] = {}
        for request, body in bodies:
            rows = records(declared, body, request.role, **request.variables)
            places |= {row["name"]: (row["lon"], row["lat"]) for row in rows.get("station", ())}
            for row in rows.get("observation", ()):
                key = row["datastream_id"].removeprefix("urn:ngsi-ld:Device:"), row["phenomenon_start"]
                assert values.get(key, row["value"]) == row["value"]
                values[key] = row["value"]
        return places, values

    return found


def summarise(report: Any) -> tuple[int, int, int, list[str]]:
    return report.created, report.changed, report.deleted, report.refused


def test_the_broker_has_what_is_published_and_gets_only_what_has_changed(
    broker: Broker, make_town: MakeTown, look: Any
) -> None:
    town = make_town()
    assert summarise(town.bring()) == (STATIONS, 0, 0, [])  # all stations but one, and a car park
    root = town.tenant.sinks["broker"].url
    # The last station's source is proprietary: nothing of it leaves the town.
    last = START + timedelta(hours=HOURS - 1)
    wanted = {(f"town:s{n}/no2", last): n + (HOURS - 1) / 8 for n in range(STATIONS - 1)}
    assert look(root) == ({f"Messstelle {n} ü": (7.5, 51.5 + n / 100) for n in range(STATIONS - 1)}, wanted)
    parking = broker.entities["messstadt"]["urn:ngsi-ld:OffStreetParking:p1"]
    assert [value["value"] for name, value in parking.items() if "availableSpotNumber" in name] == [3]
    assert not any("bought" in key or "s5" in key for key in broker.entities["messstadt"])

    broker.asked.clear()
    assert summarise(town.bring()) == (0, 0, 0, [])
    assert broker.asked == [], "where nothing has changed, nobody is asked"

    town.run(
        "update air_quality_observed set no2_ug_m3 = 99 where station_key = 'town:s1' and no2_ug_m3 = 1.25"
    )
    town.run("delete from air_quality_observed where station_key = 'town:s2'")
    town.run("update parking_status set free = 0")
    assert summarise(town.bring()) == (0, 2, 1, [])
    wanted = {key: value for key, value in wanted.items() if key[0] != "town:s2/no2"}
    assert look(root)[1] == wanted | {("town:s1/no2", last): 99.0}

    # What is known here is lost: the broker is read, and nothing is written.
    town.files.clear("sinks/town/")
    broker.asked.clear()
    assert summarise(town.bring()) == (0, 0, 0, [])
    assert {operation for _, operation in broker.asked} == {"entities"}

    # A source that is closed has its entities taken back; a model that is no longer named, too.
    file = town.settings.tenants_dir / "town.yaml"
    file.write_text(file.read_text().replace("title: Luft,", "title: Luft, licence: proprietary,"))
    assert summarise(town.bring()) == (0, 0, STATIONS - 1, [])
    assert broker.entities["messstadt"] == {}


def test_each_row_may_be_an_entity_and_old_ones_stay(broker: Broker, make_town: MakeTown, look: Any) -> None:
    town = make_town("each")
    assert summarise(town.bring()) == ((STATIONS - 1) * HOURS + 1, 0, 0, [])
    values = look(town.tenant.sinks["broker"].url)[1]
    assert values == {
        (f"town:s{n}/no2", START + timedelta(hours=hour)): n + hour / 8
        for n in range(STATIONS - 1)
        for hour in range(HOURS)
    }
    town.run("delete from air_quality_observed where station_key = 'town:s0' and no2_ug_m3 = 0")
    (late,) = bring_to_sinks(town.settings, town.files, town.tenant, NOW + timedelta(days=60)).values()
    assert summarise(late) == (0, 0, 0, []), "days before those that are compared stay"
    assert summarise(town.bring()) == (0, 0, 1, [])


def test_another_form_takes_the_place_of_the_one_before(broker: Broker, make_town: MakeTown) -> None:
    """What was given by row, and is not any more, would never be taken back, whatever becomes of its licence."""
    town = make_town("each")
    town.bring()
    file = town.settings.tenants_dir / "town.yaml"
    file.write_text(file.read_text().replace("entities: each", "entities: latest"))
    report = town.bring()
    assert (report.deleted, report.refused) == ((STATIONS - 1) * HOURS, [])
    parking = "urn:ngsi-ld:OffStreetParking:p1"
    assert {*broker.entities["messstadt"]} == {*(ID.format(n) for n in range(STATIONS - 1)), parking}
    file.write_text(
        file.read_text().replace(
            "    batch: 4", "    batch: 4\n    context: https://town.example/context.jsonld"
        )
    )
    assert summarise(town.bring()) == (0, STATIONS, 0, [])
    kinds = {entity["type"].partition("#")[0] for entity in broker.entities["messstadt"].values()}
    assert kinds == {"https://town.example/context.jsonld"}
    assert summarise(town.bring()) == (0, 0, 0, [])


@pytest.mark.parametrize("is_strict", [False, True])
def test_an_entity_that_is_refused_is_named_and_stops_no_other(
    broker: Broker, make_town: MakeTown, is_strict: bool
) -> None:
    """By a result of the batch, or because the whole request is refused."""
    broker.refuse = lambda given: "no s1 for Bearer s3cret-token" if given["id"] == ID.format(1) else ""
    broker.is_strict = is_strict
    broker.drop = {ID.format(3)}
    town = make_town()
    report = town.bring()
    assert (report.created, sorted(report.refused)) == (
        STATIONS - 2,
        [
            f"{ID.format(1)}: {'HTTP 400' if is_strict else 'Bad request:'} no s1 for Bearer ***",
            f"{ID.format(3)}: is not there, whatever the broker answers",
        ],
    )
    again = town.bring()
    assert (again.created, sorted(again.refused)) == (0, sorted(report.refused)), "and tried again"
    broker.refuse, broker.drop = lambda _: "", set()
    assert summarise(town.bring()) == (2, 0, 0, [])


def test_a_run_that_is_cut_short_is_gone_on_with(
    broker: Broker, make_town: MakeTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, send = make_town(), HttpWriter.send

    def lose(self: HttpWriter, method: str, path: str, *given: Any, **more: Any) -> Any:
        reply = send(self, method, path, *given, **more)
        if path.endswith("upsert") and any(b"Parking" in bytes(entity) for entity in given[0]):
            raise ExportError("the line is cut")
        return reply

    with monkeypatch.context() as cut:
        cut.setattr(HttpWriter, "send", lose)
        (fault,) = bring_to_sinks(town.settings, town.files, town.tenant, NOW).values()
        assert fault == "the line is cut"
    broker.asked.clear()
    assert summarise(town.bring()) == (0, 0, 0, []), "the broker had taken all of it"
    assert [operation for _, operation in broker.asked] == ["entities"], (
        "and is asked of what was not read back"
    )


@pytest.mark.parametrize(
    ("models", "says"),
    [
        ("[statistic]", "statistic is in no Smart Data Model; these are: air_quality_observed,"),
        ("[parking_site, parking_status]", "parking_site and parking_status are the same entities"),
    ],
)
def test_models_that_are_no_entities_are_an_error(make_town: MakeTown, models: str, says: str) -> None:
    town = make_town()
    file = town.settings.tenants_dir / "town.yaml"
    file.write_text(file.read_text().replace("[air_quality_observed, parking_status]", models))
    (fault,) = bring_to_sinks(town.settings, town.files, town.tenant, NOW).values()
    assert says in str(fault)


def test_a_server_that_is_no_broker_is_an_error(make_town: MakeTown) -> None:
    town = make_town()
    file = town.settings.tenants_dir / "town.yaml"
    file.write_text(file.read_text().replace("/ngsi-ld/v1", ""))
    (fault,) = bring_to_sinks(town.settings, town.files, town.tenant, NOW).values()
    assert "is there an NGSI-LD broker at url:" in str(fault)

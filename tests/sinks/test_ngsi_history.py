"""The temporal interface of a broker has each published value once, with its time, and our own connector reads it so.

The broker is that of the testbed, which also keeps by itself what an upsert brings, and parts its answers.
"""

from __future__ import annotations

import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
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
from civitas_assets.sinks.sink_report import SinkReport
from testbed.context_broker import Broker, start_broker
from testbed.context_history import BrokerHistory
from tests.connectors.conftest import read, records, session, source  # noqa: F401 - fixtures
from tests.sinks.conftest import NOW, START
from tests.sinks.test_ngsi_sink import AIR, HOURS, ID, STATIONS, BrokerTown

GIVEN = STATIONS - 1  # the last station's source is proprietary
VALUES = GIVEN * HOURS * 2 + 2  # with a quality each; and a car park's free and all spaces
NO2 = f"{AIR}#no2"


@pytest.fixture
def broker() -> Broker:
    return Broker(history=BrokerHistory(limit=2), keeps_history=True)


@pytest.fixture
def history(broker: Broker) -> BrokerHistory:
    assert broker.history is not None
    return broker.history


@pytest.fixture
def town(broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BrokerTown]:
    monkeypatch.setenv("TOWN_BROKER_TOKEN", "s3cret-token")
    with start_broker(broker) as url:
        made = BrokerTown(tmp_path, url, "latest\n    temporal: true")
        made.fill()
        yield made


@pytest.fixture
def look(source: Any, session: Any, records: Any) -> Callable[[str], dict[tuple[str, datetime], float]]:  # noqa: F811
    """What our connector reads from the temporal interface: values by series and time."""

    def found(root: str) -> dict[tuple[str, datetime], float]:
        bodies = list[tuple[Request, bytes]]()

        def answer(request: Request) -> Any:
            asked = urllib.request.Request(request.url, headers=dict(request.headers))
            with closing(urllib.request.urlopen(asked, timeout=10)) as reply:
                bodies.append((request, body := reply.read()))
                return body, {name.lower(): value for name, value in reply.headers.items()}

        declared = source(
            "ngsi_ld",
            url=root,
            types=("AirQualityObserved",),
            context=AIR,
            broker_tenant="messstadt",
            history=True,
        )
        days = Window(date(2026, 7, 1), date(2026, 7, 2))
        CONNECTORS["ngsi_ld"].fetch(declared, days, ZoneInfo("Europe/Berlin"), session(answer))
        values = dict[tuple[str, datetime], float]()
        for request, body in bodies:
            for row in records(declared, body, request.role, **request.variables).get("observation", ()):
                values[row["datastream_id"].rpartition("Observed:")[2], row["phenomenon_start"]] = row[
                    "value"
                ]
        return values

    return found


def count(report: SinkReport) -> tuple[int, int, int, list[str]]:
    assert report.history is not None
    return report.history.created, report.history.changed, report.history.deleted, report.refused


def list_kept(history: BrokerHistory, station: int, name: str = NO2) -> list[tuple[str, float]]:
    return sorted(
        (part["observedAt"], part["value"]) for part in history.kept[ID.format(station)].get(name, ())
    )


def say(hour: int, value: float) -> tuple[str, float]:
    return f"{START + timedelta(hours=hour):%Y-%m-%dT%H:%M:%SZ}", value


def test_every_value_is_there_once_and_what_changes_is_changed_there(
    broker: Broker, history: BrokerHistory, town: BrokerTown
) -> None:
    report = town.bring()
    # What the broker had kept of the entities by itself, the last hour of each, is not given again.
    assert count(report) == (VALUES - GIVEN * 2 - 2, 0, 0, [])
    assert f"{VALUES - GIVEN * 2 - 2} values made" in report.summarise()
    assert history.count == VALUES
    assert list_kept(history, 1) == [say(0, 1), say(1, 1.125), say(2, 1.25)]
    assert ID.format(STATIONS - 1) not in history.kept

    broker.asked.clear()
    assert count(town.bring()) == (0, 0, 0, [])
    assert broker.asked == [], "where nothing has changed, nobody is asked"

    broker.keeps_history = False
    town.run(
        "update air_quality_observed set no2_ug_m3 = 99 where station_key = 'town:s1' and no2_ug_m3 = 1.125"
    )
    town.run("delete from air_quality_observed where station_key = 'town:s2' and no2_ug_m3 = 2")
    town.run(
        "update air_quality_observed set no2_ug_m3 = null where station_key = 'town:s3' and no2_ug_m3 = 3"
    )
    history.kept[ID.format(1)]["of-somebody-else"] = [
        {"type": "Property", "value": 1, "observedAt": say(0, 0)[0]}
    ]
    # A whole row is two values; where only one is left, the row is none of an entity any more.
    assert count(town.bring()) == (0, 1, 4, [])
    assert list_kept(history, 1) == [say(0, 1), say(1, 99), say(2, 1.25)]
    assert list_kept(history, 2) == [say(1, 2.125), say(2, 2.25)]
    assert "of-somebody-else" in history.kept[ID.format(1)]

    # What is known here is lost: the broker is read, and nothing is written.
    town.files.clear("sinks/town/")
    broker.asked.clear()
    assert count(town.bring()) == (0, 0, 0, [])
    assert {operation for _, operation in broker.asked} == {"entities", "temporal/entities"}
    assert {command for command, _ in broker.asked} == {"GET"}

    # A source that is closed has all of its values taken back, days before those that are compared included.
    close_source(town)
    (late,) = bring_to_sinks(town.settings, town.files, town.tenant, NOW + timedelta(days=60)).values()
    assert isinstance(late, SinkReport)
    assert late.refused == []
    assert history.kept == {}


def test_our_own_connector_reads_the_same_values_at_the_same_times(town: BrokerTown, look: Any) -> None:
    town.bring()
    assert look(town.tenant.sinks["broker"].url) == {
        (f"town:s{n}/no2", START + timedelta(hours=hour)): n + hour / 8
        for n in range(GIVEN)
        for hour in range(HOURS)
    }


def test_a_value_that_is_not_taken_is_named_and_stops_no_other(
    history: BrokerHistory, town: BrokerTown
) -> None:
    """One is refused with its whole request, another one lost in spite of an answer of success."""
    history.refuse = lambda part: "no 0.125 for Bearer s3cret-token" if part["value"] == 0.125 else ""
    history.lose = lambda part: part["value"] == 3.125
    report = town.bring()
    at = say(1, 0)[0]
    told = [
        f"{ID.format(0)} no2 at {at}: HTTP 400 no 0.125 for Bearer ***",
        f"{ID.format(3)} no2 at {at}: is not there, whatever the broker answers",
    ]
    assert count(report) == (VALUES - GIVEN * 2 - 2 - 2, 0, 0, told)
    assert count(town.bring()) == (0, 0, 0, told), "and tried again"
    history.refuse, history.lose = lambda _: "", lambda _: False
    assert count(town.bring()) == (2, 0, 0, [])
    twice = Counter(map(str, (list_kept(history, n) for n in range(GIVEN))))
    assert len(twice) == GIVEN
    assert all(len(list_kept(history, n)) == HOURS for n in range(GIVEN)), "nothing is there twice"


def test_what_has_no_instance_id_cannot_be_corrected_and_is_told(
    history: BrokerHistory, town: BrokerTown
) -> None:
    town.bring()
    history.is_anonymous = True
    no_id = "without an instanceId by which it"
    town.run(
        "update air_quality_observed set no2_ug_m3 = 99 where station_key = 'town:s1' and no2_ug_m3 = 1.125"
    )
    town.run("delete from air_quality_observed where station_key = 'town:s2' and no2_ug_m3 = 2")
    assert count(town.bring()) == (0, 0, 0, [
        f"{ID.format(1)} no2 at {say(1, 0)[0]}: is another value there, {no_id} could be corrected",
        f"{ID.format(2)} no2 at {say(0, 0)[0]}: is there {no_id} could be taken back",
        f"{ID.format(2)} qualityCode at {say(0, 0)[0]}: is there {no_id} could be taken back",
    ])  # fmt: skip


def test_a_run_that_is_cut_short_is_gone_on_with_and_gives_nothing_twice(
    history: BrokerHistory, town: BrokerTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = HttpWriter.send

    def lose(self: HttpWriter, method: str, path: str, *given: Any, **more: Any) -> Any:
        reply = send(self, method, path, *given, **more)
        if method == "POST" and path == "temporal/entities" and given[0]["id"] == ID.format(2):
            raise ExportError("the line is cut")
        return reply

    with monkeypatch.context() as cut:
        cut.setattr(HttpWriter, "send", lose)
        (fault,) = bring_to_sinks(town.settings, town.files, town.tenant, NOW).values()
        assert fault == "the line is cut"
    report = town.bring()
    assert report.refused == []
    assert history.count == VALUES, "the broker had taken what was cut"


def test_a_broker_without_a_temporal_interface_is_an_error(broker: Broker, town: BrokerTown) -> None:
    broker.history = None
    (fault,) = bring_to_sinks(town.settings, town.files, town.tenant, NOW).values()
    assert "has the broker a temporal interface?" in str(fault)
    file = town.settings.tenants_dir / "town.yaml"
    file.write_text(file.read_text().replace("[air_quality_observed, parking_status]", "[parking_site]"))
    (fault,) = bring_to_sinks(town.settings, town.files, town.tenant, NOW).values()
    assert "nothing of them has a time" in str(fault)


def bring_later(town: BrokerTown, first: date | None = None) -> SinkReport:
    """A night when the days before are no longer compared by themselves."""
    (report,) = bring_to_sinks(
        town.settings, town.files, town.tenant, NOW + timedelta(days=31), first=first
    ).values()
    assert isinstance(report, SinkReport)
    return report


def close_source(town: BrokerTown) -> None:
    file = town.settings.tenants_dir / "town.yaml"
    file.write_text(file.read_text().replace("title: Luft,", "title: Luft, licence: proprietary,"))


def move_last_hour(town: BrokerTown, *, days: int = 0, hours: int = 0) -> None:
    town.run(
        f"update air_quality_observed set day = day + {days}, phenomenon_start_at = phenomenon_start_at"  # noqa: S608
        f" + interval '{days} days {hours} hours' where station_key = 'town:s1' and no2_ug_m3 = 1.25"
    )


def test_what_a_licence_closes_goes_also_where_a_value_was_never_taken(
    history: BrokerHistory, town: BrokerTown
) -> None:
    history.refuse = lambda part: "no" if part["value"] == 0.125 else ""
    assert town.bring().refused
    close_source(town)
    assert town.bring().refused == []
    assert history.kept == {}


def test_a_value_that_was_given_half_is_put_back_as_it_was(
    broker: Broker, history: BrokerHistory, town: BrokerTown
) -> None:
    """Its day was seen as it is again; but meanwhile the value went, and the other was refused."""
    town.bring()
    broker.keeps_history = False
    history.refuse = lambda part: "no" if part["value"] == 1.25 else ""
    move_last_hour(town, hours=1)
    assert town.bring().refused
    assert list_kept(history, 1) == [say(0, 1), say(1, 1.125)]
    history.refuse = lambda _: ""
    move_last_hour(town, hours=-1)
    assert town.bring().refused == []
    assert list_kept(history, 1) == [say(0, 1), say(1, 1.125), say(2, 1.25)]


def test_values_of_days_that_are_compared_no_more_can_be_taken_back(
    broker: Broker, history: BrokerHistory, town: BrokerTown
) -> None:
    """Where all of the days since is gone, they are not forgotten; and asked for these days, none is left behind."""
    town.bring()
    broker.keeps_history = False
    move_last_hour(town, days=30)
    bring_later(town)
    town.run("delete from air_quality_observed where station_key = 'town:s1'")
    bring_later(town)
    assert list_kept(history, 1) == [say(0, 1), say(1, 1.125), say(2, 1.25)], "of days that nobody looks at"
    assert bring_later(town, date(2026, 6, 1)).refused == []
    assert list_kept(history, 1) == []
    assert len(list_kept(history, 2)) == HOURS
    close_source(town)
    bring_later(town)
    assert {*history.kept} <= {ID.format(1)}, "of which nothing is left"


def test_a_damaged_note_of_what_a_broker_has_is_named(town: BrokerTown) -> None:
    town.files.write("sinks/town/broker-history.json", b"{")
    (fault,) = bring_to_sinks(town.settings, town.files, town.tenant, NOW).values()
    assert "broker-history.json is damaged" in str(fault)

"""A SensorThings service night by night: what its answers become in the record store and in quarantine."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.ingest.conftest import Publisher, Town

ROOT = "sta/v1.1"
THING = {
    "@iot.id": 1,
    "name": "Wetterstation",
    "Locations": [{"location": {"type": "Point", "coordinates": [7.5, 51.5]}}],
    "Datastreams": [{"@iot.id": 7, "name": "Luft"}],
    "MultiDatastreams": [
        {
            "@iot.id": 7,
            "name": "Wind",
            "unitOfMeasurements": [{"symbol": "m/s"}, {"symbol": None}],
            "multiObservationDataTypes": ["http://…/OM_Measurement", "http://…/OM_CategoryObservation"],
            "ObservedProperties": [{"name": "Stärke"}, {"name": "Richtung"}],
        }
    ],
}


class ByPath(dict[str, Any]):
    """Bodies by the path alone, whatever is asked of it."""

    def get(self, path: str, default: Any = None) -> Any:
        return super().get(path.partition("?")[0], default)


def page(*value: Any, **more: Any) -> bytes:
    return json.dumps({"value": value, **more}).encode()


def observed(key: int, hour: int, result: Any, **more: Any) -> dict[str, Any]:
    return {"@iot.id": key, "phenomenonTime": f"2026-07-01T{hour:02}:00:00Z", "result": result, **more}


@pytest.fixture
def service(town: Town, publisher: Publisher) -> ByPath:
    """The answers of the service that is the town's one source."""
    settings = {"connector": "sensorthings", "url": f"https://data.example/{ROOT}"}
    of_csv = dict.fromkeys(("each", "record_type", "time", "fields"))
    town.with_sources(s={**of_csv, **settings})
    publisher.bodies = ByPath(
        {
            ROOT: page({"name": "Things"}, {"name": "MultiDatastreams"}),
            f"{ROOT}/Things": page(THING),
            f"{ROOT}/Datastreams(7)/Observations": page(observed(1, 0, 33.0), observed(2, 0, 31.5)),
            f"{ROOT}/MultiDatastreams(7)/Observations": page(
                observed(3, 0, [4.5, "NW"]), observed(4, 1, [5]), observed(5, 2, [6, None])
            ),
        }
    )
    return publisher.bodies


def test_datastreams_and_multi_datastreams_become_observations_of_their_own(
    town: Town, service: ByPath
) -> None:
    del service
    night = town.night()
    assert night.ok, night.errors
    found = town.values("datastream_id", "phenomenon_start", "value", "value_text", "revision")
    assert [(key, at.hour, *rest) for key, at, *rest in found] == [
        ("7", 0, 31.5, None, 2),
        ("7", 0, 33.0, None, 1),
        ("7[0]", 0, 4.5, None, 1),
        ("7[0]", 2, 6.0, None, 1),
        ("7[1]", 0, None, "NW", 1),
    ]
    assert (night.counts["station"].new, night.counts["datastream"].new) == (1, 3)


def test_a_result_that_does_not_fit_its_multi_datastream_is_in_quarantine(
    town: Town, service: ByPath
) -> None:
    del service
    assert town.night().warnings == ["1 row(s) in quarantine, most by rule result_has_other_components (1)"]


def test_another_night_with_the_same_answers_is_no_news(town: Town, service: ByPath) -> None:
    town.night()
    service[f"{ROOT}/Datastreams(7)/Observations"] += b" "
    assert town.night().counts["observation"].new == 0
    assert town.night().payloads == 0


def test_a_service_that_is_empty_all_at_once_is_an_error(town: Town, service: ByPath) -> None:
    town.night()
    service[f"{ROOT}/Things"] = page()
    (error,) = town.night().errors
    assert "without a single row" in error


def test_a_new_field_is_reported_once(town: Town, service: ByPath) -> None:
    town.night()
    for name in ("Turm", "Halle"):
        service[f"{ROOT}/Things"] = page({**THING, "name": name, "colour": "red"})
        notes = town.night().new_notes
        assert any("Thing.colour" in note.text for note in notes) is (name == "Turm")


def test_pages_that_hold_less_than_the_service_counts_fail_but_land(town: Town, service: ByPath) -> None:
    service[f"{ROOT}/Datastreams(7)/Observations"] = page(observed(1, 0, 33.0), **{"@iot.count": 2})
    report = town.fetch()["s"]
    assert "the service counts 2" in report.error
    town.read()
    assert {row[0] for row in town.values()} == {"7", "7[0]", "7[1]"}

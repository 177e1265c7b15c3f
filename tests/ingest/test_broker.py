"""A context broker whose answers come in parts, by HTTP into the record store: every value once, and nothing lost."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from tests.ingest.conftest import Town

START = datetime(2026, 6, 30, 22, tzinfo=UTC)
TIMES = [START + timedelta(minutes=minutes) for minutes in range(0, 2880, 30)]
KEYS = ("urn:s:1", "urn:s:2")


def instance(moment: datetime, value: float) -> dict[str, Any]:
    return {
        "type": "Property",
        "value": value,
        "unitCode": "CEL",
        "observedAt": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
    }


class Broker:
    """Two entities, one a page, and forty values of each attribute at once."""

    def __init__(self) -> None:
        self.counts = 2
        self.statuses: list[int] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        asked = request.url.params
        assert request.headers["NGSILD-Tenant"] == "town"
        answer = self._temporal(asked) if "temporal" in request.url.path else self._current(asked)
        self.statuses.append(answer.status_code)
        return answer

    def _current(self, asked: Any) -> httpx2.Response:
        keys = KEYS[int(asked["offset"]) :][:1]
        found = [
            {"id": key, "type": "WeatherObserved", "temperature": instance(TIMES[-1], 1)} for key in keys
        ]
        return httpx2.Response(200, json=found, headers={"NGSILD-Results-Count": str(self.counts)})

    def _temporal(self, asked: Any) -> httpx2.Response:
        first, last = (datetime.fromisoformat(asked[name]) for name in ("timeAt", "endTimeAt"))
        within = [moment for moment in TIMES if first < moment < last]
        found = [instance(moment, TIMES.index(moment)) for moment in within[:40]]
        body = json.dumps([{"id": asked["id"], "type": "WeatherObserved", "temperature": found}]).encode()
        if len(within) < 40:
            return httpx2.Response(200, content=body)
        covered = f"date-time {first:%Y-%m-%dT%H:%M}-{within[39]:%Y-%m-%dT%H:%M}/*"
        return httpx2.Response(206, content=body, headers={"Content-Range": covered})


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def place(town: Town, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A town that reads the broker's history."""
    monkeypatch.setattr(type(town.publisher), "__call__", lambda _, request: broker(request))
    weather = {
        "connector": "ngsi_ld",
        "types": ("WeatherObserved",),
        "history": True,
        "broker_tenant": "town",
    }
    absent = dict.fromkeys(("each", "record_type", "time", "fields"))
    town.with_sources(
        s={
            **absent,
            **weather,
            "url": "https://data.example/ngsi-ld/v1",
            "http": {"requests_per_second": 200.0, "attempts": 1},
        }
    )
    return town


def test_a_history_in_parts_is_stored_once_night_after_night(place: Any, broker: Broker) -> None:
    expected = [
        (f"{key}/temperature", moment, float(n), "CEL", 1) for key in KEYS for n, moment in enumerate(TIMES)
    ]
    for _ in range(2):
        assert place.fetch()["s"].error == ""
        place.read()
        columns = ("datastream_id", "phenomenon_start", "value", "unit", "revision")
        assert sorted(place.values(*columns)) == expected
    assert {200, 206} == {*broker.statuses}


def test_what_came_is_kept_where_the_broker_counts_more(place: Any, broker: Broker) -> None:
    broker.counts = 3
    (report,) = place.fetch().values()
    assert "2 of 3 came" in report.error
    place.read()
    assert len(place.values("value")) == 2 * len(TIMES)

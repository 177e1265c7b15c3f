"""What a server's pages hold counts once, in whatever order it cuts them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from civitas_assets.catalog.access import HttpPolicy
from civitas_assets.connectors.reachable import PUBLIC
from civitas_assets.connectors.transport.http_writer import HttpWriter
from civitas_assets.errors import ExportError
from civitas_assets.export.described_entities import MARK
from civitas_assets.sinks.sensorthings_writing import (
    GivenObservation,
    SensorThingsServer,
    make_entity_path,
)

ROOT = "https://frost.example/v1.1"


def _serve(pages: dict[str, Any]) -> SensorThingsServer:
    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        found = next((page for part, page in pages.items() if part in str(request.url)), {"value": []})
        return httpx2.Response(found) if isinstance(found, int) else httpx2.Response(200, json=found)

    asked: list[str] = []
    writer = HttpWriter(
        "sink frost", ROOT, {}, HttpPolicy(requests_per_second=200, attempts=1), user_agent="t",
        reachable=PUBLIC, read_secret=str, transport=httpx2.MockTransport(answer),
    )  # fmt: skip
    server = SensorThingsServer(writer, 2)
    asked.clear()
    server.asked = asked  # type: ignore[attr-defined]
    return server


def _thing(identity: int, mark: str) -> dict[str, Any]:
    return {"@iot.id": identity, "properties": {MARK: mark}}


def test_an_entity_on_two_pages_is_there_once_and_pages_have_an_order() -> None:
    second = f"{ROOT}/Things?$skip=2"
    server = _serve(
        {
            "skip=2": {"value": [_thing(2, "b"), _thing(3, "c")]},
            "Things": {"value": [_thing(1, "a"), _thing(2, "b")], "@iot.nextLink": second},
        }
    )
    assert [(e["@iot.id"]) for e in server._read_pages("Things?$orderby=id")] == [1, 2, 3]
    assert {mark: found.id for mark, found in server.list_marked("Things").items()} == {
        "a": 1,
        "b": 2,
        "c": 3,
    }
    assert "orderby=id" in server.asked[2]  # type: ignore[attr-defined]


def test_pages_that_lead_in_a_circle_or_away_are_an_error() -> None:
    circle = _serve({"Things": {"value": [], "@iot.nextLink": f"{ROOT}/Things?$skip=2"}})
    with pytest.raises(ExportError, match=r"the pages of .*Things lead in a circle"):
        circle.list_marked("Things")
    away = _serve({"Things": {"value": [], "@iot.nextLink": "https://other.example/Things"}})
    with pytest.raises(ExportError, match=r"leads to another host, other\.example; correct url:"):
        away.list_marked("Things")


WHEN = "2026-07-01T00:00:00Z"
ARRAYS = {
    "serverSettings": {
        "conformance": ["http://www.opengis.net/spec/iot_sensing/1.1/req/data-array/data-array"]
    }
}


def _array(*components: str) -> dict[str, Any]:
    row = {"id": 7, "@iot.id": 7, "phenomenonTime": WHEN, "result": 1.5, "resultQuality": {"code": "good"}}
    array = {"components": components, "dataArray": [[row[name] for name in components]]}
    return {"value": [array], "@iot.nextLink": ""}


@pytest.mark.parametrize("identity", ["id", "@iot.id"])
def test_observations_are_read_as_arrays_however_the_id_is_called(identity: str) -> None:
    page = _array(identity, "phenomenonTime", "result", "resultQuality")
    server = _serve({"dataArray": page, "Observations": {}, "v1.1/Sensors": {"value": []}, "v1.1/": ARRAYS})
    begin = datetime(2026, 7, 1, tzinfo=UTC)
    (kept,) = server.read_observations(1, begin, begin + timedelta(hours=1))
    assert kept.is_as(GivenObservation(begin, None, 1.5, begin, "good"))
    assert kept.id == 7


@pytest.mark.parametrize("page", [_array("id", "phenomenonTime", "result"), 400])
def test_observations_are_read_as_entities_where_arrays_do_not_say_all_of_them(page: Any) -> None:
    entity = {"@iot.id": 7, "phenomenonTime": WHEN, "result": 1.5, "resultQuality": {"code": "good"}}
    server = _serve(
        {
            "dataArray": page,
            "v1.1/Sensors": {"value": []},
            "Observations": {"value": [entity]},
            "v1.1/": ARRAYS,
        }
    )
    begin = datetime(2026, 7, 1, tzinfo=UTC)
    for _ in range(2):
        (kept,) = server.read_observations(1, begin, begin + timedelta(hours=1))
        assert kept.quality == {"code": "good"}
    asked = [url for url in server.asked if "dataArray" in url]  # type: ignore[attr-defined]
    assert len(asked) == 1, "it is asked for them once"


def test_ids_that_are_texts_are_quoted() -> None:
    assert make_entity_path("Things", "it's/1") == "Things('it%27%27s/1')"
    assert make_entity_path("Things", 7) == "Things(7)"

"""A file whose address is in an answer is found under each name that it has, and of the answer no more is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from civitas_assets.connectors.registry import SOURCE_MODELS
from tests.ingest.conftest import Publisher, Town

ASKED = "api/3/action/resource_show?id=7"
LINKED = {"url": f"https://data.example/{ASKED}", "link": "result.url", "each": None}
ROW = "id,t,v\nA,2026-07-01 10:00,{}\n"


def described(address: object) -> bytes:
    """What CKAN says of a resource, also of whom it names; synthetic."""
    return json.dumps(
        {"success": True, "result": {"url": address, "maintainer_email": "x@a.example"}}
    ).encode()


def test_a_file_that_was_renamed_is_fetched_under_its_new_name(town: Town, publisher: Publisher) -> None:
    town.with_sources(s=LINKED)
    publisher.bodies[ASKED] = described("https://data.example/files/2025.csv")
    publisher.bodies["files/2025.csv"] = ROW.format(1).encode()
    assert town.night().ok
    del publisher.bodies["files/2025.csv"]
    publisher.bodies[ASKED] = described("/files/2026.csv")
    publisher.bodies["files/2026.csv"] = ROW.format(2).encode()
    assert town.night().ok
    assert town.values("value", "revision") == [(1.0, 1), (2.0, 2)]


def test_an_answer_that_stays_is_asked_for_and_read_once(town: Town, publisher: Publisher) -> None:
    town.with_sources(s=LINKED)
    publisher.bodies[ASKED] = described("https://data.example/a.csv")
    publisher.bodies["a.csv"] = ROW.format(1).encode()
    assert [town.night().ok for _ in range(3)] == [True] * 3
    assert publisher.asked[2:] == [(ASKED, 304), ("a.csv", 304)] * 2
    assert town.values("value", "revision") == [(1.0, 1)]


def test_of_the_answer_only_the_address_is_kept(town: Town, publisher: Publisher) -> None:
    town.with_sources(s=LINKED)
    publisher.bodies[ASKED] = described("https://data.example/a.csv")
    publisher.bodies["a.csv"] = ROW.format(1).encode()
    town.night()
    landing = town.landing()
    kept = {
        line.role: landing.read_body(line.sha256)
        for manifest in landing.list_manifests() for line in manifest.lines
    }  # fmt: skip
    assert kept["description"] == b'"https://data.example/a.csv"'
    assert kept["data"] == ROW.format(1).encode()


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (described(None), "null at link, result.url, which is no address: is the resource gone?"),
        (b"<html>login</html>", "is not the JSON that was declared"),
        (described("https://elsewhere.example/a.csv"), "elsewhere.example"),
        (404, "HTTP 404"),
    ],
)
def test_what_leads_nowhere_is_told(town: Town, publisher: Publisher, answer: Any, hint: str) -> None:
    town.with_sources(s=LINKED)
    publisher.bodies[ASKED] = answer
    assert hint in town.fetch()["s"].error
    assert ("a.csv", 404) not in publisher.asked


@pytest.mark.parametrize(
    ("connector", "change", "hint"),
    [
        ("csv", {"url": "drop:*.csv"}, "that are fetched"),
        ("csv", {"link": "result..url"}, "link"),
        ("pegelonline", {"record_type": None, "fields": None}, "that are fetched"),
        ("json", {"next": "next", "records": "items"}, "one file and next to pages"),
    ],
)
def test_what_cannot_go_together_is_refused(connector: str, change: dict[str, Any], hint: str) -> None:
    said = {
        "connector": connector, "title": "T", "licence": "CC0-1.0", "url": "https://data.example/x",
        "record_type": "place", "fields": {"place_id": "id"}, "link": "result.url", **change,
    }  # fmt: skip
    known = {name: value for name, value in said.items() if value is not None}
    with pytest.raises(ValidationError, match=hint):
        SOURCE_MODELS[connector].model_validate(known)

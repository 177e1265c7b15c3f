"""An answer of CKAN becomes datasets, whichever profile has filled it. All answers are synthetic."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from civitas_assets.discover.kinds import ckan
from civitas_assets.errors import ReadError
from tests.discover.conftest import package

AREA = {"type": "Polygon", "coordinates": [[[10, 51], [10.1, 51], [10.1, 51.1], [10, 51]]]}


def answered(*packages: Any, count: int | None = None) -> bytes:
    found = {"count": len(packages) if count is None else count, "results": packages}
    return json.dumps({"success": True, "result": found}).encode()


@pytest.mark.parametrize(
    "written",
    ["https://a.example", "https://a.example/", "https://a.example/dataset?q=x", "https://a.example/api/3/action/package_list"],
)  # fmt: skip
def test_the_root_is_found_in_what_people_copy(written: str) -> None:
    (address,) = ckan.list_addresses(written, "Neustadt")
    assert address.startswith("https://a.example/api/3/action/package_search?")
    assert parse_qs(urlsplit(address).query)["q"] == ['"Neustadt"']
    (own,) = ckan.list_addresses("https://a.example/ckan", "")
    assert own.startswith("https://a.example/ckan/api/3/")
    assert "q" not in parse_qs(urlsplit(own).query)


def test_parts_follow_by_what_came_and_not_by_what_was_asked_for() -> None:
    """A server that gives fewer rows than it was asked for is asked on from there."""
    (address,) = ckan.list_addresses("https://a.example", "")
    first = ckan.read_page(answered(package(1), package(2), count=3), address)
    assert first.total == 3
    assert parse_qs(urlsplit(first.following).query)["start"] == ["2"]
    assert not ckan.read_page(answered(package(3), count=3), first.following).following
    assert not ckan.read_page(answered(count=3), first.following).following


def test_what_the_german_profile_says_is_understood() -> None:
    resource = {
        "url": "https://a.example/x.csv", "format": "CSV", "name": "Tabelle",
        "license": "http://dcat-ap.de/def/licenses/cc-zero", "licenseAttributionByText": "Amt für Daten",
    }  # fmt: skip
    extras = [
        {"key": "politicalGeocodingURI", "value": '["http://dcat-ap.de/def/politicalGeocoding/municipalityKey/99000009"]'},
        {"key": "spatial", "value": json.dumps(AREA)},
        {"key": "publisher_name", "value": "Stadt Neustadt, Amt für Daten"},
    ]  # fmt: skip
    text = {"de": "Bäume", "en": "Trees"}
    body = answered(package(1, resource, extras=extras, title_translated=text, tags=[{"name": "Grün"}]))
    (found,) = ckan.read_page(body, "https://a.example/").datasets
    assert (found.title, found.publisher, found.keywords) == (
        "Bäume", "Stadt Neustadt, Amt für Daten", ("Grün",),
    )  # fmt: skip
    assert (found.keys, found.box) == (frozenset({"99000009"}), (10.0, 51.0, 10.1, 51.1))
    (one,) = found.distributions
    assert (one.form, one.licence, one.attribution, one.identifier) == (
        "CSV", "http://dcat-ap.de/def/licenses/cc-zero", "Amt für Daten", "r-00001-0",
    )  # fmt: skip


def test_what_is_not_public_or_has_no_address_is_left_out() -> None:
    packages = [
        package(1, private=True),
        package(2, state="deleted"),
        package(3, {"url": ""}, {"url": "ftp://a.example/x"}, {"url": "https://a.example/y", "state": "deleted"}),
        "no dataset",
    ]  # fmt: skip
    (found,) = ckan.read_page(answered(*packages), "https://a.example/").datasets
    assert (found.identifier, found.distributions) == ("id-00003", ())


@pytest.mark.parametrize(
    "body",
    [
        b"<html>", b"[]", b'{"success": false}', b'{"result": {"results": 3, "count": 3}}', b'{"result": []}',
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_another_answer_is_none_of_ckan(body: bytes) -> None:
    with pytest.raises(ReadError, match="no answer of CKAN"):
        ckan.read_page(body, "https://a.example/")


@pytest.mark.parametrize(
    "area",
    ["", "{", "3", '{"coordinates": []}', '{"coordinates": [["a", "b"]]}', '{"coordinates": [200, 51]}'],
)
def test_an_area_that_is_none_is_passed_over(area: str) -> None:
    (found,) = ckan.read_page(answered(package(1, spatial=area)), "https://a.example/").datasets
    assert found.box is None

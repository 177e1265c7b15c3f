"""A document that leads to a further page gets the setting that follows; what only may lead there is said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.propose.conftest import Propose

SITES = [
    {"id": "A", "name": "Nord", "lat": 51.96, "lon": 7.62},
    {"id": "B", "name": "Dom", "lat": 51.97, "lon": 7.63},
]


@pytest.mark.parametrize(
    ("beside", "settings"),
    [
        ({"next": "https://x.example/?page=2", "count": 9}, ("next", "count")),
        ({"next": "https://x.example/?page=2", "count": 2}, ("next", None)),
        ({"next": None, "count": 2}, (None, None)),
        ({"@odata.nextLink": "/v1?skip=2"}, ("@odata.nextLink", None)),
        ({"_links": {"next": {"href": "/v1?skip=2"}}}, ("_links.next.href", None)),
        ({"meta": {"next_page_url": "/v1?skip=2", "total": 7}}, ("meta.next_page_url", "meta.total")),
        ({"links": [{"rel": "next", "href": "/v1?skip=2"}]}, ("links[?rel=='next'].href | [0]", None)),
    ],
)
@pytest.mark.parametrize("form", ["json", "geojson"])
def test_the_address_of_a_further_page_is_proposed(
    proposed: Propose, beside: Mapping[str, Any], settings: tuple[str | None, str | None], form: str
) -> None:
    document: dict[str, Any] = {"items": SITES}
    if form == "geojson":
        features = [{"type": "Feature", "properties": site, "geometry": None} for site in SITES]
        document = {"type": "FeatureCollection", "features": features}
    found, source = proposed(json.dumps(document | dict(beside)), "parkhaus.json")
    assert not [note for note in found.probe.report.notes if note.code == "says_incomplete"], "it is followed"
    assert (source.connector, source.next, source.total) == (form, *settings)


def test_a_token_is_named_since_its_parameter_is_not_seen(proposed: Propose) -> None:
    found, source = proposed(json.dumps({"items": SITES, "meta": {"nextCursor": "Mg=="}}), "parkhaus.json")
    assert source.next is None
    assert any("next: meta.nextCursor" in remark for remark in found.remarks)

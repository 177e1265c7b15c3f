"""Forms are looked at in an order; pictures, pages and documents are told and not fetched."""

from __future__ import annotations

import pytest

from civitas_assets.discover.dataset import Distribution
from civitas_assets.discover.distribution_forms import LAST, score_form


def test_data_goes_before_services_and_archives() -> None:
    forms = [
        "GeoJSON",
        "text/csv",
        "application/json; charset=utf-8",
        "WFS_SRVC",
        "XLSX",
        "SHP",
        "XML",
        "zip",
    ]
    places = [score_form(Distribution("https://a.example/x", form))[0] for form in forms]
    assert places == sorted(places)
    assert LAST not in places


@pytest.mark.parametrize(
    ("url", "form", "hint"),
    [
        ("https://a.example/x", "PDF", "a document"),
        ("https://a.example/ows?SERVICE=WMS&request=GetCapabilities", "", "map service"),
        ("https://a.example/ows?service=WMS", "WFS", "map service"),
        ("https://a.example/karte.html", "", "web page"),
        ("https://a.example/x", "WMS_SRVC", "map service"),
        ("https://a.example/x.tif", "", "picture"),
    ],
)
def test_what_no_connector_reads_is_named(url: str, form: str, hint: str) -> None:
    assert hint in score_form(Distribution(url, form))[1]


@pytest.mark.parametrize(
    ("url", "form"),
    [("https://a.example/download/17", ""), ("https://a.example/x.csv", ""), ("https://a.example/x", "something new")],
)  # fmt: skip
def test_an_unknown_form_is_tried(url: str, form: str) -> None:
    assert score_form(Distribution(url, form))[1] == ""

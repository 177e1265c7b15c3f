"""What a tenant's file may say for a public catalogue."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from civitas_assets.catalog import Catalog
from civitas_assets.errors import CatalogError

Load = Callable[..., Catalog]


def test_nothing_has_to_be_said(load: Load, right: str) -> None:
    said = load(muster=right).get_tenant("muster").open_data
    assert said.missing == ["open_data.publisher", "open_data.contact", "open_data.landing_page"]


def test_what_is_said_is_kept(load: Load, right: str) -> None:
    text = (
        "open_data:\n  publisher: {name: Stadt}\n  contact: {name: Amt, email: offene-daten@stadt.example}\n"
        "  landing_page: https://stadt.example/daten\n  downloads: {url: 'https://stadt.example/export'}\n"
    )
    said = load(muster=right + text).get_tenant("muster").open_data
    assert said.missing == []
    assert said.downloads is not None
    assert said.downloads.formats == ("csv",)


@pytest.mark.parametrize(
    ("line", "field", "hint"),
    [
        ("publisher: {name: ''}", "open_data.publisher.name", "at least 1"),
        ("contact: {name: Amt}", "open_data.contact", "needs email or url"),
        ("contact: {name: Amt, email: nobody}", "open_data.contact.email", "pattern"),
        ("landing_page: 'https://u:p@stadt.example/'", "open_data.landing_page", "pattern"),
        ("landing_page: 'https://stadt.example/?a=b'", "open_data.landing_page", "pattern"),
        ("landing_page: 'stadt.example'", "open_data.landing_page", "pattern"),
        (
            "downloads: {url: 'https://stadt.example', formats: [pdf]}",
            "open_data.downloads.formats.0",
            "geojson",
        ),
        ("contributor: stadt", "open_data.contributor", "pattern"),
        ("high_value: [place]", "open_data.high_value.0", "weather_observed"),
        ("publischer: {name: Stadt}", "open_data.publischer", "did you mean publisher?"),
    ],
)
def test_a_fault_is_named_with_its_place(load: Load, right: str, line: str, field: str, hint: str) -> None:
    with pytest.raises(CatalogError) as caught:
        load(muster=right + f"open_data:\n  {line}\n").get_tenant("muster")
    (fault,) = [found for found in caught.value.faults if found.field == field]
    assert hint in fault.message

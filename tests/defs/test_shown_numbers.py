"""Numbers of results: texts that people read, since the UI would draw them as if different tenants were one series."""

from __future__ import annotations

import dagster as dg
import pytest

from civitas_assets.defs.shown_numbers import show_numbers


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("rows", 8179, "8,179"),
        ("days", 0, "0"),
        ("seconds", 0.09223200200005977, "0.09 s"),
        ("seconds", 1234.5, "1,234.50 s"),
        ("bytes", 9_999, "9,999 bytes"),
        ("bytes", 473_121, "473.1 kB"),
        ("payload_bytes", 12_345_678_901, "12.3 GB"),
        ("bytes", 123_456_789_012_345, "123,456.8 GB"),
        ("rebuilt", True, True),
        ("state", "errors", "errors"),
        ("unfilled", [], []),
    ],
)
def test_numbers_have_thousands_and_units_and_all_else_stays(name: str, value: object, shown: object) -> None:
    assert show_numbers({name: value}) == {name: shown}


def test_nothing_is_left_that_the_ui_would_draw() -> None:
    checked = dg.AssetCheckResult(asset_key="a", check_name="c", passed=True, metadata={"failed": 1})
    for metadata in ({"rows": 5, "seconds": 0.5, "path": "x"}, checked.metadata):
        shown = dg.AssetMaterialization("a", metadata=show_numbers(metadata)).metadata
        assert not [v for v in shown.values() if isinstance(v, dg.IntMetadataValue | dg.FloatMetadataValue)]

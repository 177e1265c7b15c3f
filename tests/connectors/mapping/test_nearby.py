"""Of tables that reach over a country only what is elsewhere is left out; what may be a fault stays to be found."""

from __future__ import annotations

import polars as pl
import pytest

from civitas_assets.catalog import Box
from civitas_assets.connectors.mapping.nearby import select_nearby
from civitas_assets.records import RawTable

BOX: Box = (9.0, 51.0, 10.0, 52.0)


def kept(lon: float | None, lat: float | None, geometry: str | None = None) -> bool:
    """Whether a row stays."""
    columns = {"lon": pl.Series([lon], dtype=pl.Float64), "lat": pl.Series([lat], dtype=pl.Float64)}
    shape = {} if geometry is None else {"geometry": pl.Series([geometry])}
    return not select_nearby(RawTable("event", pl.DataFrame({**columns, **shape})), BOX).frame.is_empty()


@pytest.mark.parametrize(
    ("lon", "lat", "stays"),
    [(9.5, 51.5, True), (10.1, 51.5, True), (10.2, 51.5, False), (11.5, 48.1, False)],
    ids=["inside", "within ten kilometres", "beyond them", "far away"],
)
def test_a_point_stays_within_ten_kilometres_of_the_box(lon: float, lat: float, stays: bool) -> None:
    assert kept(lon, lat) is stays


@pytest.mark.parametrize(
    ("lon", "lat"),
    [(None, None), (51.5, 9.5), (0.0, 0.0), (9.5, None)],
    ids=["none", "swapped", "zero", "half"],
)
def test_what_has_no_position_or_a_wrong_one_stays(lon: float | None, lat: float | None) -> None:
    assert kept(lon, lat)


@pytest.mark.parametrize(
    ("geometry", "stays"),
    [
        ("LINESTRING (8 51.5, 11.5 51.5)", True),
        ("LINESTRING (11 48, 12 48)", False),
        ("LINESTRING (? ?, ? ?)", True),
    ],
    ids=["passes through", "elsewhere", "unreadable"],
)
def test_a_shape_stays_where_a_part_of_it_is_near_or_nobody_knows(geometry: str, stays: bool) -> None:
    assert kept(None, None, geometry) is stays


def test_without_a_box_or_without_positions_a_table_stays_as_it_is() -> None:
    far = RawTable("event", pl.DataFrame({"lon": [11.5], "lat": [48.1]}))
    assert select_nearby(far, None) is far
    states = RawTable("charge_point_status", pl.DataFrame({"charge_point_id": ["1"]}))
    assert select_nearby(states, BOX) is states

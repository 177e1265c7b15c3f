"""Positions become degrees WGS 84; those that cannot be right are named as what they are."""

from __future__ import annotations

import polars as pl
import pytest

from civitas_assets.records.position import find_position_faults, read_plain_point, to_wgs84

JENA = (11.3, 50.8, 11.8, 51.1)


def column(*values: float | None) -> pl.Series:
    return pl.Series(values, dtype=pl.Float64)


def broken(lon: float | None, lat: float | None) -> list[str]:
    return [rule for rule, rows in find_position_faults(column(lon), column(lat), JENA).items() if rows[0]]


def test_metres_of_utm_zone_32_become_degrees() -> None:
    """The car park below Eichplatz in Jena, as its operator publishes it in both systems."""
    lon, lat = to_wgs84(column(681721.5236), column(5645057.6553), "EPSG:25832")
    assert lon[0] == pytest.approx(11.585954366, abs=1e-6)
    assert lat[0] == pytest.approx(50.928491667, abs=1e-6)


def test_degrees_stay_longitude_before_latitude() -> None:
    lon, lat = to_wgs84(column(11.585954366123), column(50.928491667), "EPSG:4326")
    assert (lon[0], lat[0]) == (11.5859544, 50.9284917)
    assert to_wgs84(column(11.5), column(50.9), "EPSG:4258")[0][0] == pytest.approx(11.5)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:25832"])
def test_no_position_is_no_fault_and_half_a_position_is_one(crs: str) -> None:
    lon, lat = to_wgs84(column(None, 681721.5, None), column(None, None, 5645057.6), crs)
    incomplete = find_position_faults(lon, lat, JENA)
    assert incomplete.pop("position_is_incomplete").to_list() == [False, True, True]
    assert not any(rows.any() for rows in incomplete.values())


@pytest.mark.parametrize(
    ("lon", "lat", "rules"),
    [
        (11.58, 50.92, []),
        (11.2, 50.75, []),  # within ten kilometres of the box
        (50.92, 11.58, ["position_is_swapped"]),
        (0.0, 0.0, ["position_is_zero"]),
        (7.6, 51.96, ["position_is_outside"]),
        (11.58, 52.0, ["position_is_outside"]),
        (float("inf"), float("inf"), ["position_is_outside"]),
        (float("nan"), 50.92, ["position_is_outside"]),
    ],
)
def test_a_position_breaks_at_most_one_rule(lon: float, lat: float, rules: list[str]) -> None:
    assert broken(lon, lat) == rules


def test_coordinates_that_no_transformation_knows_are_outside() -> None:
    lon, lat = to_wgs84(column(1e12), column(1e12), "EPSG:25832")
    assert find_position_faults(lon, lat, JENA)["position_is_outside"][0]


@pytest.mark.parametrize(
    ("geometry", "position"),
    [
        ({"type": "Point", "coordinates": [11.5, 51]}, (11.5, 51.0)),
        ({"type": "Point", "coordinates": [11.5, 51, 140.2]}, (11.5, 51.0)),
        ({"type": "Point", "coordinates": [float("nan"), 51]}, None),
        ({"type": "Point", "coordinates": [True, 51]}, None),
        ({"type": "Point", "coordinates": ["11.5", "51"]}, None),
        ({"type": "MultiPoint", "coordinates": [[11.5, 51]]}, None),
        ({"type": "Point", "coordinates": []}, None),
        ("POINT(11.5 51)", None),
        (None, None),
    ],
)
def test_a_point_of_geojson_needs_no_library_and_all_else_does(
    geometry: object, position: tuple[float, float] | None
) -> None:
    assert read_plain_point(geometry) == position

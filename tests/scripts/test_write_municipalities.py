"""The list of municipalities is written from official formats: fixed width, CSV, GeoPackage, GeoJSON.

All towns here are made up.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy
import pyogrio
import pytest
import shapely

from civitas_assets.settings import PROJECT_DIR

NOTES = {"keys_as_of": "2030", "boundaries_as_of": "2029-12-31", "sources": ["somebody"]}


@pytest.fixture(scope="module")
def script() -> Any:
    file = PROJECT_DIR / "scripts" / "write_municipalities.py"
    spec = importlib.util.spec_from_file_location("write_municipalities", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def line(kind: str, key: str, name: str, mark: str = "", seat: str = "") -> str:
    """A record of GV100AD: kind, day, key, association, name, seat and what it is, at their places."""
    return f"{kind}20301231{key:<12}{name:<50}{seat:<50}{mark:<2}".ljust(220)


def gv100ad(file: Path, *towns: tuple[str, str, str], encoding: str = "utf-8") -> Path:
    lines = [
        line("10", "09", "Musterland", seat="Musterstadt"),
        line("40", "09162", "Kreis Übersee", "43"),
        line("50", "091620000", "Verband Übersee", "52"),
        *(line("60", f"{key}0000", name, mark) for key, name, mark in towns),
    ]
    file.write_text("\n".join(lines) + "\n", encoding=encoding)
    return file


def boundaries(file: Path, boxes: dict[str, tuple[float, ...]], crs: str) -> Path:
    """A layer as in VG250, where water belongs to a municipality, too, and is another part of it."""
    areas = [shapely.box(*box) for box in boxes.values()]
    fields = {
        "AGS": [*boxes, next(iter(boxes))],
        "GF": [4] * len(boxes) + [2],
        "BEZ": ["Gemeinde"] * (len(boxes) + 1),
    }
    water = shapely.box(*(value + 0.5 for value in next(iter(boxes.values()))))
    pyogrio.raw.write(
        file, shapely.to_wkb([*areas, water]), [*map(_array, fields.values())], [*fields],
        layer="vg250_gem", crs=crs, geometry_type="Polygon",
    )  # fmt: skip
    return file


def _array(values: list[Any]) -> Any:
    return numpy.array(values, dtype=object if isinstance(values[0], str) else "int64")


def rows(file: Path) -> dict[str, dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return {row["ags"]: row for row in csv.DictReader(lines)}


def test_today_and_what_ended_are_told_apart(script: Any, tmp_path: Path) -> None:
    """One town was renumbered under another district, one put together with its neighbour, one taken in."""
    before = gv100ad(
        tmp_path / "GV100AD_31122020.asc",
        ("09162001", "Öd, M", "60"),
        ("09162002", "Weiler", "64"),
        ("09161003", "Dorf", "64"),
        encoding="cp1252",
    )
    after = gv100ad(
        tmp_path / "GV100AD_31122030.txt", ("09162001", "Öd, Stadt", "63"), ("09162009", "Dorf", "64")
    )
    place = boundaries(
        tmp_path / "vg250.gpkg",
        {"09162001": (11.0, 48.0, 11.2, 48.1), "09161003": (11.3, 48.0, 11.4, 48.1)},
        "EPSG:4326",
    )
    script.write_list([before, after], place, NOTES, tmp_path / "out")
    today, ended = rows(tmp_path / "out" / "municipalities.csv"), rows(tmp_path / "out" / "former.csv")
    assert today["09162001"] == {
        "ags": "09162001", "name": "Öd, Stadt", "kind": "Stadt", "west": "11.000", "south": "48.000",
        "east": "11.200", "north": "48.100", "lon": "11.1000", "lat": "48.0500",
    }  # fmt: skip
    assert today["09162009"]["west"] == "11.300"  # renumbered: it lies where it lay
    assert {key: (row["until"], row["successor"]) for key, row in ended.items()} == {
        "09161003": ("2020", "09162009"),
        "09162002": ("2020", ""),
    }
    assert json.loads((tmp_path / "out" / "edition.json").read_text(encoding="utf-8")) == NOTES
    names = (tmp_path / "out" / "districts.csv").read_text(encoding="utf-8")
    assert names == "key,name\n09,Musterland\n09162,Kreis Übersee\n"


def test_newer_boundaries_say_who_took_in_those_whose_place_an_older_list_knew(
    script: Any, tmp_path: Path
) -> None:
    lists = [tmp_path / "lau_2020.csv", tmp_path / "lau_2030.csv"]
    lists[0].write_text('id,name\n09162001,"Öd, M"\n09162002,Weiler\n', encoding="utf-8")
    lists[1].write_text('id,name\n09,Musterland\n09162001,"Öd, M"\n', encoding="utf-8")
    old = boundaries(
        tmp_path / "old.gpkg",
        {"09162001": (690_000, 5_330_000, 700_000, 5_340_000), "09162002": (700_000, 5_330_000, 710_000, 5_340_000)},
        "EPSG:25832",
    )  # fmt: skip
    new = boundaries(
        tmp_path / "new.gpkg", {"09162001": (690_000, 5_330_000, 710_000, 5_340_000)}, "EPSG:25832"
    )
    script.write_list(lists, old, NOTES, tmp_path / "out")
    assert rows(tmp_path / "out" / "former.csv")["09162002"]["successor"] == ""
    assert rows(tmp_path / "out" / "municipalities.csv")["09162001"]["kind"] == "Markt"
    script.write_list(lists, new, NOTES, tmp_path / "out")
    assert rows(tmp_path / "out" / "former.csv")["09162002"]["successor"] == "09162001"


def test_two_towns_of_one_name_are_not_mixed_up(script: Any) -> None:
    before = script.Edition(names={"09161001": "Au", "09162001": "Au", "09163001": "Berg"})
    after = script.Edition(names={"09164001": "Au", "09164002": "Berg"})
    assert script.find_namesakes([before, after]) == {"09163001": "09164002"}


def test_features_in_a_list_are_boundaries_too(script: Any, tmp_path: Path) -> None:
    def feature(key: str, kind: int) -> dict[str, Any]:
        area = shapely.geometry.mapping(shapely.box(11, 48, 11.1, 48.1))
        return {"type": "Feature", "properties": {"AGS": key, "GF": kind, "BEZ": "Stadt"}, "geometry": area}

    file = tmp_path / "gemeinden.geo.json"
    nested = {"type": "FeatureCollection", "features": [feature("09162002", 4), feature("09162002", 2)]}
    file.write_text(json.dumps([feature("09162001", 4), nested]), encoding="utf-8")
    areas, kinds = script.read_boundaries(file)
    assert areas.keys() == {"09162001", "09162002"}
    assert kinds["09162001"] == "Stadt"

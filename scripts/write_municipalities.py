"""Writes the list of municipalities that `civitas tenant add` knows, from official files that somebody has downloaded.

Lists are editions of the Gemeindeverzeichnis (GV100AD, text), or CSV files with the columns `id` and `name`; the
newest says what there is, the older ones which keys have ended. Boundaries are VG250 of the Federal Agency for
Cartography and Geodesy (layer `vg250_gem` of the GeoPackage, or GeoJSON). Where a key has gone is written only where
it is sure: its place lies in the boundaries of another one, or its name appears under one new key of the same Land.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyogrio
import shapely
from pyproj import Transformer

TARGET = Path(__file__).resolve().parent.parent / "civitas_assets" / "catalog" / "municipality_list"
# Textkennzeichen of a municipality in GV100AD.
KINDS = {
    "60": "Markt", "61": "Stadt", "62": "Stadt", "63": "Stadt", "64": "Gemeinde", "65": "Gemeindefreies Gebiet",
    "66": "Gemeindefreies Gebiet", "67": "Stadt",
}  # fmt: skip
SUFFIXES = (("gemfr", "Gemeindefreies Gebiet"), ("stadt", "Stadt"), ("St", "Stadt"), ("Flecken", "Flecken"))
BOX_STEP = 1000  # parts of a degree: some 100 m


@dataclass
class Edition:
    """One list: what each key of a municipality is called and is, and the names of Länder and Kreise."""

    names: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    districts: dict[str, str] = field(default_factory=dict)


def read_edition(file: Path) -> Edition:
    """A list as it was downloaded, told by how its first line begins."""
    body = file.read_bytes()
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("cp1252")  # editions until 2015
    lines = [line for line in text.splitlines() if line.strip(" ,")]
    edition = Edition()
    if not lines or not re.match(r"\d{10}", lines[0]):
        for row in csv.DictReader(lines):
            (edition.names if len(row["id"]) == 8 else edition.districts)[row["id"]] = row["name"]
        return edition
    for line in lines:
        name = line[22:72].strip()
        if line[:2] == "60":
            edition.names[line[10:18]] = name
            edition.kinds[line[10:18]] = KINDS.get(line[122:124], "Gemeinde")
        elif line[:2] in {"10", "40"}:
            edition.districts[line[10:15].strip()] = name
    return edition


def read_boundaries(file: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The area on land of each key, in degrees, and what the municipality is."""
    areas: dict[str, list[Any]] = defaultdict(list)
    kinds: dict[str, str] = {}
    for attributes, area in _features(file):
        key = str(attributes.get("AGS") or "")
        if re.fullmatch(r"\d{8}", key) and attributes.get("GF") in {4, "4", None}:
            areas[key].append(area)
            kinds[key] = str(attributes.get("BEZ") or "Gemeinde")
    return {key: shapely.union_all(parts) for key, parts in areas.items()}, kinds


def _features(file: Path) -> Iterator[tuple[Mapping[str, Any], Any]]:
    if file.suffix == ".json":  # features, or collections of them, in a list
        waiting = json.loads(file.read_text(encoding="utf-8"))
        while waiting:
            one = waiting.pop()
            if "features" in one:
                waiting.extend(one["features"])
            else:
                yield one["properties"], shapely.from_geojson(json.dumps(one["geometry"]))
        return
    layers = [str(layer) for layer, _ in pyogrio.list_layers(file)]
    layer = next((name for name in layers if name.lower().endswith("_gem")), layers[0])
    meta, _, areas, columns = pyogrio.raw.read(file, layer=layer)
    to_degrees = Transformer.from_crs(meta["crs"], "EPSG:4326", always_xy=True).transform
    for index, area in enumerate(shapely.from_wkb(areas)):
        moved = shapely.transform(area, lambda points: _moved(points, to_degrees))
        yield dict(zip(meta["fields"], (column[index] for column in columns), strict=True)), moved


def _moved(points: Any, to_degrees: Any) -> Any:
    west_east, south_north = to_degrees(points[:, 0], points[:, 1])
    points[:, 0], points[:, 1] = west_east, south_north
    return points


def short_name(name: str) -> str:
    """The name without what the municipality is, which follows a comma."""
    return name.partition(",")[0].strip()


def find_kind(name: str, told: str) -> str:
    """What a municipality is, by the suffix of its official name, or as boundaries tell it."""
    _, _, suffix = name.partition(",")
    if suffix.strip() in {"M", "Markt"}:
        return "Markt"
    return next((kind for mark, kind in SUFFIXES if mark in suffix), told)


def find_namesakes(editions: Sequence[Edition]) -> dict[str, str]:
    """Keys that ended, with the one new key of the next edition under which their name goes on in the same Land."""
    found: dict[str, str] = {}
    for before, after in pairwise(editions):
        ended, new = defaultdict(list), defaultdict(list)
        for key in before.names.keys() - after.names.keys():
            ended[key[:2], short_name(before.names[key])].append(key)
        for key in after.names.keys() - before.names.keys():
            new[key[:2], short_name(after.names[key])].append(key)
        for place, keys in ended.items():
            if len(keys) == 1 and len(new[place]) == 1:
                found[keys[0]] = new[place][0]
    return found


def follow(key: str, namesakes: Mapping[str, str], present: Mapping[str, str]) -> str:
    """The present key at the end of a chain of renumberings; empty where it ends before."""
    seen = {key}
    while key not in present:
        key = namesakes.get(key, "")
        if not key or key in seen:
            return ""
        seen.add(key)
    return key


def round_box(area: Any) -> list[str]:
    """West, south, east and north, rounded outwards."""
    west, south, east, north = area.bounds
    low = [math.floor(edge * BOX_STEP) / BOX_STEP for edge in (west, south)]
    high = [math.ceil(edge * BOX_STEP) / BOX_STEP for edge in (east, north)]
    return [f"{edge:.3f}" for edge in (*low, *high)]


def find_point(area: Any) -> list[str]:
    """Longitude and latitude of a place within."""
    point = area.point_on_surface()
    return [f"{point.x:.4f}", f"{point.y:.4f}"]


def write_list(lists: Sequence[Path], boundaries: Path, notes: Mapping[str, Any], target: Path) -> None:
    """Write municipalities.csv, former.csv, districts.csv and edition.json; lists are in order, the newest last."""
    editions = [read_edition(file) for file in lists]
    newest = editions[-1]
    areas, told = read_boundaries(boundaries)
    namesakes = find_namesakes(editions)
    places = dict(areas)
    for old, new in namesakes.items():
        # Under another Kreis a municipality goes on as it was; within one, a new key is for what was put together.
        if old in areas and new not in areas and old[:5] != new[:5]:
            places[new] = areas[old]
    present = []
    for key, name in sorted(newest.names.items()):
        kind = newest.kinds.get(key) or find_kind(name, told.get(key, "Gemeinde"))
        area = places.get(key)
        present.append([key, name, kind, *([*round_box(area), *find_point(area)] if area else [""] * 6)])
    former: dict[str, tuple[str, str]] = {}
    for file, edition in zip(lists, editions, strict=True):
        year = re.findall(r"(?:19|20)\d\d(?!\d)", file.name)[-1]
        former |= {key: (name, year) for key, name in edition.names.items() if key not in newest.names}
    points = {
        **_known_points(target),
        **{key: find_point(area) for key, area in areas.items() if key in former},
    }
    now = {key: area for key, area in areas.items() if key in newest.names}
    tree, keys = shapely.STRtree([*now.values()]), [*now]
    ended = []
    for key, (name, year) in sorted(former.items()):
        successor = follow(key, namesakes, newest.names)
        if not successor and key in points:
            inside = tree.query(shapely.Point(*map(float, points[key])), predicate="within")
            successor = keys[inside[0]] if len(inside) == 1 else ""
        ended.append([key, name, year, successor, *points.get(key, ["", ""])])
    districts = {key: name for edition in editions for key, name in edition.districts.items()}
    target.mkdir(parents=True, exist_ok=True)
    box = ["west", "south", "east", "north"]
    _write(target / "municipalities.csv", ["ags", "name", "kind", *box, "lon", "lat"], present)
    _write(target / "former.csv", ["ags", "name", "until", "successor", "lon", "lat"], ended)
    _write(target / "districts.csv", ["key", "name"], sorted(districts.items()))
    (target / "edition.json").write_text(
        json.dumps(notes, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
    )


def _known_points(target: Path) -> dict[str, list[str]]:
    """Where former ones were, as a list before this one has it."""
    file = target / "former.csv"
    if not file.is_file():
        return {}
    with file.open(encoding="utf-8", newline="") as lines:
        return {row["ags"]: [row["lon"], row["lat"]] for row in csv.DictReader(lines) if row["lon"]}


def _write(file: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as new:
        writer = csv.writer(new, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main() -> None:
    """Read the arguments and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "lists", type=Path, nargs="+", help="editions, oldest first; each file's name has its year"
    )
    parser.add_argument("--boundaries", type=Path, required=True, help="VG250 as GeoPackage or GeoJSON")
    parser.add_argument("--keys-as-of", required=True, help="of which day the newest list is")
    parser.add_argument("--boundaries-as-of", required=True, help="of which day the boundaries are")
    parser.add_argument(
        "--source", action="append", default=[], help="whom to name, with licence; repeatable"
    )
    parser.add_argument("--output", type=Path, default=TARGET)
    given = parser.parse_args()
    notes = {
        "keys_as_of": given.keys_as_of,
        "boundaries_as_of": given.boundaries_as_of,
        "sources": given.source,
    }
    write_list(given.lists, given.boundaries, notes, given.output)


if __name__ == "__main__":
    main()

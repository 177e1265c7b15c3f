"""The official list of municipalities that comes with the project: who has which key, where it is, which keys ended.

`edition.json` beside it has its day and its sources; docs/dependencies/data.md says how it is written anew.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from civitas_assets.catalog.basis import suggest_name
from civitas_assets.catalog.geography import Box
from civitas_assets.catalog.spelling import normalise_spelling
from civitas_assets.errors import MunicipalityError

FOLDER = Path(__file__).parent / "municipality_list"

_REGIONAL_KEY = 12  # digits of an ARS: that of a municipality, with four of its association within
_NEAR_KM = 5.0  # how far from a box one that ended may have been, and still be the reason why it is too small


@dataclass(frozen=True)
class Edition:
    """Of which day keys and boundaries are, and whom to name for them."""

    keys_as_of: str
    boundaries_as_of: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Municipality:
    """A municipality of today: `kind` is such as Stadt; `position` is longitude and latitude of a place within.

    Box and position are None where the boundaries are older than the municipality.
    """

    ags: str
    name: str  # official, with what it is: "Münster, Stadt"
    kind: str
    district: str
    state: str
    box: Box | None
    position: tuple[float, float] | None

    @property
    def short_name(self) -> str:
        """The name as people say it."""
        return self.name.partition(",")[0].strip()

    @property
    def slug(self) -> str:
        """A tenant's key made of the name."""
        plain = map(normalise_spelling, re.split(r"\W+", self.short_name))
        words = [re.sub(r"[^a-z0-9]", "", word) for word in plain]
        return "_".join(filter(None, words))[:48].strip("_")

    def describe(self) -> str:
        """Key, name, and in which district and state it is."""
        district = f", {self.district}" if self.ags[5:] != "000" else ""
        return f"{self.ags} {self.name} ({self.kind}{district}, {self.state})"


def read_edition() -> Edition:
    """What the list says of itself."""
    said = json.loads((FOLDER / "edition.json").read_text(encoding="utf-8"))
    return Edition(said["keys_as_of"], said["boundaries_as_of"], tuple(said["sources"]))


def find_municipality(written: str) -> Municipality:
    """The municipality of a key of eight digits, or of its regional key of twelve; blanks within are passed over.

    Raises:
        MunicipalityError: no municipality of today has it; the sentence says which may be meant.
    """
    key = re.sub(r"\s", "", written)
    if not re.fullmatch(r"\d+", key):
        raise MunicipalityError(f"{written!r} is no official municipality key: write its eight digits")
    if len(key) == _REGIONAL_KEY:
        key = key[:5] + key[9:]
    found = _present().get(key)
    if found is None:
        raise MunicipalityError(f"{written} is no municipality of today: {_explain(key)}")
    return found


def has_key(key: str) -> bool:
    """Whether a municipality of today has that key."""
    return key in _present()


def list_municipalities_within(box: Box) -> list[Municipality]:
    """Those of today whose position lies in the box."""
    west, south, east, north = box
    return [
        town
        for town in _present().values()
        if town.position is not None
        and west <= town.position[0] <= east
        and south <= town.position[1] <= north
    ]


def list_ended_near(town: Municipality) -> list[str]:
    """Names of those that have ended since the boundaries were drawn, at most five kilometres from the town's box.

    The town may have taken them in, and then the box is too small. Those that are known to have gone elsewhere are
    left out.
    """
    if town.box is None:
        return []
    west, south, east, north = town.box
    high, wide = _NEAR_KM / 111, _NEAR_KM / (111 * math.cos(math.radians(south)))
    return [
        one.name
        for one in _former().values()
        if one.position is not None
        and one.ags[:5] == town.ags[:5]
        and one.successor in {"", town.ags}
        and west - wide <= one.position[0] <= east + wide
        and south - high <= one.position[1] <= north + high
    ]


@dataclass(frozen=True)
class _Former:
    ags: str
    name: str
    until: str
    successor: str
    position: tuple[float, float] | None


def _explain(key: str) -> str:
    """What a key that is not in the list may be."""
    edition = f"(list of {read_edition().keys_as_of})"
    former = _former().get(key)
    return _suggest(key, edition) if former is None else _follow(former, edition)


def _follow(former: _Former, edition: str) -> str:
    """What became of one that has ended."""
    ended = f"it was {former.name} until the list of {former.until}, and"
    if former.successor:
        return f"{ended} is {_present()[former.successor].describe()}"
    near = [town.describe() for town in _list_near(former)]
    where = f"; near it are {'; '.join(near)}" if near else ""
    return f"{ended} its area is another's, which this list does not say{where} {edition}"


def _suggest(key: str, edition: str) -> str:
    """What may be meant by a key that nobody ever had."""
    towns, districts = _present(), _districts()
    if key in districts:
        within = [town for town in towns.values() if town.ags.startswith(key)]
        if len(within) == 1:
            return f"did you mean {within[0].describe()}?"
        return f"{districts[key]} has {len(within)} of them, each with eight digits {edition}"
    if len(key) == 7 and f"0{key}" in towns:
        return f"its first nought is missing: did you mean {towns[f'0{key}'].describe()}?"
    if len(key) != 8:
        return f"it has {len(key)} digits instead of eight"
    meant = suggest_name(key, [one for one in towns if one.startswith(key[:2])])
    like = re.search(r"\d{8}", meant)
    return f"did you mean {towns[like[0]].describe()}? {edition}" if like else f"nothing is like it {edition}"


def _list_near(former: _Former) -> list[Municipality]:
    """The three nearest of the same district."""
    if former.position is None:
        return []
    lon, lat = former.position
    shrunk = math.cos(math.radians(lat))
    placed = [
        (math.hypot((town.position[0] - lon) * shrunk, town.position[1] - lat), town.ags, town)
        for town in _present().values()
        if town.position is not None and town.ags[:5] == former.ags[:5]
    ]
    return [town for _, _, town in sorted(placed)[:3]]


@cache
def _present() -> Mapping[str, Municipality]:
    districts = _districts()
    return {
        row["ags"]: Municipality(
            row["ags"],
            row["name"],
            row["kind"],
            districts.get(row["ags"][:5], ""),
            districts.get(row["ags"][:2], ""),
            _box(row),
            _position(row),
        )
        for row in _rows("municipalities.csv")
    }


@cache
def _former() -> Mapping[str, _Former]:
    return {
        row["ags"]: _Former(row["ags"], row["name"], row["until"], row["successor"], _position(row))
        for row in _rows("former.csv")
    }


@cache
def _districts() -> Mapping[str, str]:
    return {row["key"]: row["name"] for row in _rows("districts.csv")}


def _box(row: Mapping[str, str]) -> Box | None:
    sides = [row[side] for side in ("west", "south", "east", "north")]
    if not all(sides):
        return None
    west, south, east, north = map(float, sides)
    return west, south, east, north


def _position(row: Mapping[str, str]) -> tuple[float, float] | None:
    return (float(row["lon"]), float(row["lat"])) if row["lon"] and row["lat"] else None


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)

"""A body of unknown form as columns: CSV in any dialect, JSON with records somewhere, GeoJSON.

Which connector reads it, and with what settings, follows from the form; what the columns mean does not.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from civitas_assets.connectors.text import to_utf8
from civitas_assets.errors import ReadError
from civitas_assets.propose.columns import Column

_DELIMITERS = ";,\t|"
_LINES_LOOKED_AT, _MOST_RECORDS = 60, 2000
_DEEPEST = 4
_EPSG = re.compile(r"EPSG:+(\d+)$")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBERS = re.compile(r"[-+\d.,: /]*")


@dataclass(frozen=True)
class Sample:
    """The columns of a body, and the settings with which its connector finds them.

    `points` are the first positions of geometries that the connector reads itself, `shapes` their types, `crs` the
    reference system that the body names.
    """

    connector: str
    settings: Mapping[str, Any]
    columns: Sequence[Column]
    rows: int
    points: Sequence[tuple[float, float]] = ()
    shapes: frozenset[str] = field(default_factory=frozenset)
    crs: str | None = None
    doubts: Mapping[str, str] = field(default_factory=dict)


def sample_of(body: bytes) -> Sample:
    """What the body is.

    Raises:
        ReadError: it is neither JSON nor a table as text.
    """
    text = to_utf8(body)
    if text.lstrip()[:1] in {b"{", b"["}:
        try:
            return _of_json(msgspec.json.decode(text))
        except msgspec.DecodeError as error:
            raise ReadError(f"begins as JSON, but is none: {error}") from None
    if text.lstrip()[:1] == b"<" or b"\x00" in body[:4096]:
        raise ReadError(
            "is neither CSV nor JSON nor GeoJSON; for other forms see the connectors in docs/sources.md"
        )
    return _of_csv(text.decode())


def _of_csv(text: str) -> Sample:
    lines = text.splitlines()[:_LINES_LOOKED_AT]
    delimiter, width = _delimiter(lines)
    if width < 2:
        raise ReadError("is no table: no character divides its lines into the same number of cells")
    table = [cells for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if cells]
    start = next(n for n, cells in enumerate(table) if len(cells) == width and _is_header(cells))
    header, rows = table[start], table[start + 1 : start + 1 + _MOST_RECORDS]
    rows = [row for row in rows if len(row) == width]
    columns = [
        Column(name.strip(), tuple(row[number] or None for row in rows))
        for number, name in enumerate(header)
        if name.strip()
    ]
    settings: dict[str, Any] = {"delimiter": delimiter} if delimiter != "," else {}
    doubts = {}
    if start:
        settings["header"] = [name.strip() for name in header if name.strip()][:3]
        doubts["header"] = f"the header is line {start + 1}; it is searched by these names"
    return Sample("csv", settings, columns, len(rows), doubts=doubts)


def _delimiter(lines: Sequence[str]) -> tuple[str, int]:
    """The character that divides the most lines into the same number of cells, and that number."""
    best = (0, ",", 1)
    for delimiter in _DELIMITERS:
        widths = Counter(len(cells) for cells in csv.reader(lines, delimiter=delimiter) if len(cells) > 1)
        if widths:
            width, count = max(widths.items(), key=lambda found: (found[1] * (found[0] - 1), found[0]))
            best = max(best, (count * (width - 1), delimiter, width))
    return best[1], best[2]


def _is_header(cells: Sequence[str]) -> bool:
    """Names, not values: at least half of the cells are texts."""
    texts = sum(bool(cell.strip()) and not _NUMBERS.fullmatch(cell) for cell in cells)
    return 2 * texts >= len([cell for cell in cells if cell.strip()]) > 0


def _of_json(content: Any) -> Sample:
    if isinstance(content, dict) and isinstance(content.get("features"), list):
        features = content["features"][:_MOST_RECORDS]
        if any(isinstance(f, dict) and "properties" in f for f in features):
            return _of_geojson(content, features)
    path, records = _largest_list(content)
    columns = _columns(records)
    if not columns:
        raise ReadError("holds no list of records")
    return Sample("json", {"records": path or "@"}, columns, len(records))


def _of_geojson(content: Mapping[str, Any], features: Sequence[Any]) -> Sample:
    properties = [feature.get("properties") or {} for feature in features]
    geometries = [g for feature in features if (g := feature.get("geometry"))]
    named = content.get("crs") or {}
    match = (
        _EPSG.search(str((named.get("properties") or {}).get("name"))) if isinstance(named, dict) else None
    )
    points = [point for geometry in geometries if (point := _first_point(geometry.get("coordinates")))]
    ids = [feature.get("id") for feature in features]
    columns = _columns(properties)
    settings: dict[str, Any] = {}
    if all(value is not None for value in ids) and {map(str, ids)} and "id" not in {c.name for c in columns}:
        columns = [Column("@feature", tuple(ids)), *columns]
    return Sample(
        "geojson", settings, columns, len(features), points,
        frozenset(str(geometry.get("type")) for geometry in geometries), f"EPSG:{match[1]}" if match else None,
    )  # fmt: skip


def _first_point(coordinates: Any) -> tuple[float, float] | None:
    while isinstance(coordinates, list) and coordinates and isinstance(coordinates[0], list):
        coordinates = coordinates[0]
    if isinstance(coordinates, list) and len(coordinates) >= 2:
        return float(coordinates[0]), float(coordinates[1])
    return None


def _largest_list(content: Any) -> tuple[str, list[Any]]:
    """The path of the list of objects that holds most of what is there, and the list."""
    found = sorted(_lists(content, "", 0), key=lambda item: -len(msgspec.json.encode(item[1])))
    if not found:
        raise ReadError("holds no list of records")
    path, records = found[0]
    return path, records[:_MOST_RECORDS]


def _lists(content: Any, path: str, depth: int) -> Iterator[tuple[str, list[Any]]]:
    if isinstance(content, list) and content and all(isinstance(item, dict) for item in content):
        yield path, content
    elif isinstance(content, dict) and depth < _DEEPEST:
        for name, member in content.items():
            yield from _lists(member, f"{path}.{_quoted(name)}" if path else _quoted(name), depth + 1)


def _columns(records: Sequence[Any]) -> list[Column]:
    """The plain members of the records, and those of the objects in them, by path."""
    flat = [dict(_flat(record, "", 0)) for record in records if isinstance(record, dict)]
    names = dict.fromkeys(name for record in flat for name in record)
    return [Column(name, tuple(record.get(name) for record in flat)) for name in names]


def _flat(record: Mapping[str, Any], path: str, depth: int) -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        inner = f"{path}.{_quoted(name)}" if path else _quoted(name)
        if isinstance(value, dict) and depth < _DEEPEST and "coordinates" not in value:
            yield from _flat(value, inner, depth + 1)
        elif not isinstance(value, list | dict):
            yield inner, value


def _quoted(name: str) -> str:
    """A name as JMESPath takes it."""
    return name if _NAME.fullmatch(name) else msgspec.json.encode(name).decode()

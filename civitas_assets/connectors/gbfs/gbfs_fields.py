"""What the versions and publishers of GBFS write differently: ids, truth, texts in languages and positions.

Which fields hold them is known where they are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import polars as pl

from civitas_assets.connectors.mapping.languages import choose_language
from civitas_assets.records.geometry import parse_geometry_column

_TRUE, _FALSE = frozenset({"true", "1"}), frozenset({"false", "0"})


def read_localized_text(value: Any, language: str) -> str | None:
    """A text; of several the one that `choose_language` chooses."""
    if isinstance(value, str):
        return value
    texts: Sequence[Mapping[str, Any]] = (
        [t for t in value if isinstance(t, dict)] if isinstance(value, list) else []
    )
    told: dict[str, str] = {}
    for written in texts:
        if isinstance(text := written.get("text"), str) and text.strip():
            told.setdefault(str(written.get("language") or ""), text)
    return told[choose_language([*told], language)] if told else None


def read_id(value: Any) -> str | None:
    """An id as text, also where it is written as a number: 7 and 7.0 are the same; None for what is no id."""
    if type(value) is str:
        return value.strip() or None  # nearly all of them
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip() or None


def read_flag(value: Any) -> bool:
    """True or false, also as a number or text; none is false, as the specification's default is.

    Raises:
        ValueError: it is neither.
    """
    written = "false" if value is None else str(value).strip().lower()
    if isinstance(value, float) and value in {0.0, 1.0}:
        written = str(int(value))
    if written not in _TRUE | _FALSE:
        raise ValueError("is neither true nor false")
    return written in _TRUE


def find_point_on_area(area: Any) -> tuple[float | None, float | None]:
    """Longitude and latitude of a point on an area in GeoJSON; None for what is none."""
    if not isinstance(area, dict):
        return None, None
    found = parse_geometry_column(
        pl.Series([msgspec.json.encode(area).decode()], dtype=pl.String), "EPSG:4326"
    )
    return found.lon[0], found.lat[0]

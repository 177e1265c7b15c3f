"""What a catalogue says of its datasets, however it writes it: the common form of all kinds of catalogues.

Whom a dataset concerns is decided in `relevance.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from civitas_assets.catalog import Box


@dataclass(frozen=True)
class Distribution:
    """One form of a dataset: `form` is its format, and `licence` its licence, as the catalogue writes them.

    `identifier` is that of a resource of CKAN, by which the file is found again when it is renamed.
    """

    url: str
    form: str = ""
    title: str = ""
    licence: str = ""
    attribution: str = ""
    identifier: str = ""


@dataclass(frozen=True)
class Dataset:
    """One dataset: `identifier` is what its catalogue calls it, `keys` are the municipalities that it is coded for."""

    identifier: str
    title: str
    description: str = ""
    publisher: str = ""
    licence: str = ""
    attribution: str = ""
    modified: str = ""
    keywords: tuple[str, ...] = ()
    keys: frozenset[str] = frozenset()
    box: Box | None = None
    distributions: tuple[Distribution, ...] = ()


@dataclass(frozen=True)
class Page:
    """A part of what a catalogue has found: `following` is the address of the next one, `total` counts all datasets."""

    datasets: tuple[Dataset, ...]
    following: str = ""
    total: int | None = None


def select_text(value: object) -> str:
    """A text that may be given in several languages: the German one, else any."""
    if isinstance(value, Mapping):
        value = next((value[key] for key in ("de", "de-DE", "en") if value.get(key)), None) or next(
            (part for part in value.values() if part), ""
        )
    if isinstance(value, list | tuple):
        value = value[0] if value else ""
    return " ".join(str(value).split()) if isinstance(value, str | int | float) else ""


def build_box(west: float, south: float, east: float, north: float) -> Box | None:
    """A box in degrees; none where it is not one."""
    sound = -180 <= west <= east <= 180 and -90 <= south <= north <= 90
    return (west, south, east, north) if sound else None

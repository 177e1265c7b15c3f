"""Which concept of the vocabulary each column stands for, by its name and by what its values allow.

Which record type has such concepts is decided in `drafting.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set

from civitas_assets.propose.concept_vocabulary import (
    get_last_part,
    normalise_name,
    score_concepts,
    split_unit,
    split_words,
)
from civitas_assets.propose.sample import FEATURE_ID
from civitas_assets.propose.sample_columns import SampleColumn

_WHOLE_NUMBERS = frozenset(
    {"free", "occupied", "capacity", "capacity_disabled", "points", "vehicles_available", "docks_available"}
)
_NUMBERS = _WHOLE_NUMBERS | {"lon", "lat", "x", "y", "value", "power_kw"}
_TAKEN = ("belegt", "besetzt", "occupied", "taken", "genutzt", "used")
_VACANT = ("frei", "free", "vacant", "available", "verfuegbar")
_SHARES = ("prozent", "percent", "quote", "auslastung", "rate", "grad", "ratio", "pct")
# Beginnings of words that say that a column is something else, whatever other words its name has.
_NOT = {
    "capacity": (*_TAKEN, *_VACANT, *_SHARES),
    "free": (*_TAKEN, *_SHARES, "freigabe", "freitag"),
    "occupied": (*_VACANT, *_SHARES),
}
_MADE = (
    "angelegt",
    "erstellt",
    "erfasst",
    "created",
    "anlage",
    "inbetrieb",
    "installiert",
    "gebaut",
    "geburt",
)
# Numbers of something else than the thing itself.
_OTHER_NUMBERS = (
    "haus",
    "plz",
    "post",
    "tele",
    "tel",
    "fax",
    "mobil",
    "konto",
    "linie",
    "seite",
    "zip",
    "phone",
)
_HOUR = re.compile(r"[01]?\d|2[0-4]")
_MIDNIGHT = re.compile(r"[T ]00:00(?::00(?:\.0+)?)?$")
_HOURS = {"stunde", "std", "hour", "uhrzeit", "uhr"}
_ID = re.compile(
    r"(^|[^a-z])(nr|id|key|code)\d*$|(nummer|kennung|kennzahl|schluessel|kennziffer|[ou]id|guid|nr)$"
)
_BEGINS_AS_ID = re.compile(r"^(nr|id|kennung|schluessel|objectid|ogc_fid)\b")


def assign_concepts(columns: Sequence[SampleColumn], wanted: Set[str]) -> dict[str, SampleColumn]:
    """Each wanted concept's column: the likeliest pairs first, each column for one, if its values allow that.

    An id has to tell rows apart, if any does; that of a feature itself comes after those among its attributes,
    and what a store counts its rows by, such as `_id`, after the publisher's own.
    """
    pairs = sorted(
        (
            (
                concept == "id"
                and (not column.is_unique, column.name == FEATURE_ID, column.name.startswith("_")),
                -score,
                number,
                concept,
                column,
            )
            for number, column in enumerate(columns)
            for concept, score in _likeness(column).items()
            if concept in wanted and _is_possible(concept, column)
        ),
        key=lambda pair: (pair[0] or (False, False, False), *pair[1:4]),
    )
    found, taken = dict[str, SampleColumn](), set[str]()
    for *_, concept, column in pairs:
        if concept not in found and (column.name not in taken or concept == "station"):
            found[concept] = column
            taken.add(column.name)
    if "id" in wanted and not ("id" in found and found["id"].is_unique):
        own = next((c for c in columns if c.name not in taken and is_id(c)), None)
        if own is not None:
            found["id"] = own
    return found


def _likeness(column: SampleColumn) -> Mapping[str, float]:
    """What the column may stand for; what only ends like an id, such as `Hausnummer`, is none."""
    if column.name == FEATURE_ID:
        return {"id": 1.0}
    found = score_concepts(column.name)
    return {
        concept: score for concept, score in found.items() if concept != "id" or not _is_other(column.name)
    }


def _is_other(name: str) -> bool:
    words = split_words(name)
    return any(word.startswith(_OTHER_NUMBERS) for word in words)


def is_id(column: SampleColumn) -> bool:
    """Whether its name is that of an id, and every row has its own."""
    return column.is_unique and is_called_id(column.name)


def is_called_id(name: str) -> bool:
    """Whether a column of that name holds ids, such as `Baum-Nr.` and `gml_id`."""
    bare = " ".join(split_words(split_unit(get_last_part(name))[0]))
    return bool(_ID.search(bare) or _BEGINS_AS_ID.search(bare)) and not _is_other(name)


def _is_possible(concept: str, column: SampleColumn) -> bool:
    written = column.written
    if concept in _NUMBERS:
        whole = concept not in _WHOLE_NUMBERS or column.is_whole
        return column.is_number and whole and not _says_otherwise(concept, column.name)
    if concept in {"time", "start_at", "end_at"}:
        return written is not None and written.format != "period"
    if concept == "period":
        return written is not None and written.format == "period"
    if concept == "geometry":
        return column.is_geometry
    if concept == "name":
        return not column.is_constant and not column.is_code and written is None
    return bool(column.texts) and not (concept == "station" and _is_series(column))


def _is_series(column: SampleColumn) -> bool:
    """Whether it holds the values of a station after which it is called, such as `Station Nord`, and no stations."""
    is_name_of_one = len(split_words(column.name)) > 1 and not is_called_id(column.name)
    return column.is_number and (is_name_of_one or any(not number.is_integer() for number in column.decimals))


def _says_otherwise(concept: str, name: str) -> bool:
    bare, unit = split_unit(get_last_part(name))
    if concept in _NOT and (unit == "%" or "%" in name):
        return True
    words = (*split_words(bare), normalise_name(bare))
    return any(word.startswith(_NOT.get(concept, ())) for word in words)


def select_times(columns: Sequence[SampleColumn]) -> list[SampleColumn]:
    """The columns that hold moments, those with an hour first; what is digits alone only by its name."""
    found = [
        column
        for column in columns
        if (written := column.written) is not None
        and written.format != "period"
        and (not column.is_number or "time" in score_concepts(column.name))
    ]
    return sorted(found, key=lambda column: (not has_hour(column), _is_of_making(column.name)))


def _is_of_making(name: str) -> bool:
    """Whether a column says when its record was made, and not when it was so."""
    return any(word.startswith(_MADE) for word in split_words(name))


def has_hour(column: SampleColumn) -> bool:
    """Whether its times are moments, and not days, as spreadsheets write them with a midnight."""
    written = column.written
    return (
        written is not None
        and not all(map(_MIDNIGHT.search, column.meant))
        and (
            written.format.startswith("epoch")
            or "%H" in written.format
            or any(":" in text for text in column.meant[:5])
        )
    )


def is_hour(column: SampleColumn) -> bool:
    """Whether it is called hours, and holds those of a day."""
    return bool({*split_words(column.name)} & _HOURS and column.meant) and all(
        map(_HOUR.fullmatch, column.meant)
    )


def select_measures(
    columns: Sequence[SampleColumn], concepts: Mapping[str, SampleColumn]
) -> list[SampleColumn]:
    """Columns of numbers that stand for nothing else: the series of a wide table."""
    taken = {
        column.name for concept, column in concepts.items() if concept not in {"value", "free", "occupied"}
    }
    return [
        column
        for column in columns
        if column.is_number
        and column.name not in taken
        and not is_called_id(column.name)
        and not is_hour(column)
        and not {"postcode", "house_number"} & {*score_concepts(column.name)}
    ]

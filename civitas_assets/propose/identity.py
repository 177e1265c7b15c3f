"""What tells rows apart: the id that they have, or the columns that one can be made of.

Which other field takes which column is decided in `drafting.py`.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from itertools import combinations

from civitas_assets.catalog.vocabulary import Vocabulary
from civitas_assets.propose.concepts import is_called_id
from civitas_assets.propose.draft import ONE_ATTRIBUTE, TABULAR, Draft
from civitas_assets.propose.sample import FEATURE_ID, KEY
from civitas_assets.propose.sample_columns import SampleColumn
from civitas_assets.propose.series_columns import name_value

_TRIED, _NEARLY_ALL = 10, 0.95
_LIKELY = ("name", "address", "street", "house_number", "category", "geometry")
_NEVER_ALONE = ("house_number", "postcode", "category")
_WHERE = ("lon", "lat", "x", "y")


def identify(draft: Draft, vocabulary: Vocabulary) -> bool:
    """Give every row an id; for a thing it has to be its own. False where nothing tells rows apart."""
    key = draft.contract.key[0] if draft.kind.name != "statistic" else "indicator_id"
    found = _has_own(draft, key) or _has_key(draft, key)
    if not found:
        found = _of_series(draft, key) if draft.contract.event_time is not None else _of_parts(draft, key)
    if found and draft.kind.name == "observation":
        _complete_series(draft, vocabulary)
    if found and draft.kind.name == "statistic":
        for needed in ("area_id", "category"):
            if needed not in draft.fields:
                draft.set_constant(needed, "?")
                draft.note_doubt("constants", "nothing in it says so")
    return found


def _has_own(draft: Draft, key: str) -> bool:
    """Whether the column of ids does its work."""
    if draft.settings.get("feature_id") == key:
        return True
    column = next((c for c in draft.sample.columns if c.name == draft.fields.get(key)), None)
    if column is None:
        return False
    if draft.contract.event_time is None:
        return column.is_unique
    if draft.kind.name == "observation" and column.is_unique and len(column.values) > 1:
        series = draft.concepts.get("station") or draft.concepts.get("name")
        if series is not None and series.name != column.name and not series.is_unique:
            return False  # it tells single values apart, and not what is measured
        draft.note_doubt("fields", f"does {column.name} say what is measured? It is another one in every row")
    return True


def _has_key(draft: Draft, key: str) -> bool:
    """Whether records are members whose names tell them apart."""
    if all(column.name != KEY for column in draft.sample.columns):
        return False
    draft.fields[key] = KEY
    return True


def _of_series(draft: Draft, key: str) -> bool:
    """Let the name of what has a status or values be its id."""
    name = draft.concepts.get("name") or draft.concepts.get("station")
    if name is not None:
        draft.fields[key] = name.name
        return True
    if draft.kind.name != "observation":
        return False
    draft.fields.pop(key, None)
    draft.set_constant(key, "1")
    draft.note_doubt("constants", "one series in the file? give it an id that says which")
    return True


def _of_parts(draft: Draft, key: str) -> bool:
    """Make an id of as few columns as tell rows apart."""
    likely = [column for column in draft.sample.columns if is_called_id(column.name)]
    likely += [draft.concepts[concept] for concept in _LIKELY if concept in draft.concepts]
    where = [draft.concepts[concept] for concept in _WHERE if concept in draft.concepts][:2]
    # Some numbers tell nothing apart, though their digits may.
    weak = {draft.concepts[concept].name for concept in _NEVER_ALONE if concept in draft.concepts}
    parts = find_key_columns(likely, [column for column in draft.sample.columns if column not in where], weak)
    for more in ([*parts, *where], where):
        if where and not is_unique_key(parts) and is_unique_key(more):
            parts = more
    names = [part.name for part in parts or where]
    if draft.sample.connector in TABULAR and not is_unique_key(parts or where):
        names.append("@nth")
    if not names or (draft.sample.connector in ONE_ATTRIBUTE and len(names) > 1):
        return False
    draft.fields[key] = names[0] if len(names) == 1 else names
    if not (len(names) == 1 and is_called_id(names[0])):
        draft.note_doubt("fields", f"nothing in it is an id: {key} is made of {', '.join(names)}")
    return True


def _complete_series(draft: Draft, vocabulary: Vocabulary) -> None:
    """A series is one property at one station."""
    fields = draft.fields
    if "observed_property" in fields:
        station = fields.get("station_id") or fields.get("datastream_id")
        parts = [part for part in (station, fields["observed_property"]) if part]
        fields["datastream_id"] = parts if len(parts) > 1 else parts[0]
        if "unit" not in fields:
            draft.note_doubt(
                "units", 'no column has units: say them by property, as in units: {"PM10": "ug/m3"}'
            )
    elif "value" in fields:
        name_value(draft, vocabulary)


def find_key_columns(
    likely: Sequence[SampleColumn], columns: Sequence[SampleColumn], weak: Set[str] = frozenset()
) -> list[SampleColumn]:
    """As few columns as tell rows apart, and are there in nearly every row: likely ones before any.

    Those of the `weak` names do so only with others.
    """
    texts = [column for column in columns if not column.is_number and not column.is_geometry]
    found = [c for c in dict.fromkeys([*likely, *texts][:_TRIED]) if c.name != FEATURE_ID and _is_whole([c])]
    for size in (1, 2, 3):
        for parts in combinations(found, size):
            if is_unique_key(parts) and not (size == 1 and parts[0].name in weak):
                return list(parts)
    return found[:3]


def _is_whole(parts: Sequence[SampleColumn]) -> bool:
    rows = list(zip(*(part.values for part in parts), strict=True))
    return sum(None not in row for row in rows) >= _NEARLY_ALL * len(rows) > 0


def is_unique_key(parts: Sequence[SampleColumn]) -> bool:
    """Whether no two rows are alike in these columns, and nearly all rows have them."""
    rows = [row for row in zip(*(part.values for part in parts), strict=True) if None not in row]
    return len({*map(str, rows)}) == len(rows) > 0 and _is_whole(parts)

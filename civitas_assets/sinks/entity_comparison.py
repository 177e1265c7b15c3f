"""Whether an entity of NGSI-LD says what it was to say, in whatever form a broker gives it back.

Brokers write instants with more or fewer digits, numbers as whole ones, and a list of one as its element.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

# What a broker says by itself of an entity or attribute; ETSI GS CIM 009, clauses 4.8 and 5.2.
_OF_BROKERS = frozenset(
    {"createdAt", "modifiedAt", "deletedAt", "expiresAt", "instanceId", "datasetId", "scope"}
)
_OF_ENTITIES = frozenset({"@context", "id", "type"})


def is_same_attribute(given: Mapping[str, Any], kept: Mapping[str, Any]) -> bool:
    """Whether an attribute, or one instance of it, says what was given."""
    return _is_same(given, kept)


def find_difference(given: Mapping[str, Any], kept: Mapping[str, Any]) -> str | None:
    """The first attribute in which an entity differs from what was given; None where there is none."""
    wanted = given.keys() - _OF_ENTITIES
    there = {name for name in kept if name not in _OF_ENTITIES | _OF_BROKERS}
    for name in sorted(wanted | there):
        if name not in there or name not in wanted or not _is_same(given[name], kept[name]):
            return name
    return None


def _is_same(given: Any, kept: Any) -> bool:
    given, kept = _unwrap(given), _unwrap(kept)
    if isinstance(given, Mapping) and isinstance(kept, Mapping):
        there = {name: value for name, value in kept.items() if name not in _OF_BROKERS}
        return given.keys() == there.keys() and all(_is_same(given[name], there[name]) for name in given)
    if isinstance(given, list) and isinstance(kept, list):
        return len(given) == len(kept) and all(map(_is_same, given, kept))
    if isinstance(given, str) and isinstance(kept, str) and given != kept:
        return _parse_moment(given) is not None and _parse_moment(given) == _parse_moment(kept)
    if isinstance(given, bool) or isinstance(kept, bool):
        return given is kept
    return bool(given == kept)


def _unwrap(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _parse_moment(text: str) -> datetime | None:
    if text[10:11] != "T":
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None

"""One entity over time: what a context broker is to have of it on some days, compared with what it has, and mended.

What differs is added, changed or removed one by one, and read again: what is not there then was not taken.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from civitas_assets.catalog import Window
from civitas_assets.sinks.entity_comparison import is_same_attribute
from civitas_assets.sinks.history_writing import Instances, TemporalInterface, parse_observed_at

_MOST = 1000  # instances of a request
_MEMBERS = frozenset({"id", "type", "@context"})

_Key = tuple[str, datetime]  # attribute, and when it was observed
_Instance = Mapping[str, Any]


class SeenHistory(msgspec.Struct, array_like=True):
    """What the broker was seen to have of an entity, and where it comes from.

    `since` is the first day that was given, `names` are the attributes, and `days` digests of those that are compared.
    """

    type: str
    context: str
    model: str
    source: str | None
    since: date
    names: set[str] = set()
    days: dict[date, str] = {}


@dataclass
class EntityHistory:
    """What is to be there of an entity: its values by day, as entities with an attribute for each."""

    id: str
    seen: SeenHistory
    days: dict[date, Sequence[_Instance]] = field(default_factory=dict)

    def list_wanted(self) -> dict[_Key, _Instance]:
        """The instances by attribute and time; of several, the last counts."""
        return {
            (name, moment): instance
            for parts in self.days.values()
            for part in parts
            for name, instance in part.items()
            if name not in _MEMBERS and (moment := parse_observed_at(instance)) is not None
        }


@dataclass
class HistoryOutcome:
    """What came of an entity: values that were added, changed and removed, and sentences about what was not."""

    entity: EntityHistory
    created: int = 0
    changed: int = 0
    deleted: int = 0
    refused: list[str] = field(default_factory=list)


class HistoryKeeper:
    """Keeps entities of one broker as they are to be; days are those of a time zone."""

    def __init__(self, interface: TemporalInterface, zone: ZoneInfo) -> None:
        self._interface, self._zone = interface, zone

    def put(self, entity: EntityHistory) -> HistoryOutcome:
        """Let the broker have the values of an entity on some days, and look what it has then."""
        wanted, outcome = entity.list_wanted(), HistoryOutcome(entity)
        before = self._read(entity, wanted)
        why, missing = dict[_Key, str](), dict[_Key, _Instance]()
        lacking = {key for key, given in wanted.items() if not _has(before.get(key, ()), given)}
        for key in sorted(lacking):
            if key in before:
                why[key] = self._change(entity, key, wanted[key], before[key])
            else:
                missing[key] = wanted[key]
        why |= self._add(entity, missing)
        surplus = _find_surplus(before, wanted)
        for key, parts in sorted(surplus.items()):
            for part in parts:
                why[key] = self._remove(entity, key, part)
        after = self._read(entity, wanted) if lacking or surplus else before
        for key, given in wanted.items():
            if not _has(after.get(key, ()), given):
                outcome.refused.append(
                    _complain(entity, key, why.get(key) or "is not there, whatever the broker answers")
                )
            elif key in lacking:
                outcome.created += key not in before
                outcome.changed += key in before
        for key in surplus:
            if len(after.get(key, ())) > (key in wanted):
                outcome.refused.append(
                    _complain(entity, key, why.get(key) or "does not go, whatever the broker answers")
                )
            else:
                outcome.deleted += key not in wanted
        return outcome

    def _read(self, entity: EntityHistory, wanted: Mapping[_Key, Any]) -> dict[_Key, list[_Instance]]:
        """What the broker has of these days, by attribute and time."""
        spans = [Window(day, day).to_instants(self._zone) for day in entity.days]
        start, end = min(first for first, _ in spans), max(last for _, last in spans)
        there: Instances = self._interface.read(entity.seen.type, entity.seen.context, entity.id, start, end)
        found = defaultdict[_Key, list[_Instance]](list)
        for name, parts in there.items():
            for part in parts:
                moment = parse_observed_at(part)
                if moment is not None and any(first <= moment < last for first, last in spans):
                    found[name, moment.astimezone(UTC)].append(part)
        ours = {name for name, _ in wanted} | entity.seen.names
        return {key: parts for key, parts in found.items() if key[0] in ours}

    def _add(self, entity: EntityHistory, missing: Mapping[_Key, _Instance]) -> dict[_Key, str]:
        """Add instances, many at a time, and those of a request that is refused one by one; why each is not taken."""
        why, keys = dict[_Key, str](), sorted(missing, key=lambda key: (key[1], key[0]))
        for begin in range(0, len(keys), _MOST):
            part = keys[begin : begin + _MOST]
            refused = self._send(entity, part, missing)
            if refused and len(part) > 1:
                there = self._read(entity, missing)  # whatever it says, a part may have been taken
                left = [key for key in part if not _has(there.get(key, ()), missing[key])]
                why |= {key: text for key in left if (text := self._send(entity, [key], missing))}
            elif refused:
                why[part[0]] = refused
        return why

    def _send(self, entity: EntityHistory, keys: Sequence[_Key], missing: Mapping[_Key, _Instance]) -> str:
        made = _begin(entity)
        for name, moment in keys:
            made.setdefault(name, []).append(missing[name, moment])
        return self._interface.add(made)

    def _change(self, entity: EntityHistory, key: _Key, given: _Instance, there: Sequence[_Instance]) -> str:
        instance = there[0].get("instanceId")
        if not isinstance(instance, str):
            return "is another value there, without an instanceId by which it could be corrected"
        return self._interface.change({**_begin(entity), key[0]: [given]}, key[0], instance)

    def _remove(self, entity: EntityHistory, key: _Key, part: _Instance) -> str:
        instance = part.get("instanceId")
        if not isinstance(instance, str):
            return "is there without an instanceId by which it could be taken back"
        return self._interface.remove(entity.id, entity.seen.context, key[0], instance)


def _begin(entity: EntityHistory) -> dict[str, Any]:
    """An EntityTemporal without attributes yet, with the context that its parts name."""
    parts = next(filter(None, entity.days.values()))
    return {"id": entity.id, "type": entity.seen.type, "@context": parts[0]["@context"]}


def _find_surplus(
    before: Mapping[_Key, Sequence[_Instance]], wanted: Mapping[_Key, _Instance]
) -> dict[_Key, Sequence[_Instance]]:
    """What is there and is not to be; of one value that is there several times, one is enough."""
    surplus = {key: parts for key, parts in before.items() if key not in wanted}
    for key in before.keys() & wanted.keys():
        parts = before[key]
        kept = next((part for part in parts if is_same_attribute(wanted[key], part)), parts[0])
        if rest := [part for part in parts if part is not kept]:
            surplus[key] = rest
    return surplus


def _has(parts: Sequence[_Instance], given: _Instance) -> bool:
    return any(is_same_attribute(given, part) for part in parts)


def _complain(entity: EntityHistory, key: _Key, why: str) -> str:
    return f"{entity.id} {key[0]} at {key[1]:%Y-%m-%dT%H:%M:%SZ}: {why}"

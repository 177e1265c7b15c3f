"""Reading what an NGSI entity says, attribute by attribute, by the one that counts of several instances.

What could not be taken over is kept, to be told once for all entities of an answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from civitas_assets.connectors.ngsi_attributes import (
    DEFAULT_LANGUAGE,
    Instance,
    find_term,
    plain_list,
    read_instances,
)
from civitas_assets.connectors.ngsi_entities import Entity, named_attributes
from civitas_assets.connectors.ngsi_models import KNOWN
from civitas_assets.connectors.ngsi_position import Where, is_geometry, read_position
from civitas_assets.connectors.ngsi_times import own_time, parse_instant, state_time
from civitas_assets.connectors.rows import number
from civitas_assets.records import Note

# What is about the entity as a record of its broker or its publisher, and of no interest to readers of data.
_BOOKKEEPING = frozenset(
    {
        *("id", "type", "@context", "scope", "createdAt", "modifiedAt", "deletedAt", "expiresAt"),
        *("dateCreated", "dateModified", "occupancyModified", "observationDate"),
        *("source", "owner", "dataProvider", "seeAlso", "alternateName", "areaServed", "TimeInstant", "timeInstant"),
        *("dateObserved", "dateObservedFrom", "dateObservedTo", "observationDateTime", "qualityCode"),
    }
)  # fmt: skip
_SHOWN = 60  # characters of a value that a note shows


class Remarks:
    """What of an answer's entities was not taken over: attributes that nobody reads, instances and values."""

    def __init__(self, skip: Iterable[str] = ()) -> None:
        self.skip = frozenset(skip)
        self.unread: set[str] = set()
        self._sets: dict[str, set[str]] = defaultdict(set)
        self._values: dict[str, str] = {}
        self._alone: dict[str, str] = {}

    def leave_sets(self, name: str, sets: Iterable[str]) -> None:
        """Instances of an attribute for data sets were left out."""
        self._sets[name].update(sets)

    def take_set(self, name: str, data_set: str) -> None:
        """The only instance of an attribute was taken, although it is one for a data set."""
        self._alone.setdefault(name, data_set)

    def leave_value(self, name: str, value: Any) -> None:
        """A value was left out, since it is not of the type that it should be, or only the first of several is read."""
        self._values.setdefault(name, str(value)[:_SHOWN])

    def notes(self) -> tuple[Note, ...]:
        """One note per kind."""
        found = []
        if self._sets:
            parts = (f"{name} ({', '.join(sorted(sets))})" for name, sets in sorted(self._sets.items()))
            found.append(
                Note(
                    "other_data_sets",
                    f"only the default instance is read, not these data sets: {'; '.join(parts)}",
                )
            )
        if self._alone:
            parts = (f"{name} ({data_set})" for name, data_set in sorted(self._alone.items()))
            found.append(
                Note(
                    "only_data_set", f"has no default instance, its only data set is read: {'; '.join(parts)}"
                )
            )
        if self._values:
            parts = (f"{name} ({value!r})" for name, value in sorted(self._values.items()))
            found.append(Note("unread_values", f"values that are not read: {'; '.join(parts)}"))
        return tuple(found)


class Reader:
    """One entity, whose attributes are asked for by name, as type `kind`.

    Texts that are there in several languages are those of `language`.
    """

    def __init__(
        self, entity: Entity, kind: str, remarks: Remarks | None = None, language: str = DEFAULT_LANGUAGE
    ) -> None:
        self.id: str = entity["id"].strip()
        self.kind, self.remarks = kind, remarks or Remarks()
        self.content = named_attributes(entity, KNOWN)
        self._language, self._read = language, set[str]()
        self._instances: dict[str, list[Instance]] = {}
        self._chosen: dict[str, Instance | None] = {}

    def at(self, content: Mapping[str, Any]) -> Reader:
        """The entity with other contents of its attributes."""
        return Reader({**content, "id": self.id}, self.kind, self.remarks, self._language)

    def instances(self, name: str) -> list[Instance]:
        """All instances of an attribute."""
        found = self._instances.get(name)
        if found is None:
            content = self.content.get(name)
            found = [] if content is None else read_instances(content, self._language)
            self._instances[name] = found
        return found

    def instance(self, name: str) -> Instance | None:
        """The instance that counts: the default one, of several the latest, or the only one there is."""
        if name not in self.content:
            return None
        if name not in self._chosen:
            self._read.add(name)
            self._chosen[name] = self._choose(name, self.instances(name))
        return self._chosen[name]

    def _choose(self, name: str, found: list[Instance]) -> Instance | None:
        if len(found) == 1 and found[0].data_set is None:
            return found[0]
        default = [instance for instance in found if instance.data_set is None]
        others = {instance.data_set for instance in found if instance.data_set is not None}
        if not default and len(others) == 1:
            self.remarks.take_set(name, *others)
            default = found
        elif others:
            self.remarks.leave_sets(name, others)
        if len(default) < 2:
            return default[0] if default else None
        never = datetime.min.replace(tzinfo=UTC)
        found = sorted(
            default, key=lambda part: (part.value is not None, parse_instant(own_time(part)) or never)
        )
        for left in found[:-1]:
            if left.value is not None and left.value != found[-1].value:
                self.remarks.leave_value(name, left.value)
        return found[-1]

    def value(self, name: str) -> Any:
        """The plain value of an attribute; None for nothing."""
        found = self._chosen[name] if name in self._chosen else self.instance(name)
        return None if found is None else found.value

    def text(self, *names: str) -> str | None:
        """The first of the attributes that has a text, or of several texts the first."""
        self._read.update(names)
        for name in names:
            value = self.value(name)
            if isinstance(value, str):
                return value
            found = [text for part in plain_list(value) if (text := _text(part)) is not None]
            if value is not None and len(plain_list(value)) != min(len(found), 1):
                self.remarks.leave_value(name, value)
            if found:
                return found[0]
        return None

    def texts(self, name: str) -> list[str]:
        """An attribute that is a text or a list of them."""
        value = self.value(name)
        found = [text for part in plain_list(value) if (text := _text(part)) is not None]
        if len(found) < len(plain_list(value)):
            self.remarks.leave_value(name, value)
        return found

    def codes(self, name: str) -> list[str]:
        """An attribute that is a term or several, in a list or with commas between, without their namespaces."""
        parts = (part.strip() for text in self.texts(name) for part in text.split(","))
        return [find_term(part) for part in parts if part]

    def reference(self, name: str) -> str | None:
        """The entity that an attribute refers to, the first of several."""
        return self.text(name)

    def measure(self, name: str) -> float | None:
        """A number, which may be written as text, or be alone in a list."""
        value = self.value(name)
        found = as_number(value)
        if found is None and value is not None:
            self.remarks.leave_value(name, value)
        return found

    def count(self, name: str) -> int | None:
        """A whole number, which may be written as text."""
        value = self.measure(name)
        return None if value is None else round(value)

    def part(self, name: str) -> Reader | None:
        """An attribute that is an object, such as an address, to be read in its turn; None where it is none."""
        value = self.value(name)
        if not isinstance(value, dict):
            return None
        return self.at(value)

    def address(self) -> str | None:
        """The postal address in one line."""
        place = self.part("address")
        if place is None:
            return self.text("address")
        town = " ".join(part for name in ("postalCode", "addressLocality") if (part := place.text(name)))
        return ", ".join(part for part in (place.text("streetAddress"), town) if part) or None

    def position(self) -> Where:
        """Where it is: its location, else the first other attribute that is a geometry."""
        others = (name for name, content in self.content.items() if is_geometry(content))
        for name in chain(["location"], others):
            found = self.instance(name)
            if found is not None and found.value is not None:
                return read_position(found.value, found.members.get("type"))
        return read_position(None)

    def moment(self, *names: str) -> str | None:
        """When the entity was as the attributes of these names say."""
        found = (self.instance(name) for name in names)
        return state_time((instance for instance in found if instance), self.value)

    def results(self, name: str, result: Callable[[Instance], str | None]) -> Iterator[tuple[Instance, str]]:
        """The instances of which the function makes a result; an attribute of which it makes none is not read."""
        found = [(instance, result(instance)) for instance in self.instances(name)]
        if any(made is not None for _, made in found):
            self._read.add(name)
            for instance, made in found:
                if made is not None:
                    yield instance, made
                elif instance.value is not None:
                    self.remarks.leave_value(name, instance.value)

    def unread(self) -> Iterator[str]:
        """The attributes that say something, and that nobody has read or wants skipped; also within attributes."""
        for name in self.content.keys() - _BOOKKEEPING - self.remarks.skip:
            for part in self.instances(name):
                if part.value is not None and name not in self._read:
                    yield name
                elif part.value is not None and (members := part.unread()):
                    yield from {f"{name}.{member}" for member in members} - self.remarks.skip


def as_number(value: Any) -> float | None:
    """A number, which may be written as text, or be alone in a list; None where it is none."""
    if isinstance(value, list) and len(value) == 1:
        (value,) = value
    return number(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None


def _text(value: Any) -> str | None:
    """A text, or a number as one: whole numbers without a point, whatever form they came in."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)

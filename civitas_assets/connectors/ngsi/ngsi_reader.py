"""Reading what an NGSI entity says, attribute by attribute, by the one that counts of several instances.

What could not be taken over is remarked on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from civitas_assets.connectors.mapping.service_rows import parse_number
from civitas_assets.connectors.ngsi.ngsi_attributes import UNUSUAL, Instance, read_instances, read_usual
from civitas_assets.connectors.ngsi.ngsi_entities import Entity, strip_attribute_namespaces
from civitas_assets.connectors.ngsi.ngsi_models import KNOWN
from civitas_assets.connectors.ngsi.ngsi_position import Where, is_geometry, read_position
from civitas_assets.connectors.ngsi.ngsi_remarks import Remarks
from civitas_assets.connectors.ngsi.ngsi_times import parse_instant, read_own_time, read_state_time
from civitas_assets.connectors.ngsi.ngsi_values import DEFAULT_LANGUAGE, find_term, to_plain_list

_NUMBERS = frozenset({int, float, str})
# The parts of a postal address that are read: street, postcode and town.
PLACE = ("streetAddress", "postalCode", "addressLocality")
Place = tuple[str | None, str | None, str | None]


class Reader:
    """One entity, whose attributes are asked for by name, as type `kind`.

    Texts that are there in several languages are those of `language`.
    """

    def __init__(
        self, entity: Entity, kind: str, remarks: Remarks | None = None, language: str = DEFAULT_LANGUAGE
    ) -> None:
        self.id: str = entity["id"].strip()
        self.kind, self.remarks = kind, remarks or Remarks()
        self.content = strip_attribute_namespaces(entity, KNOWN)
        self._language, self._read = language, set[str]()
        self._usual: dict[str, Any] = {}
        self._chosen: dict[str, Instance | None] = {}

    def at(self, content: Mapping[str, Any]) -> Reader:
        """The entity with other contents of its attributes."""
        return Reader({**content, "id": self.id}, self.kind, self.remarks, self._language)

    def instances(self, name: str) -> list[Instance]:
        """All instances of an attribute."""
        content = self.content.get(name)
        value = self._usual[name] if name in self._usual else read_usual(content)
        if value is UNUSUAL or not isinstance(content, dict):
            return read_instances(content, self._language)
        self._usual[name] = value
        return [Instance(value, None, content)]

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
            default, key=lambda part: (part.value is not None, parse_instant(read_own_time(part)) or never)
        )
        for left in found[:-1]:
            if left.value is not None and left.value != found[-1].value:
                self.remarks.leave_value(name, left.value)
        return found[-1]

    def value(self, name: str) -> Any:
        """The plain value of an attribute; None for nothing."""
        self._read.add(name)
        if name in self._usual:
            return self._usual[name]
        content = self.content.get(name)
        if content is None:
            return None
        if (value := read_usual(content)) is UNUSUAL:
            found = self.instance(name)
            return None if found is None else found.value
        self._usual[name] = value
        return value

    def text(self, *names: str) -> str | None:
        """The first of the attributes that has a text, or of several texts the first."""
        self._read.update(names)
        for name in names:
            value = self.value(name)
            if isinstance(value, str):
                return value
            if value is None:
                continue
            parts = to_plain_list(value)
            found = [text for part in parts if (text := _text(part)) is not None]
            if len(parts) != min(len(found), 1):
                self.remarks.leave_value(name, value)
            if found:
                return found[0]
        return None

    def texts(self, name: str) -> list[str]:
        """An attribute that is a text or a list of them."""
        value = self.value(name)
        if value is None:
            return []
        parts = to_plain_list(value)
        found = [text for part in parts if (text := _text(part)) is not None]
        if len(found) < len(parts):
            self.remarks.leave_value(name, value)
        return found

    def codes(self, name: str) -> list[str]:
        """An attribute that is a term or several, in a list or with commas between, without their namespaces."""
        return find_terms(self.texts(name))

    def reference(self, name: str) -> str | None:
        """The entity that an attribute refers to, the first of several."""
        return self.text(name)

    def measure(self, name: str) -> float | None:
        """A number, which may be written as text, or be alone in a list."""
        value = self.value(name)
        if value is None:
            return None
        found = to_number(value)
        if found is None:
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

    def place(self) -> Place:
        """Street, postcode and town of the postal address; one that is a text stands in place of the street."""
        part = self.part("address")
        if part is None:
            return self.text("address"), None, None
        street, postcode, town = map(part.text, PLACE)
        return street, postcode, town

    def position(self) -> Where:
        """Where it is: its location, else the first other attribute that is a geometry."""
        value = self.value("location")
        if isinstance(value, dict):
            return read_position(value)  # nearly all
        others = [name for name, content in self.content.items() if is_geometry(content)]
        for name in ("location", *others):
            found = self.instance(name)
            if found is not None and found.value is not None:
                return read_position(found.value, found.members.get("type"))
        return read_position(None)

    def moment(self, *names: str) -> str | None:
        """When the entity was as the attributes of these names say."""
        return read_state_time((found for name in names if (found := self.instance(name))), self.value)

    def results(self, name: str, result: Callable[[Instance], str | None]) -> list[tuple[Instance, str]]:
        """The instances of which the function makes a result; an attribute of which it makes none is not read."""
        found = self.instances(name)
        made = [(instance, text) for instance in found if (text := result(instance)) is not None]
        if made:
            self._read.add(name)
            if len(made) < len(found):
                for instance in found:
                    if instance.value is not None and result(instance) is None:
                        self.remarks.leave_value(name, instance.value)
        return made

    def unread(self, among: Iterable[str] | None = None) -> Iterator[str]:
        """The attributes that say something, and that nobody has read or wants skipped; also within attributes.

        They are looked for `among` these names, or everywhere.
        """
        names = self.content.keys() if among is None else self.content.keys() & among
        for name in names - self.remarks.known - (self._usual.keys() & self._read):
            for part in self.instances(name):
                if part.value is not None and name not in self._read:
                    yield name
                elif part.value is not None and (members := part.unread()):
                    yield from {f"{name}.{member}" for member in members} - self.remarks.skip


def to_number(value: Any) -> float | None:
    """A number, which may be written as text, or be alone in a list; None where it is none."""
    if isinstance(value, list) and len(value) == 1:
        (value,) = value
    return parse_number(value) if type(value) in _NUMBERS else None


def _text(value: Any) -> str | None:
    """A text, or a number as one: whole numbers without a point, whatever form they came in."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def find_terms(texts: str | Sequence[str] | None) -> list[str]:
    """The terms that a text has with commas between, or that several texts have."""
    if texts is None:
        return []
    given = [texts] if isinstance(texts, str) else texts
    return [term for text in given for term in _terms(text)]


@lru_cache(4096)
def _terms(text: str) -> tuple[str, ...]:
    return tuple(find_term(part) for name in text.split(",") if (part := name.strip()))


def join_place(street: str | None, postcode: str | None, town: str | None) -> str | None:
    """The postal address in one line."""
    place = f"{postcode} {town}" if postcode and town else postcode or town
    return f"{street}, {place}" if street and place else street or place

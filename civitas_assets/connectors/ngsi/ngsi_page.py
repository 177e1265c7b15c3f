"""The entities of an answer that are read alike, attribute by attribute: each method gives one element per entity.

What all of them write as usual is read at once. Where one writes it otherwise, its `Reader` reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, compress
from types import NoneType
from typing import Any

from civitas_assets.connectors.ngsi.ngsi_attributes import read_all_usual
from civitas_assets.connectors.ngsi.ngsi_position import COLUMNS, read_position
from civitas_assets.connectors.ngsi.ngsi_reader import PLACE, Place, Reader, find_terms, join_place
from civitas_assets.connectors.ngsi.ngsi_times import read_usual_times

Columns = Mapping[str, Sequence[object]]
_OBJECTS: frozenset[type] = frozenset({dict})
_TEXTS: frozenset[type] = frozenset({str, NoneType})
_COUNTS: frozenset[type] = frozenset({int, NoneType})


class EntityPage:
    """Entities with a reader each, which says what every method means."""

    def __init__(self, readers: Sequence[Reader]) -> None:
        self._readers = readers
        self._usual: dict[str, list[Any] | None] = {}

    @cached_property
    def ids(self) -> list[str]:
        """The names of the entities."""
        return [reader.id for reader in self._readers]

    @cached_property
    def kinds(self) -> list[str]:
        """The types as which the entities are read."""
        return [reader.kind for reader in self._readers]

    def texts(self, *names: str) -> list[str | None]:
        """The first of the attributes that has a text, or of several texts the first."""
        columns = [found for name in names if (found := self._values(name, _TEXTS)) is not None]
        if len(columns) < len(names):
            return [reader.text(*names) for reader in self._readers]
        if len(columns) == 1:
            return columns[0]
        return [next(filter(None, texts), None) for texts in zip(*columns, strict=True)]

    def codes(self, name: str) -> list[list[str]]:
        """An attribute that is a term or several."""
        found = self._values(name, _TEXTS | {list})
        lists = [value for value in found or () if isinstance(value, list)]
        if found is None or not {*map(type, chain.from_iterable(lists))} <= {str}:
            return [reader.codes(name) for reader in self._readers]
        return [find_terms(value) for value in found]

    def counts(self, name: str) -> list[int | None]:
        """A whole number."""
        found = self._values(name, _COUNTS)
        return [reader.count(name) for reader in self._readers] if found is None else found

    def measures(self, name: str) -> list[float | None]:
        """A number."""
        found = self._values(name, _COUNTS)
        return [reader.measure(name) for reader in self._readers] if found is None else found

    def places(self) -> list[Place]:
        """Street, postcode and town of the postal address."""
        found = self._values("address", _OBJECTS | {NoneType})
        parts = [value or {} for value in found or ()]
        columns = [read_all_usual([part.get(name) for part in parts]) for name in PLACE]
        texts = [column for column in columns if column is not None and {*map(type, column)} <= _TEXTS]
        is_plain = ":" not in "".join({*chain.from_iterable(parts)})
        if found is None or len(texts) < len(PLACE) or not is_plain:
            return [reader.place() for reader in self._readers]
        return [*zip(*texts, strict=True)]

    def addresses(self) -> list[str | None]:
        """The postal address in one line."""
        return [join_place(*place) for place in self.places()]

    def positions(self) -> Columns:
        """Longitude and latitude, or the geometry."""
        found = self._values("location", _OBJECTS)
        others = (reader.position() for reader in self._readers)
        rows = [*others] if found is None else [*map(read_position, found)]
        return {name: [row[name] for row in rows] for name in COLUMNS}

    def moments(self, *names: str) -> list[str | None]:
        """When the entities were as the attributes of these names say."""
        name = next(
            (name for name in names if any(name in reader.content for reader in self._readers)), names[0]
        )
        times = None if self._values(name) is None else read_usual_times(self._contents(name))
        return [reader.moment(*names) for reader in self._readers] if times is None else [*times]

    def unread(self) -> Iterator[str]:
        """The attributes that say something, and that nobody has read or wants skipped; also within attributes."""
        usual = {name for name, values in self._usual.items() if values is not None}
        names = {*chain.from_iterable(reader.content for reader in self._readers)} - usual
        for reader in self._readers if names else ():
            yield from reader.unread(names)

    def where(self, chosen: Sequence[bool]) -> EntityPage:
        """The entities that are chosen."""
        return EntityPage([*compress(self._readers, chosen)])

    def _contents(self, name: str) -> list[Any]:
        return [reader.content.get(name) for reader in self._readers]

    def _values(self, name: str, kinds: frozenset[type] | None = None) -> list[Any] | None:
        """The plain values of an attribute; None where one is not written as usual, or of none of the types."""
        if name not in self._usual:
            self._usual[name] = read_all_usual(self._contents(name))
        found = self._usual[name]
        return found if found is not None and (kinds is None or {*map(type, found)} <= kinds) else None

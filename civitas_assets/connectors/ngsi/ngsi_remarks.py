"""What of the NGSI entities of an answer was not taken over, kept to be told once for all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from civitas_assets.records import Note

# What is about the entity as a record of its broker or its publisher, and of no interest to readers of data.
_BOOKKEEPING = frozenset(
    {
        *("id", "type", "@context", "scope", "createdAt", "modifiedAt", "deletedAt", "expiresAt"),
        *("dateCreated", "dateModified", "occupancyModified", "observationDate"),
        *("source", "owner", "dataProvider", "seeAlso", "alternateName", "areaServed", "TimeInstant", "timeInstant"),
        *("license", "licenseUrl", "licenseNotice", "attribution"),
        *("dateObserved", "dateObservedFrom", "dateObservedTo", "observationDateTime", "qualityCode"),
    }
)  # fmt: skip
_SHOWN = 60  # characters of a value that a note shows


class Remarks:
    """What of an answer's entities was not taken over: attributes that nobody reads, instances and values."""

    def __init__(self, skip: Iterable[str] = ()) -> None:
        self.skip = frozenset(skip)
        self.known = _BOOKKEEPING | self.skip
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

    def list_notes(self) -> tuple[Note, ...]:
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

"""Sources whose records lie in each other: lists and objects of JSON, whatever brings them.

How such records become rows is in `levels.py`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from civitas_assets.catalog.model import Slug
from civitas_assets.connectors.mapping.attributes import RestSource
from civitas_assets.connectors.mapping.levels import KEY, FieldPlace, make_one_or_many, validate_place
from civitas_assets.connectors.mapping.mapping import Pattern, SelectiveSource
from civitas_assets.connectors.mapping.paths import validate_path
from civitas_assets.connectors.mapping.projection import Each, Projection
from civitas_assets.records.raw import TIME

JsonPath = Annotated[str, AfterValidator(validate_path)]


class NestedSource(SelectiveSource, RestSource):
    """A source that says where its rows are in records, and what in them fills which field."""

    nested: tuple[JsonPath, ...] = Field(
        (), description="Where each record holds the list or object of the rows; further ones go deeper."
    )
    fields: Mapping[Slug, make_one_or_many(validate_place)] = Field(  # type: ignore[valid-type]
        min_length=1,
        description="Contract field by path in a row; ^. leads to the record outside, @key to a member's name.",
    )
    ignore: tuple[Pattern, ...] = Field((), description="Members that are known and not wanted.")

    @property
    @abstractmethod
    def levels(self) -> tuple[str, ...]:
        """The paths from the top to the rows."""

    @abstractmethod
    def build_projection(self) -> Projection:
        """What the source looks at in a document.

        Raises:
            ValueError: a path looks at all there is, so that nothing could be left out.
        """

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        for name, texts in self._written.items():
            for text in texts:
                if FieldPlace.parse(text).out > len(self.nested):
                    raise ValueError(f"{name} leads out of {len(self.nested) + 1} level(s): check nested")
                self.parse_place(text)
        if self.store == "mapped":
            if self.rest is not None:
                raise ValueError(
                    "rest keeps what no setting names, and store: mapped nothing of it: choose one"
                )
            self.build_projection()
        return self

    @property
    def _written(self) -> Mapping[str, tuple[str, ...]]:
        """The places of each field, and of the time, as they are written."""
        if self.time is None or self.time.column is None:
            return self.fields
        return {**self.fields, TIME: (self.time.column,)}

    @property
    def places(self) -> dict[str, list[FieldPlace]]:
        """Where each field and the time are, from a row."""
        return {name: [*map(self.parse_place, texts)] for name, texts in self._written.items()}

    def parse_place(self, text: str) -> FieldPlace:
        """Where a value is, from a row.

        Raises:
            ValueError: the text is no path.
        """
        return FieldPlace.parse(validate_place(text))

    def paths(self, depth: int) -> list[str]:
        """What is read in the records of a level, which are counted from the outermost, 0; `@key` included."""
        out = len(self.levels) - 1 - depth
        return [place.path for places in self.places.values() for place in places if place.out == out]

    def looked_at(self, depth: int) -> list[str]:
        """The same without names of members, and with where the next level is."""
        return [path for path in (*self.paths(depth), *self.levels[depth + 1 : depth + 2]) if path != KEY]

    @property
    def keyed(self) -> list[bool]:
        """By level, whether its records are members of an object."""
        return [KEY in self.paths(depth) for depth in range(len(self.levels))]

    def include_levels(self, root: Projection, first: int) -> None:
        """Count what is read in the records of the levels from `first` on, which are below `root`.

        Raises:
            ValueError: a path looks at all there is, so that nothing could be left out.
        """
        at = [root]
        for depth in range(first, len(self.levels)):
            path = self.levels[depth]
            if self.keyed[depth]:
                at = [found.step(Each.MEMBER) for place in at for found in place.follow(path)]
            else:
                at = [found for place in at for found in place.resolve_items(path)]
            if not at or root.whole:
                raise ValueError(
                    f"store: mapped cannot tell what {path} leaves out: use names, [*], [] or [?…]"
                )
            for place in at:
                for field in self.paths(depth):
                    if field != KEY:
                        place.include(field)

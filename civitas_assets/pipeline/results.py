"""What a step says: that an asset was materialised, and what became of a check; values that may be kept as JSON.

What they look like in Dagster is decided in the package `defs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from civitas_assets.errors import Note, Problem

Severity: TypeAlias = Literal["error", "warn"]


class Shown(msgspec.Struct, frozen=True):
    """Metadata that is more than a plain value: Markdown, text as it is, an address to follow, or data."""

    as_: Literal["markdown", "text", "url", "json"] = msgspec.field(name="as")
    value: Any


Metadata: TypeAlias = dict[str, bool | int | float | str | list[str] | Shown]


class SourceOutcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a check says of one source: what went wrong, what is remarkable, its notes, and what was counted.

    A source with a `problem` is of severity error; without one that has not passed, of a warning. `new_notes` are those
    of the `notes` that nobody was told yet; a source with any has not passed.
    """

    source: str
    passed: bool = True
    problem: Problem | None = None
    remarks: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    new_notes: tuple[Note, ...] = ()
    numbers: Mapping[str, float] = {}

    @property
    def is_error(self) -> bool:
        """Whether it failed."""
        return self.problem is not None

    @property
    def said(self) -> str:
        """What went wrong, and what is remarkable."""
        return "; ".join([*filter(None, [str(self.problem or "")]), *self.remarks])

    @property
    def text(self) -> str:
        """The same, then the notes that nobody was told yet."""
        return "; ".join(filter(None, [self.said, *(note.text for note in self.new_notes)]))


class TestOutcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a check says of one data test that did not pass: whether it stops publishing, and how many rows break it."""

    test: str
    is_error: bool
    said: str
    failing_rows: int = 0


class Materialised(msgspec.Struct, frozen=True, tag="materialised", omit_defaults=True):
    """An asset, such as `landing/csv`, was made; its `version` differs where its content does."""

    asset: str
    metadata: Metadata = {}
    version: str = ""

    @property
    def layer(self) -> str:
        """The first part of the asset's key."""
        return self.asset.partition("/")[0]


class Checked(msgspec.Struct, frozen=True, tag="checked", omit_defaults=True):
    """What became of a check of an asset: of all of the tenant's sources, or of all tests of a model, or as a whole."""

    asset: str
    check: str
    passed: bool
    severity: Severity = "error"
    description: str = ""
    metadata: Metadata = {}
    sources: tuple[SourceOutcome, ...] = ()
    tests: tuple[TestOutcome, ...] = ()

    @property
    def layer(self) -> str:
        """The first part of the asset's key."""
        return self.asset.partition("/")[0]


Result: TypeAlias = Materialised | Checked

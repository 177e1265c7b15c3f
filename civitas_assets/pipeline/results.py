"""What a step says: that an asset was materialised, and what became of a check; values that may be kept as JSON.

What they look like in Dagster is decided in the package `defs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from civitas_assets.store.step_reports import DataTestReport, SourceReport

Severity: TypeAlias = Literal["error", "warn"]


class Shown(msgspec.Struct, frozen=True):
    """Metadata that is more than a plain value: Markdown, text as it is, an address to follow, or data."""

    as_: Literal["markdown", "text", "url", "json"] = msgspec.field(name="as")
    value: Any


Metadata: TypeAlias = dict[str, bool | int | float | str | list[str] | Shown]


class Materialised(msgspec.Struct, frozen=True, tag="materialised", omit_defaults=True):
    """An asset, such as `landing/csv`, was made; its `version` differs where its content does.

    `counts` are the step's own numbers, and `unfilled` what has no values on the days before it came; `metadata` is
    only to be looked at.
    """

    asset: str
    metadata: Metadata = {}
    version: str = ""
    counts: Mapping[str, int | float] = {}
    unfilled: tuple[str, ...] = ()

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
    sources: tuple[SourceReport, ...] = ()
    tests: tuple[DataTestReport, ...] = ()

    @property
    def layer(self) -> str:
        """The first part of the asset's key."""
        return self.asset.partition("/")[0]


Result: TypeAlias = Materialised | Checked

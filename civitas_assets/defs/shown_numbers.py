"""Numbers of results as the UI shows them: as texts, with thousands and units.

The UI draws whatever is a number of a partition, and joins those of different tenants by lines: it offers no other
drawing for partitions that are no times. A tenant's nights one after the other are on its morning page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

_UNITS = ("bytes", "kB", "MB", "GB")


def show_numbers(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata with its numbers as texts, and everything else as it is."""
    return {name: _shown(name, value) for name, value in metadata.items()}


def _shown(name: str, value: object) -> object:
    number = value.value if isinstance(value, dg.IntMetadataValue | dg.FloatMetadataValue) else value
    if isinstance(number, bool) or not isinstance(number, int | float):
        return value
    if name == "seconds":
        return f"{number:,.2f} s"
    if not name.endswith("bytes"):
        return f"{number:,}"
    unit = 0
    while number >= 10_000 and unit < len(_UNITS) - 1:
        number, unit = number / 1000, unit + 1
    return f"{number:,.{1 if unit else 0}f} {_UNITS[unit]}"

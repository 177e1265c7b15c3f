"""Whether what becomes of a row depends on no other row of its payload, so that it may be read in portions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import polars as pl

from civitas_assets.catalog import TimeRule
from civitas_assets.records.contract import GEOMETRY, RecordType

# Years that clocks show which were never set: whether one is meant, the other times of the payload tell.
_UNSET_YEARS = ("1899", "1900", "1903", "1904", "1969", "1970", "1979", "1980", "1999", "2000")
_SHORT = timedelta(days=1)


def is_read_by_row(rule: TimeRule | None, record_type: RecordType, columns: Iterable[str]) -> bool:
    """Whether rows are events without places, whose times mean the same whatever the other rows say."""
    has_places = bool({*(record_type.position or ()), GEOMETRY.name}.intersection(columns))
    if rule is None or not rule.written or has_places or not record_type.is_of_days:
        return False
    is_by_order = rule.zone == "local_wall" and rule.fold == "by_order"
    has_year = rule.format == "iso" or "%Y" in rule.format
    return has_year and not is_by_order and (rule.interval or _SHORT) <= _SHORT


def has_unset_year(texts: pl.Series) -> bool:
    """Whether one of the texts may hold a time of a clock that was never set."""
    return bool(texts.str.contains_any([*_UNSET_YEARS]).any())

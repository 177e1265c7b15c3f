"""How good what was published is, and what was not published: quality codes, rejections, and days with records.

The rules themselves are those of the shared models; nothing is judged here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import msgspec

from civitas_assets.publish.reading import PublishedTables
from civitas_assets.report.query_rows import read_rows

CODES = ("good", "provisional", "suspect", "bad", "missing")

# Statuses are no observations, but have the same codes; they stand beside the properties under these names.
STATUSES: Mapping[str, str] = {
    "parking_status": "parking.status",
    "sharing_status": "sharing.status",
    "charge_point_status": "charging.status",
}

_COUNTED = " union all ".join(
    f"select {subject} as subject, day, quality_code, quality_rule, count(*) as record_count"  # noqa: S608 - constants
    f" from {model} where day between $1 and $2 group by {group}day, quality_code, quality_rule"
    for model, subject, group in (
        ("observation", "observed_property", "observed_property, "),
        *((model, f"'{subject}'", "") for model, subject in STATUSES.items()),
    )
)
_QUALITY = f"""
with counted as ({_COUNTED})
select subject, day, quality_code, quality_rule, record_count, label_de, label_en
from counted
left join observed_property on counted.subject = observed_property.observed_property
order by day
"""  # noqa: S608 - constants

_REJECTED = """
select
    coalesce(source, '') as source,
    coalesce(record_type, '') as record_type,
    rule,
    coalesce(field, '') as field,
    sum(record_count)::bigint as record_count,
    min(day) as first_day,
    max(day) as last_day,
    (array_agg(example_detail order by day desc, example_detail) filter (where example_detail is not null))[1]
        as example,
    max(last_received_at) as last_received_at
from rejected_record
where day between $1 and $2
group by 1, 2, rule, 4
"""

# Of the days before the window one is enough: that there is one.
_SERIES_DAYS = """
select
    source,
    day,
    sum(record_count)::bigint as record_count,
    least(
        sum(coverage_ratio * expected_count)
        / nullif(sum(expected_count) filter (where coverage_ratio is not null), 0),
        1.0
    ) as ratio
from coverage
where day between $1 and $2
group by source, day
union all
select source, max(day), 0, null from coverage where day < $1 group by source
"""
_STATUS_DAYS = " union all ".join(
    f"select source, day, count(*) as record_count, null from {model}"  # noqa: S608 - constants
    f" where day between $1 and $2 group by source, day"
    f" union all select source, max(day), 0, null from {model} where day < $1 group by source"
    for model in STATUSES
)


class _QualityRow(msgspec.Struct, frozen=True):
    subject: str
    day: date
    quality_code: str
    quality_rule: str | None
    record_count: int
    label_de: str | None
    label_en: str | None


class Rejection(msgspec.Struct, frozen=True):
    """Records that are not published, by the rule that they broke, with one example."""

    source: str
    record_type: str
    rule: str
    field: str
    record_count: int
    first_day: date
    last_day: date
    example: str | None
    last_received_at: datetime | None


class _DayRow(msgspec.Struct, frozen=True):
    source: str
    day: date
    record_count: int
    ratio: float | None


@dataclass(frozen=True)
class Quality:
    """How many values of a property, or statuses of a kind, have which code, and by which rule they are not good."""

    subject: str
    labels: Mapping[str, str]
    counts: Mapping[str, int]
    rules: Mapping[str, int]

    @property
    def total(self) -> int:
        """Values in all."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class Covered:
    """What a source has of a day: records, and the share of what was expected, where that is known."""

    records: int
    ratio: float | None


def read_quality(
    tables: PublishedTables, first: date, last: date
) -> tuple[list[Quality], Mapping[date, Mapping[str, int]]]:
    """The codes of the window by property, and by day those that are not good."""
    labels = dict[str, Mapping[str, str]]()
    counts, rules = (defaultdict[str, dict[str, int]](dict) for _ in range(2))
    days = defaultdict[date, dict[str, int]](dict)
    found = read_rows(tables, _QUALITY, [first, last], _QualityRow)
    for row in found:
        _add(counts[row.subject], row.quality_code, row.record_count)
        if row.label_de and row.label_en:
            labels[row.subject] = {"de": row.label_de, "en": row.label_en}
        if row.quality_rule:
            _add(rules[row.subject], row.quality_rule, row.record_count)
        if row.quality_code != "good":
            _add(days[row.day], row.quality_code, row.record_count)
    return ([Quality(name, labels.get(name, {}), counts[name], rules[name]) for name in sorted(counts)], days)


def read_rejections(tables: PublishedTables, first: date, last: date) -> list[Rejection]:
    """What was rejected in the window, most first."""
    found = read_rows(tables, _REJECTED, [first, last], Rejection)
    return sorted(found, key=lambda r: (-r.record_count, r.source, r.rule, r.field, r.record_type))


def read_coverage(tables: PublishedTables, first: date, last: date) -> Mapping[str, Mapping[date, Covered]]:
    """Every source that has ever brought series or statuses, with the days of which it has records.

    Of all days before the first one only the last is given, without a number of records.
    """
    found = defaultdict[str, dict[date, Covered]](dict)
    for row in read_rows(tables, f"{_SERIES_DAYS} union all {_STATUS_DAYS}", [first, last], _DayRow):
        before = found[row.source].get(row.day)
        found[row.source][row.day] = Covered(
            row.record_count + (before.records if before else 0),
            row.ratio if before is None or before.ratio is None else before.ratio,
        )
    return found


def _add(counts: dict[str, int], name: str, count: int) -> None:
    counts[name] = counts.get(name, 0) + count

"""Series of the last weeks by observed property: days for what is summed up, steps of some hours for all else.

All is aggregated by the database; how it is drawn is in `charts.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

import msgspec

from civitas_assets.publish.reading import PublishedTables
from civitas_assets.report.query_rows import read_rows

HOURS_PER_STEP = 6
# More would make the page long rather than useful; those with most values are shown then.
MOST_PANELS = 18

_PROPERTIES = """
select
    daily.observed_property,
    coalesce(min(property.label_de), daily.observed_property) as label_de,
    coalesce(min(property.label_en), daily.observed_property) as label_en,
    min(daily.unit) as unit,
    coalesce(min(property.aggregation), '') as aggregation,
    count(distinct daily.datastream_key) as datastreams,
    sum(daily.valid_count)::bigint as valid_count,
    sum(daily.suspect_count)::bigint as suspect_count
from observation_daily as daily
left join observed_property as property on daily.observed_property = property.observed_property
where daily.day between $1 and $2
group by daily.observed_property
"""

_DAYS = """
select
    observed_property,
    day,
    sum(value) filter (where valid_count > 0) as total,
    avg(value) as mean,
    min(minimum) as minimum,
    max(maximum) as maximum,
    sum(valid_count)::bigint as valid_count,
    sum(suspect_count)::bigint as suspect_count
from observation_daily
where day between $1 and $2
group by observed_property, day
order by day
"""

# The zone's clock is asked once for each hour, not for each value of it.
_STEPS = f"""
with hours as (
    select hour_start_at, timezone($1, hour_start_at) as local
    from (select distinct hour_start_at from observation_hourly where day between $2 and $3) as known
)
select
    hourly.observed_property,
    date_trunc('day', hours.local)
    + floor(extract(hour from hours.local) / {HOURS_PER_STEP})::int * interval '{HOURS_PER_STEP} hours' as "at",
    avg(hourly.value) as value,
    min(hourly.minimum) as minimum,
    max(hourly.maximum) as maximum,
    sum(hourly.suspect_count)::bigint as suspect_count
from observation_hourly as hourly
inner join hours on hourly.hour_start_at = hours.hour_start_at
where hourly.day between $2 and $3
group by 1, 2
order by 2
"""  # noqa: S608 - a constant


class Point(msgspec.Struct, frozen=True):
    """One step, in the tenant's time; `value` is empty where nothing valid was observed."""

    at: datetime
    value: float | None
    minimum: float | None
    maximum: float | None
    suspect_count: int


class Day(msgspec.Struct, frozen=True):
    """A property on one day, over all its datastreams."""

    day: date
    total: float | None
    mean: float | None
    minimum: float | None
    maximum: float | None
    valid_count: int
    suspect_count: int


class _PropertyRow(msgspec.Struct, frozen=True):
    observed_property: str
    label_de: str
    label_en: str
    unit: str
    aggregation: str
    datastreams: int
    valid_count: int
    suspect_count: int


class _DayRow(Day, frozen=True):
    observed_property: str


class _PointRow(Point, frozen=True):
    observed_property: str


@dataclass(frozen=True)
class Panel:
    """One property: whether its values are summed up, its points in order, and its days."""

    observed_property: str
    labels: Mapping[str, str]
    unit: str
    summed: bool
    datastreams: int
    valid_count: int
    suspect_count: int
    points: Sequence[Point]
    days: Sequence[Day]

    @property
    def domain(self) -> str:
        """The first part of the property's code, such as `weather`."""
        return self.observed_property.partition(".")[0]

    def get_day_value(self, day: Day) -> float | None:
        """What the day's values make together."""
        return day.total if self.summed else day.mean


def read_panels(tables: PublishedTables, first: date, last: date, timezone: str) -> tuple[list[Panel], int]:
    """The properties of the window in the order of their codes, and how many more there are."""
    days, points = defaultdict[str, list[Day]](list), defaultdict[str, list[Point]](list)
    for day in read_rows(tables, _DAYS, [first, last], _DayRow):
        days[day.observed_property].append(day)
    for point in read_rows(tables, _STEPS, [timezone, first, last], _PointRow):
        points[point.observed_property].append(point)
    found = sorted(
        read_rows(tables, _PROPERTIES, [first, last], _PropertyRow), key=lambda row: row.observed_property
    )
    most = sorted(found, key=lambda row: -row.valid_count - row.suspect_count)[:MOST_PANELS]
    panels = [
        Panel(
            observed_property=row.observed_property,
            labels={"de": row.label_de, "en": row.label_en},
            unit=row.unit,
            summed=row.aggregation == "sum",
            datastreams=row.datastreams,
            valid_count=row.valid_count,
            suspect_count=row.suspect_count,
            points=[*map(_bar, days[row.observed_property])]
            if row.aggregation == "sum"
            else points[row.observed_property],
            days=days[row.observed_property],
        )
        for row in found
        if row in most
    ]
    return panels, len(found) - len(panels)


def _bar(day: Day) -> Point:
    return Point(datetime.combine(day.day, time()), day.total, None, None, day.suspect_count)

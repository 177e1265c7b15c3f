"""On which days the services of a feed run, and when a time of a service day is.

Times are counted from noon minus twelve hours, which is not midnight on the days on which clocks change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from civitas_assets.connectors.gtfs.gtfs_tables import BrokenRows, Feed
from civitas_assets.errors import ReadError

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ADDED, _REMOVED = "1", "2"
_TWELVE_HOURS = timedelta(hours=12)


def read_zone(feed: Feed, otherwise: ZoneInfo) -> ZoneInfo:
    """The clock of a feed's times, which all its agencies share.

    Raises:
        ReadError: it is none that is known.
    """
    names = feed.read_table("agency.txt", ("agency_timezone",))["agency_timezone"].drop_nulls().unique()
    if names.is_empty():
        return otherwise
    if len(names) > 1:
        raise ReadError(f"has agencies of several time zones: {', '.join(sorted(names))}")
    try:
        return ZoneInfo(names[0])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ReadError(f"has agencies of the time zone {names[0]}, which is none") from None


def find_day_origin(day: date, zone: ZoneInfo) -> datetime:
    """The instant from which the times of a service day are counted, in UTC."""
    return datetime.combine(day, time(12), zone).astimezone(UTC) - _TWELVE_HOURS


def find_active_services(
    feed: Feed, wanted: Sequence[str], first: date, last: date, broken: BrokenRows
) -> Mapping[date, frozenset[str]]:
    """For each day from `first` to `last` for which the feed is made, those of the wanted services that run on it.

    Raises:
        ReadError: the feed has no calendar.
    """
    weeks = _read_weeks(feed, broken)
    changes = _read_changes(feed, broken)
    if weeks.is_empty() and changes.is_empty():
        raise ReadError(
            "has no days in calendar.txt and calendar_dates.txt: it is no GTFS feed, or a torn one"
        )
    added = changes.filter(pl.col("exception_type") == _ADDED)["date"]
    bounds = [*weeks["start_date"], *weeks["end_date"], *added]
    first, last = max(first, min(bounds, default=first)), min(last, max(bounds, default=first))
    if first > last:
        return {}
    days = pl.date_range(first, last, eager=True).alias("day").to_frame()
    wanted_ids = pl.Series("service_id", wanted, pl.String).to_frame()
    regular = (
        weeks.join(wanted_ids, on="service_id", how="semi")
        .join(days, how="cross")
        .filter(
            pl.col("day").is_between("start_date", "end_date"),
            pl.col("weekdays").list.get(pl.col("day").dt.weekday() - 1),
        )
        .select("service_id", "day")
    )
    changes = changes.rename({"date": "day"}).join(wanted_ids, on="service_id", how="semi")
    running = pl.concat(
        [
            regular.join(
                changes.filter(pl.col("exception_type") == _REMOVED), on=["service_id", "day"], how="anti"
            ),
            changes.filter(pl.col("exception_type") == _ADDED).select("service_id", "day"),
        ]
    ).filter(pl.col("day").is_between(first, last))
    by_day = {day: frozenset(services) for day, services in running.group_by("day").agg("service_id").rows()}
    return {day: by_day.get(day, frozenset()) for day in days["day"]}


def _read_weeks(feed: Feed, broken: BrokenRows) -> pl.DataFrame:
    """The services with a week, its days as a list of flags from Monday on, and the dates that bound it."""
    table = feed.read_table("calendar.txt", ("service_id", *_WEEKDAYS, "start_date", "end_date"))
    flags = [
        pl.col(day).replace_strict({"1": True, "0": False}, default=None, return_dtype=pl.Boolean)
        for day in _WEEKDAYS
    ]
    read = table.with_columns(
        pl.concat_list(flags).alias("weekdays"), _read_date("start_date"), _read_date("end_date")
    )
    is_sound = (
        pl.col("service_id").is_not_null()
        & pl.col("start_date").is_not_null()
        & pl.col("end_date").is_not_null()
        & ~pl.col("weekdays").list.eval(pl.element().is_null()).list.any()
    )
    sound = read.select(is_sound).to_series()
    broken.add("calendar.txt", "unreadable_calendar", table.filter(~sound))
    return read.filter(sound).select("service_id", "weekdays", "start_date", "end_date")


def _read_changes(feed: Feed, broken: BrokenRows) -> pl.DataFrame:
    """The days that are added to a service or taken from it; of another kind of change nobody knows what it says."""
    table = feed.read_table("calendar_dates.txt", ("service_id", "date", "exception_type"))
    read = table.with_columns(_read_date("date"))
    is_sound = (
        pl.col("service_id").is_not_null()
        & pl.col("date").is_not_null()
        & pl.col("exception_type").is_in([_ADDED, _REMOVED]).fill_null(value=False)
    )
    sound = read.select(is_sound).to_series()
    broken.add("calendar_dates.txt", "unreadable_calendar", table.filter(~sound))
    return (
        read.filter(sound)
        .select("service_id", "date", "exception_type")
        .unique(["service_id", "date"], keep="last", maintain_order=True)
    )


def _read_date(column: str) -> pl.Expr:
    return pl.col(column).str.to_date("%Y%m%d", strict=False)

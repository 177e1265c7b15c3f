"""How often each route leaves each stop on each day, worked out from trips, their times and their calendars.

A feed has millions of times, of which a town has few: they are told apart as they are unpacked, before anything else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date
from zoneinfo import ZoneInfo

import polars as pl

from civitas_assets.connectors.gtfs.gtfs_calendar import find_day_origin
from civitas_assets.connectors.gtfs.gtfs_tables import BrokenRows, Feed
from civitas_assets.errors import ReadError
from civitas_assets.records.contract import UTC_TIME
from civitas_assets.records.raw import ROW

_NO_PICKUP = "1"
_MOST_ROWS = 250_000  # of a table of days
_PATTERN = r"^(\d{1,3}):([0-5]\d):([0-5]\d)$"
_DIGEST = 16  # digits: one feed has few different days
SERVICE, STOP, ROUTE = "service_id", "stop_id", "route_id"
_SUMMARY = (pl.col("departures").sum(), pl.col("first_s").min(), pl.col("last_s").max())


def count_departures(feed: Feed, stops: pl.DataFrame, broken: BrokenRows) -> pl.DataFrame:
    """Departures of each route at each of the stops on each day of a service, the first and the last of them.

    `first_s` and `last_s` are seconds of the service day, and empty where the feed has no times. Where a trip only
    ends, or lets nobody in, nothing departs.

    Raises:
        ReadError: the feed has no trips or times.
    """
    trips = feed.read_table("trips.txt", ("route_id", "service_id", "trip_id")).unique(
        "trip_id", keep="first", maintain_order=True
    )
    trips = trips.filter(pl.all_horizontal(pl.col("trip_id", SERVICE, ROUTE).is_not_null())).with_row_index(
        "trip"
    )
    every = _read_frequencies(feed, trips, broken)
    places = stops.select(pl.col(STOP).drop_nulls().unique(maintain_order=True)).with_row_index("stop")
    times, last, starts = _read_times(feed, places, trips, every, broken)
    departing = (
        times.join(last, on="trip", how="inner")
        .filter(pl.col("sequence") < pl.col("last_sequence"))
        .join(every, on="trip", how="left")
        .join(starts, on="trip", how="left")
    )
    begins = pl.col("from_s") + pl.col("departure_s") - pl.col("start_s")
    is_repeated = pl.col("from_s").is_not_null()
    return (
        departing.select(
            "trip",
            "stop",
            pl.when(is_repeated).then("times").otherwise(1).cast(pl.Int64).alias("departures"),
            pl.when(is_repeated).then(begins).otherwise("departure_s").alias("first_s"),
            pl.when(is_repeated)
            .then(begins + (pl.col("times") - 1) * pl.col("headway_s"))
            .otherwise("departure_s")
            .alias("last_s"),
        )
        .join(trips.select("trip", SERVICE, ROUTE), on="trip", how="inner")
        .group_by(SERVICE, "stop", ROUTE)
        .agg(*_SUMMARY)
        .join(places, on="stop")
        .drop("stop")
    )


def list_service_days(
    counts: pl.DataFrame, active: Mapping[date, frozenset[str]], zone: ZoneInfo, day_zone: ZoneInfo
) -> Iterator[pl.DataFrame]:
    """The rows of `transit_service`, for some days at a time.

    `timetable` is a digest of all rows of a day: a day that changes is told again as a whole, so that what is no longer
    among them can be told from what stays as it was. On a day without any departure all that the feed has are told
    with none.
    """
    plans = dict[frozenset[str], pl.DataFrame]()
    held = list[pl.DataFrame]()
    for day, services in active.items():
        if services not in plans:
            plans[services] = _plan_day(counts, services)
        plan, origin = plans[services], find_day_origin(day, zone)
        start = (
            pl.lit(day)
            .cast(pl.Datetime("us"))
            .dt.replace_time_zone(day_zone.key, ambiguous="earliest", non_existent="null")
        )
        held.append(
            plan.select(
                STOP,
                ROUTE,
                start.dt.convert_time_zone("UTC").alias("service_start"),
                "departures",
                *(
                    (pl.lit(origin, UTC_TIME) + pl.duration(seconds=seconds)).alias(name)
                    for seconds, name in (("first_s", "first_departure_at"), ("last_s", "last_departure_at"))
                ),
                "timetable",
            )
        )
        if sum(frame.height for frame in held) >= _MOST_ROWS:
            yield pl.concat(held)
            held = []
    if held:
        yield pl.concat(held)


def _plan_day(counts: pl.DataFrame, services: frozenset[str]) -> pl.DataFrame:
    """What departs on a day on which these services run."""
    ids = pl.Series(SERVICE, sorted(services), pl.String).to_frame()
    plan = counts.join(ids, on=SERVICE, how="semi").group_by(STOP, ROUTE).agg(*_SUMMARY)
    if plan.is_empty():
        nothing = pl.lit(None, pl.Int64)
        plan = counts.select(STOP, ROUTE).unique().with_columns(
            pl.lit(0, pl.Int64).alias("departures"), nothing.alias("first_s"), nothing.alias("last_s")
        )  # fmt: skip
    plan = plan.sort(STOP, ROUTE)
    digest = hashlib.sha256(plan.write_csv().encode()).hexdigest()[:_DIGEST]
    return plan.with_columns(pl.lit(digest).alias("timetable"))


def _read_times(
    feed: Feed, places: pl.DataFrame, trips: pl.DataFrame, every: pl.DataFrame, broken: BrokenRows
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Times at which a stop lets people in; the last sequence of each trip; and when trips begin that are repeated."""
    ids = trips.select("trip", "trip_id")
    repeated = ids.join(every, on="trip", how="semi")
    times, ends, begun = list[pl.DataFrame](), list[pl.DataFrame](), list[pl.DataFrame]()
    required = ("trip_id", STOP, "stop_sequence")
    for part in feed.read_parts(
        "stop_times.txt", required, ("arrival_time", "departure_time", "pickup_type")
    ):
        whole = part.with_columns(
            pl.col("stop_sequence").cast(pl.Int32, strict=False).alias("sequence"),
            pl.coalesce("departure_time", "arrival_time").alias("time"),
        )
        # Of a trip that is elsewhere only this much is kept; which trip an id is, is looked up once at the end.
        ends.append(whole.group_by("trip_id").agg(pl.col("sequence").max().alias("last_sequence")))
        if not repeated.is_empty():
            begun.append(whole.join(repeated, on="trip_id").select("trip", "sequence", "time"))
        here = whole.join(places, on=STOP, how="inner", maintain_order="left")
        here = here.with_columns(parse_times(here["time"]).alias("departure_s"))
        is_sound = pl.lit(value=True)
        for rule, is_faulty in (
            ("unreadable_sequence", pl.col("sequence").is_null()),
            ("unreadable_time", pl.col("time").is_not_null() & pl.col("departure_s").is_null()),
        ):
            broken.add("stop_times.txt", rule, here.filter(is_sound & is_faulty).select(part.columns))
            is_sound &= ~is_faulty
        boarding = here.filter(is_sound, pl.col("pickup_type").ne_missing(_NO_PICKUP))
        times.append(boarding.select(ROW, "trip_id", "stop", "sequence", "departure_s"))
    if not times:
        raise ReadError("has no stop_times.txt with rows: it is no GTFS feed, or a torn one")
    found = pl.concat(times).join(ids, on="trip_id", how="left", maintain_order="left")
    broken.add(
        "stop_times.txt", "unknown_trip", found.filter(pl.col("trip").is_null()).select(ROW, "trip_id")
    )
    last = pl.concat(ends).join(ids, on="trip_id").group_by("trip").agg(pl.col("last_sequence").max())
    return found.drop(ROW, "trip_id").drop_nulls("trip"), last, _find_starts(begun)


def _find_starts(begun: list[pl.DataFrame]) -> pl.DataFrame:
    """By trip the time of its first stop."""
    if not begun:
        return pl.DataFrame(schema={"trip": pl.get_index_type(), "start_s": pl.Int64()})
    first = pl.concat(begun).sort("trip", "sequence", maintain_order=True).unique("trip", keep="first")
    return first.select("trip", parse_times(first["time"]).alias("start_s"))


def _read_frequencies(feed: Feed, trips: pl.DataFrame, broken: BrokenRows) -> pl.DataFrame:
    """Trips that run again and again: from when, after how many seconds, and how often."""
    table = feed.read_table("frequencies.txt", ("trip_id", "start_time", "end_time", "headway_secs"))
    read = table.join(
        trips.select("trip", "trip_id"), on="trip_id", how="left", maintain_order="left"
    ).with_columns(
        parse_times(table["start_time"]).alias("from_s"),
        parse_times(table["end_time"]).alias("to_s"),
        pl.col("headway_secs").cast(pl.Int64, strict=False).alias("headway_s"),
    )
    is_sound = (
        pl.col("trip").is_not_null() & (pl.col("headway_s") > 0) & (pl.col("from_s") <= pl.col("to_s"))
    ).fill_null(value=False)
    sound = read.select(is_sound).to_series()
    broken.add("frequencies.txt", "unreadable_frequency", table.filter(~sound))
    lasts = pl.col("to_s") - pl.col("from_s")
    # The end is no departure any more: from 6:00 to 7:00 every 30 minutes are two.
    times = ((lasts + pl.col("headway_s") - 1) // pl.col("headway_s")).alias("times")
    return read.filter(sound).select("trip", "from_s", "headway_s", times).filter(pl.col("times") > 0)


def parse_times(written: pl.Series) -> pl.Series:
    """Seconds of the service day of times such as 25:10:00, which may go beyond a day; null for what is none.

    A timetable has the same times again and again, so that each of them is read once.
    """
    distinct = written.drop_nulls().unique().alias("time")
    groups = distinct.str.extract_groups(_PATTERN).struct.unnest().cast(pl.Int64, strict=False)
    seconds = (groups["1"] * 3600 + groups["2"] * 60 + groups["3"]).alias("seconds")
    if distinct.is_empty():
        return pl.Series(written.name, [None], pl.Int64).new_from_index(0, len(written))
    known = pl.DataFrame([distinct, seconds])
    found = written.alias("time").to_frame().join(known, on="time", how="left", maintain_order="left")
    return found["seconds"].alias(written.name)

"""The stops of a feed that lie in a box, and what its routes are.

What a code means that nobody knows is left empty, and never taken for what the specification has for no code.
"""

from __future__ import annotations

import polars as pl

from civitas_assets.catalog import Box
from civitas_assets.connectors.gtfs.gtfs_tables import Feed
from civitas_assets.records.raw import ROW

_STOP_TYPES = {"0": "stop", "1": "station", "2": "entrance", "3": "node", "4": "boarding_area"}
_ACCESSIBLE = {"1": "true", "2": "false"}
_MODES = {
    "0": "tram", "1": "subway", "2": "rail", "3": "bus", "4": "ferry", "5": "cable_tram", "6": "aerial_lift",
    "7": "funicular", "11": "trolleybus", "12": "monorail", "401": "subway", "402": "subway", "405": "monorail",
}  # fmt: skip
# Of the codes from 100 on, which many feeds in Europe have, the hundreds.
_HUNDREDS = {
    "1": "rail", "2": "coach", "4": "rail", "5": "subway", "6": "subway", "7": "bus", "8": "trolleybus", "9": "tram",
    "10": "ferry", "11": "air", "12": "ferry", "13": "aerial_lift", "14": "funicular", "15": "taxi", "17": "other",
}  # fmt: skip
_STOP_COLUMNS = (
    "stop_code", "stop_name", "stop_desc", "stop_lat", "stop_lon", "zone_id", "location_type", "parent_station",
    "wheelchair_boarding", "platform_code",
)  # fmt: skip


def read_stops(feed: Feed, box: Box | None) -> pl.DataFrame:
    """The stops in the box with what they belong to, as fields of `transit_stop`; all of them where there is no box.

    A stop without a position is where the station is that it belongs to. One whose position cannot be read is among
    them, so that its contract names it.

    Raises:
        ReadError: the feed has no such table.
    """
    stops = feed.read_table("stops.txt", ("stop_id",), _STOP_COLUMNS)
    wanted = _select_near(stops, box)
    accessible = pl.col("wheelchair_boarding").replace_strict(
        _ACCESSIBLE, default=None, return_dtype=pl.String
    )
    parents = stops.select(pl.col("stop_id").alias("parent_station"), accessible.alias("of_parent")).unique(
        "parent_station", keep="first"
    )
    inherits = pl.col("wheelchair_boarding").fill_null("0") == "0"
    return (
        stops.filter(wanted)
        .join(parents, on="parent_station", how="left", maintain_order="left")
        .select(
            ROW,
            "stop_id",
            pl.col("stop_name").alias("name"),
            pl.col("stop_code").alias("code"),
            pl.col("stop_desc").alias("description"),
            pl.col("platform_code").alias("platform"),
            pl.col("location_type")
            .fill_null("0")
            .replace_strict(_STOP_TYPES, default=None, return_dtype=pl.String)
            .alias("stop_type"),
            pl.col("parent_station").alias("parent_stop_id"),
            pl.when(inherits).then("of_parent").otherwise(accessible).alias("is_wheelchair_accessible"),
            pl.col("zone_id").alias("fare_zone"),
            pl.col("stop_lon").alias("lon"),
            pl.col("stop_lat").alias("lat"),
        )
    )


def _select_near(stops: pl.DataFrame, box: Box | None) -> pl.Series:
    """Which stops lie in the box, belong to one that does, or have one that does."""
    if box is None:
        return pl.repeat(value=True, n=stops.height, dtype=pl.Boolean, eager=True)
    west, south, east, north = box
    lon, lat = (stops[name].cast(pl.Float64, strict=False) for name in ("stop_lon", "stop_lat"))
    has_position = lon.is_not_null() & lat.is_not_null()
    unreadable = ~has_position & stops["stop_lon"].is_not_null() & stops["stop_lat"].is_not_null()
    near = (lon.is_between(west, east) & lat.is_between(south, north)).fill_null(value=False) | unreadable
    for _ in range(2):  # a boarding area belongs to a platform, which belongs to a station
        ids = stops["stop_id"].filter(near)
        parents = stops["parent_station"].filter(near).drop_nulls()
        within = stops["parent_station"].is_in(ids.implode()).fill_null(value=False) & ~has_position
        near |= stops["stop_id"].is_in(parents.implode()).fill_null(value=False) | within
    return near


def read_routes(feed: Feed) -> pl.DataFrame:
    """All routes, as fields of `transit_route`.

    Raises:
        ReadError: the feed has no such table.
    """
    routes = feed.read_table(
        "routes.txt",
        ("route_id", "route_type"),
        ("agency_id", "route_short_name", "route_long_name", "route_desc", "route_color", "route_text_color"),
    )
    agencies = feed.read_table("agency.txt", ("agency_name",), ("agency_id",))
    if agencies.height == 1:  # which may have no id then
        operator = pl.lit(agencies["agency_name"][0])
    else:
        routes = routes.join(
            agencies.select("agency_id", "agency_name").unique("agency_id", keep="first"),
            on="agency_id",
            how="left",
            maintain_order="left",
        )
        operator = pl.col("agency_name")
    kind = pl.col("route_type")
    hundreds = pl.when(kind.str.contains(r"^\d{3,4}$")).then(kind.str.slice(0, kind.str.len_bytes() - 2))
    return routes.select(
        ROW,
        "route_id",
        pl.col("route_short_name").alias("short_name"),
        pl.col("route_long_name").alias("long_name"),
        pl.col("route_desc").alias("description"),
        pl.coalesce(
            kind.replace_strict(_MODES, default=None, return_dtype=pl.String),
            hundreds.replace_strict(_HUNDREDS, default=None, return_dtype=pl.String),
        ).alias("mode"),
        kind.alias("mode_native"),
        operator.alias("operator"),
        pl.col("route_color").alias("color"),
        pl.col("route_text_color").alias("text_color"),
    )

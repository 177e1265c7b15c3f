"""GTFS: stops and routes of public transport, and how often each route leaves each stop on each day.

Of a feed of a whole country a tenant has what lies in its box. How departures are counted is in `gtfs_service.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar, Literal, Self
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import Field, model_validator

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.window import Duration
from civitas_assets.connectors.base import FetchSession, Payload
from civitas_assets.connectors.fetching import fetch_addresses
from civitas_assets.connectors.gtfs.gtfs_calendar import find_active_services, read_zone
from civitas_assets.connectors.gtfs.gtfs_service import (
    ROUTE,
    SERVICE,
    STOP,
    count_departures,
    list_service_days,
)
from civitas_assets.connectors.gtfs.gtfs_stops import read_routes, read_stops
from civitas_assets.connectors.gtfs.gtfs_tables import BrokenRows, Feed
from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable


class GtfsSource(Source):
    """A feed of timetables; `url` is its archive."""

    connector: Literal["gtfs"]
    days_ahead: Duration = Field(
        "180 days",
        validate_default=True,
        description="How far ahead of its receipt a feed is read, at most to its end.",
    )

    lists_whole: ClassVar[frozenset[str]] = frozenset({"transit_stop", "transit_route"})

    def record_types(self) -> frozenset[str]:
        """Stops, routes, and the service of each day."""
        return frozenset({"transit_stop", "transit_route", "transit_service"})

    @model_validator(mode="after")
    def _is_one_feed(self) -> Self:
        # A day is replaced by the next feed that has it, so that two feeds would replace each other.
        if self.each:
            raise ValueError("each is not for gtfs: make a source of each feed")
        return self


class GtfsConnector:
    """Fetches and reads GTFS."""

    name = "gtfs"
    source_model: type[Source] = GtfsSource

    def fetch(self, source: GtfsSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """The archive."""
        fetch_addresses(source, window, session)

    def read(self, source: GtfsSource, payload: Payload) -> Iterator[RawTable]:
        """Stops in the tenant's box, the routes that leave them, and their service from the day of receipt on."""
        feed, broken = Feed(payload.body, source.http.max_bytes), BrokenRows()
        stops = read_stops(feed, source.box)
        if stops.is_empty():
            raise ReadError("has no stop in the tenant's bbox, or no stops.txt")
        yield RawTable("transit_stop", stops)
        counts = count_departures(feed, stops, broken)
        routes = read_routes(feed)
        yield RawTable("transit_route", routes.join(counts, on=ROUTE, how="semi", maintain_order="left"))
        first = payload.received_at.astimezone(source.zone).date()
        last = first + max(source.days_ahead, timedelta(days=1)) - timedelta(days=1)
        services = counts[SERVICE].unique().to_list()
        active = find_active_services(feed, services, first, last, broken)
        zone = read_zone(feed, source.zone)
        for frame in list_service_days(counts, active, zone, source.zone):
            yield RawTable("transit_service", frame)
        if broken.rows:
            nothing = pl.DataFrame(schema={STOP: pl.String(), ROUTE: pl.String()})
            yield RawTable("transit_service", nothing, (), tuple(broken.rows), broken.list_notes())

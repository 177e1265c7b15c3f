"""GTFS-Realtime: delays of trips at stops, cancellations, and what passengers are told.

Positions of vehicles are not read: a trail of a vehicle is one of who drives it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from civitas_assets.catalog import Source, Window
from civitas_assets.connectors.base import FetchSession, Payload
from civitas_assets.connectors.fetching import fetch_addresses
from civitas_assets.connectors.gtfs_rt.gtfs_rt_format import decode_entity, decode_feed
from civitas_assets.connectors.gtfs_rt.gtfs_rt_rows import Realtime, Wanted
from civitas_assets.errors import Note, ReadError
from civitas_assets.records import BrokenRow, RawTable

_OLD = timedelta(hours=1)


class GtfsRtSource(Source):
    """Feeds of one network; `url` is that of a feed, or of several with `each`."""

    connector: Literal["gtfs_rt"]
    stops: tuple[str, ...] = Field(
        (), description="Patterns of ids of stops that are wanted, such as de:05515:*; default: all."
    )
    routes: tuple[str, ...] = Field(
        (), description="Patterns of ids of routes that are wanted; default: all."
    )
    language: str = Field("de", description="Which language of an alert is read, where it has several.")

    def record_types(self) -> frozenset[str]:
        """Delays, and alerts as events."""
        return frozenset({"transit_delay", "event"})


class GtfsRtConnector:
    """Fetches and reads GTFS-Realtime."""

    name = "gtfs_rt"
    source_model: type[Source] = GtfsRtSource

    def fetch(self, source: GtfsRtSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """The feeds as they are now."""
        fetch_addresses(source, window, session)

    def read(self, source: GtfsRtSource, payload: Payload) -> Iterator[RawTable]:
        """Trips and their stops, and alerts; an entity that cannot be read is a rejected row."""
        feed, broken = decode_feed(payload.body), list[BrokenRow]()
        found = Realtime(source.zone, Wanted(source.stops, source.routes), source.language)
        for row, body in enumerate(feed.entity, 1):
            try:
                found.add(row, decode_entity(body))
            except ReadError as error:
                broken.append(BrokenRow(row, "unreadable_entity", str(error), body.hex()))
        notes = found.codes.list_notes()
        told = feed.header.timestamp
        age = payload.received_at.timestamp() - told
        if told and age > _OLD.total_seconds():
            text = f"the feed was made {age / 3600:.0f} h before it was fetched: it says nothing of now"
            notes = (*notes, Note("old_feed", text))
        yield RawTable("transit_delay", found.build_delays(), (), tuple(broken), notes)
        yield RawTable("event", found.build_events())

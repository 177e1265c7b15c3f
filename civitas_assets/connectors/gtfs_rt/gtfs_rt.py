"""GTFS-Realtime: delays of trips at stops, cancellations, and what passengers are told.

Positions of vehicles are not read, and never land: a trail of a vehicle is one of who drives it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.model import SnapshotShare
from civitas_assets.connectors.base import FetchSession, Payload
from civitas_assets.connectors.fetching import fetch_addresses
from civitas_assets.connectors.gtfs_rt.gtfs_rt_format import decode_entity, decode_feed, discard_vehicles
from civitas_assets.connectors.gtfs_rt.gtfs_rt_rows import Realtime, Wanted
from civitas_assets.errors import Note, ReadError
from civitas_assets.records import BrokenRow, RawTable

_OLD = timedelta(hours=1)
_DIFFERENTIAL = 1


class GtfsRtSource(Source):
    """Feeds of one network; `url` is that of a feed, or of several with `each`."""

    connector: Literal["gtfs_rt"]
    stops: tuple[str, ...] = Field(
        (), description="Patterns of ids of stops that are wanted, such as de:05515:*; default: all."
    )
    routes: tuple[str, ...] = Field(
        (), description="Patterns of ids of routes that are wanted; default: all."
    )
    agencies: tuple[str, ...] = Field(
        (),
        description="Patterns of ids of agencies whose alerts are wanted that name neither stop nor route.",
    )
    language: str = Field("de", description="Which language of an alert is read, where it has several.")
    snapshot_share: SnapshotShare = 0.0  # there may be none

    # A feed is a full dataset: an alert that it has no more is over, also where nobody said until when it lasts.
    lists_whole: ClassVar[frozenset[str]] = frozenset({"event"})

    def record_types(self) -> frozenset[str]:
        """Delays, and alerts as events."""
        return frozenset({"transit_delay", "event"})

    def redact_answer(self, role: str, body: bytes) -> bytes:
        """No trail of anybody who drives: neither positions nor names of vehicles."""
        return discard_vehicles(body)


class GtfsRtConnector:
    """Fetches and reads GTFS-Realtime."""

    name = "gtfs_rt"
    source_model: type[Source] = GtfsRtSource

    def fetch(self, source: GtfsRtSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """The feeds as they are now."""
        fetch_addresses(source, window, session)

    def read(self, source: GtfsRtSource, payload: Payload) -> Iterator[RawTable]:
        """Trips and their stops, and alerts; an entity that cannot be read is a rejected row."""
        feed, trips, alerts = decode_feed(payload.body), list[BrokenRow](), list[BrokenRow]()
        wanted = Wanted(source.stops, source.routes, source.agencies)
        found = Realtime(source.zone, wanted, source.language, tuple(payload.variables.values()))
        for row, body in enumerate(feed.entity, 1):
            entity = None
            try:
                entity = decode_entity(body)
                found.add(row, entity)
            except ReadError as error:
                about = () if entity is None else found.list_names(entity)
                broken = trips if entity is None or not entity.HasField("alert") else alerts
                broken.append(BrokenRow(row, "unreadable_entity", str(error), body.hex(), about))
        notes = found.list_notes()
        if feed.header.incrementality == _DIFFERENTIAL:
            text = "the feed says of itself that it has only what has changed: say snapshot: false, if that is so"
            notes = (*notes, Note("differential_feed", text))
        told = feed.header.timestamp
        age = payload.received_at.timestamp() - told
        if told and age > _OLD.total_seconds():
            text = f"the feed was made {age / 3600:.0f} h before it was fetched: it says nothing of now"
            notes = (*notes, Note("old_feed", text))
        yield RawTable("transit_delay", found.build_delays(), (), tuple(trips), notes)
        yield RawTable("event", found.build_events(), (), tuple(alerts))

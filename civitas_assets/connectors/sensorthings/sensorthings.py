"""OGC SensorThings API 1.0 and 1.1: things with what they observe, and the observations of the window.

Next links are followed verbatim; the window is cut at fixed calendar days, so that an unchanged slice is one
conditional request.
"""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.template import expand
from civitas_assets.connectors.base import FetchSession, Payload, Request
from civitas_assets.connectors.fetching import fetch_all
from civitas_assets.connectors.pagination.pagination import note_torn_collection
from civitas_assets.connectors.sensorthings import sensorthings_entities as entities
from civitas_assets.connectors.sensorthings import sensorthings_tables as tables
from civitas_assets.connectors.sensorthings.sensorthings_crawl import (
    SensorThingsCrawl,
    SensorThingsSource,
    Slice,
    Where,
)
from civitas_assets.connectors.sensorthings.sensorthings_observations import (
    read_multi_observations,
    read_observations,
)
from civitas_assets.errors import FetchError, ReadError
from civitas_assets.records import RawTable


class SensorThingsConnector:
    """Fetches and reads SensorThings 1.0 and 1.1."""

    name = "sensorthings"
    source_model: type[Source] = SensorThingsSource

    def fetch(
        self, source: SensorThingsSource, window: Window, zone: ZoneInfo, session: FetchSession
    ) -> None:
        """Things with their datastreams, and each datastream's slices of the window, in parallel."""
        slices = [Slice(*part.to_instants(zone)) for part in window.split(max(source.slice.days, 1))]
        for expansion in expand(source.url, source.each, window, source.http.max_pages):
            root = expansion.url.rstrip("/")
            crawl = SensorThingsCrawl(source, root, slices, _wanted(source, root, session))
            fetch_all(session, [crawl.things()], crawl.follow)
            for question in crawl.torn:
                told = note_torn_collection(question)
                session.note(told.code, told.text)
            if crawl.unasked:
                session.note(
                    "datastreams_not_asked",
                    f"{len(crawl.unasked)} of {len(crawl.streams)} datastreams were not asked for, since their "
                    "declared phenomenonTime lies outside the window: declared_extent: ignored asks for all",
                )

    def read(self, source: SensorThingsSource, payload: Payload) -> Iterator[RawTable]:
        """Stations and datastreams, or observations, by the role of the request."""
        body, known = payload.body, payload.variables
        if payload.role == "observations":
            yield read_observations(body, known["datastream_id"])
        elif payload.role == "multi_observations":
            yield from read_multi_observations(body, known["datastream_id"], int(known["components"]))
        elif payload.role in {"things", "datastreams", "multi_datastreams"}:
            if payload.role == "things":
                things = payload.parse(entities.read_things).value
                found = [(thing.key, stream) for thing in things for stream in thing.series]
                stations, notes = tables.build_station_table(things, source.box)
                yield RawTable("station", stations, notes=notes)
            elif payload.role == "datastreams":
                streams = payload.parse(entities.read_datastreams).value
                found = [(known["station_id"], stream) for stream in streams]
            else:
                multi = payload.parse(entities.read_multi_datastreams).value
                found = [(known["station_id"], stream) for m in multi for stream in m.components()]
            unknown = tables.list_unknown_fields(body, payload.role)
            yield RawTable("datastream", tables.build_datastream_table(found), unknown_fields=unknown)


def _wanted(source: SensorThingsSource, root: str, session: FetchSession) -> entities.Capabilities:
    """What is asked for beside what every service has; one that says nothing of itself gets plain requests."""
    offered = entities.Capabilities()
    if "auto" in {source.data_array, source.multi_datastreams}:
        for address in (root, f"{root}/"):  # some services are found by one of them alone
            try:
                for answer in session.crawl([Request(address, role="root")]):
                    if answer.found:
                        offered = entities.read_capabilities(answer.body)
                        break
                else:
                    continue
            except (FetchError, ReadError):
                pass
            break
    return entities.Capabilities(
        data_arrays=_choice(source.data_array, offered=offered.data_arrays),
        multi_datastreams=_choice(source.multi_datastreams, offered=offered.multi_datastreams),
    )


def _choice(where: Where, *, offered: bool) -> bool:
    return where == "always" or (where == "auto" and offered)

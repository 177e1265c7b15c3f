"""OGC SensorThings API 1.1: things with their datastreams, and the observations of the window.

Next links are followed verbatim; the window is cut at fixed calendar days, so that an unchanged slice is one
conditional request.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import quote, urljoin
from zoneinfo import ZoneInfo

from pydantic import Field

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.template import expand
from civitas_assets.catalog.window import Duration
from civitas_assets.connectors import sensorthings_entities as entities
from civitas_assets.connectors.base import Answer, Payload, Request, Session
from civitas_assets.errors import FetchError, ReadError
from civitas_assets.records import RawTable

_OBSERVATION_FIELDS = "id,phenomenonTime,resultTime,result"


class SensorThingsSource(Source):
    """A SensorThings service; `url` is its root with the version, such as https://…/v1.1."""

    connector: Literal["sensorthings"]
    things_filter: str | None = Field(None, description="$filter for Things, as the server understands it.")
    datastreams_filter: str | None = Field(None, description="$filter for the Datastreams of each Thing.")
    slice: Duration = Field(
        "7 days", validate_default=True, description="Length of one request's time window."
    )
    page_size: int = Field(1000, ge=1, le=100_000, description="$top of each request for observations.")
    data_array: Literal["auto", "always", "never"] = Field(
        "auto",
        description="Whether to ask for the compact dataArray form; auto: where the server says it has it.",
    )

    def record_types(self) -> frozenset[str]:
        """Things are stations; datastreams and observations have the same names here and there."""
        return frozenset({"station", "datastream", "observation"})


class SensorThingsConnector:
    """Fetches and reads SensorThings 1.1."""

    name = "sensorthings"
    source_model: type[Source] = SensorThingsSource

    def fetch(self, source: SensorThingsSource, window: Window, zone: ZoneInfo, session: Session) -> None:
        """Things with their datastreams, and each datastream's slices of the window, in parallel."""
        slices = [_Slice(*part.span(zone)) for part in window.slices(max(source.slice.days, 1))]
        for expansion in expand(source.url, source.each, window):
            root = expansion.url.rstrip("/")
            compact = source.data_array == "always" or (
                source.data_array == "auto" and _offers_data_arrays(root, session)
            )
            crawl = _Crawl(source, root, slices, compact)
            for _ in session.crawl([crawl.things()], crawl.follow):
                pass

    def read(self, source: SensorThingsSource, payload: Payload) -> Iterator[RawTable]:
        """Stations and datastreams, or observations, by the role of the request."""
        if payload.role == "observations":
            yield RawTable(
                "observation", entities.observations(payload.body, payload.variables["datastream_id"])
            )
        elif payload.role == "things":
            things = entities.things(payload.body)
            yield RawTable("station", entities.station_table(things))
            yield RawTable(
                "datastream", entities.datastream_table((t.key, d) for t in things for d in t.datastreams)
            )
        elif payload.role == "datastreams":
            station = payload.variables["station_id"]
            found = entities.datastreams(payload.body)
            yield RawTable("datastream", entities.datastream_table((station, d) for d in found))


@dataclass(frozen=True)
class _Slice:
    """A part of the window as the half-open span of instants that its days are."""

    start: datetime
    end: datetime

    def meets(self, extent: str | None) -> bool:
        """Whether a datastream's declared extent touches the slice; one that is unreadable does."""
        if not extent:
            return True
        first, _, last = extent.partition("/")
        try:
            return (
                datetime.fromisoformat(first) < self.end
                and datetime.fromisoformat(last or first) >= self.start
            )
        except (ValueError, TypeError):
            return True


@dataclass(frozen=True)
class _Crawl:
    """The requests for one service, and where each answer leads."""

    source: SensorThingsSource
    root: str
    slices: Sequence[_Slice]
    compact: bool

    def things(self) -> Request:
        inner = "$expand=ObservedProperty,Sensor"
        if self.source.datastreams_filter:
            inner += f";$filter={_quoted(self.source.datastreams_filter)}"
        query = f"$expand=Locations,Datastreams({inner})&$top=100"
        if self.source.things_filter:
            query += f"&$filter={_quoted(self.source.things_filter)}"
        return Request(f"{self.root}/Things?{query}", role="things")

    def follow(self, answer: Answer) -> Iterator[Request]:
        request, body = answer.request, answer.content()
        link = entities.next_link(body)
        if link:
            yield Request(urljoin(request.url, link), role=request.role, variables=request.variables)
        if request.role == "things":
            for thing in entities.things(body):
                for datastream in thing.datastreams:
                    yield from self._observations(datastream)
                if thing.more_datastreams:
                    yield Request(
                        urljoin(request.url, thing.more_datastreams),
                        role="datastreams",
                        variables={"station_id": thing.key},
                    )
        elif request.role == "datastreams":
            for datastream in entities.datastreams(body):
                yield from self._observations(datastream)

    def _observations(self, datastream: entities.Datastream) -> Iterator[Request]:
        for part in self.slices:
            if part.meets(datastream.phenomenon_time):
                start, end = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (part.start, part.end))
                within = _quoted(f"phenomenonTime ge {start} and phenomenonTime lt {end}")
                yield Request(
                    f"{self.root}/Datastreams({_literal(datastream.id)})/Observations?$filter={within}"
                    f"&$orderby={_quoted('phenomenonTime asc,id asc')}&$top={self.source.page_size}"
                    f"&$select={_OBSERVATION_FIELDS}" + ("&$resultFormat=dataArray" if self.compact else ""),
                    role="observations",
                    variables={"datastream_id": datastream.key},
                )


def _offers_data_arrays(root: str, session: Session) -> bool:
    """What the service says about itself; one that says nothing gets plain requests."""
    try:
        return any(
            entities.declares_data_arrays(answer.content())
            for answer in session.crawl([Request(root, role="root")])
        )
    except (FetchError, ReadError):
        return False


def _literal(key: int | str) -> str:
    return str(key) if isinstance(key, int) else quote("'" + key.replace("'", "''") + "'", safe="'")


def _quoted(text: str) -> str:
    return quote(text, safe="',()/:")

"""What a SensorThings source says, the requests that follow from it, and where each answer leads.

What the answers hold is decoded in `sensorthings_entities.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar, Literal
from urllib.parse import quote

from pydantic import Field

from civitas_assets.catalog.window import Duration
from civitas_assets.connectors.base import Payload, Request
from civitas_assets.connectors.pagination.links import LinkedSource, read_page_size, resize_page, resolve_link
from civitas_assets.connectors.pagination.pagination import TRIES, Completeness
from civitas_assets.connectors.sensorthings import sensorthings_entities as entities
from civitas_assets.connectors.sensorthings.sensorthings_observations import read_row_ids
from civitas_assets.errors import ReadError

_THINGS = 100  # of one page
_SKIP = re.compile(r"&\$skip=\d+")
_OBSERVATION_FIELDS = "id,phenomenonTime,resultTime,result,resultQuality"


Where = Literal["auto", "always", "never"]


class SensorThingsSource(LinkedSource):
    """A SensorThings service; `url` is its root with the version, such as https://…/v1.1."""

    connector: Literal["sensorthings"]
    takes_days: ClassVar[bool] = True
    lists: ClassVar[frozenset[str]] = frozenset({"station"})
    things_filter: str | None = Field(None, description="$filter for Things, as the server understands it.")
    datastreams_filter: str | None = Field(None, description="$filter for the Datastreams of each Thing.")
    multi_datastreams: Where = Field(
        "auto", description="Whether to ask for MultiDatastreams; auto: where the server's root lists them."
    )
    multi_datastreams_filter: str | None = Field(
        None, description="$filter for the MultiDatastreams of each Thing."
    )
    slice: Duration = Field(
        "7 days",
        validate_default=True,
        description="Most days of one request's time window. A window that is shorter is one request.",
    )
    straddling: bool = Field(
        default=False,
        description="Whether observed intervals may begin in one slice and end in the next, as days of UTC do.",
    )
    page_size: int = Field(1000, ge=1, le=100_000, description="$top of each request for observations.")
    order_by: Literal["phenomenonTime", "resultTime", "id"] = Field(
        "phenomenonTime",
        description="What the pages of observations are ordered by: some services cannot order by phenomenonTime.",
    )
    data_array: Where = Field(
        "auto",
        description="Whether to ask for the compact dataArray form; auto: where the server says it has it.",
    )
    declared_extent: Literal["ignored", "trusted"] = Field(
        "ignored",
        description="Whether datastreams are asked for whose declared phenomenonTime is outside the window; "
        "trusted leaves them out, and says so.",
    )
    count: Literal["exact", "estimated"] = Field(
        "exact",
        description="Whether an @iot.count is to be reached; estimates are not held against the pages.",
    )

    @property
    def order(self) -> str:
        """The $orderby of observations, without ties."""
        return "id asc" if self.order_by == "id" else f"{self.order_by} asc,id asc"

    def record_types(self) -> frozenset[str]:
        """Things are stations; datastreams and observations have the same names here and there."""
        return frozenset({"station", "datastream", "observation"})


@dataclass(frozen=True)
class Slice:
    """A part of the window as the half-open span of instants that its days are."""

    start: datetime
    end: datetime

    def meets(self, extent: object) -> bool:
        """Whether a datastream's declared extent touches the slice; one that is unreadable does."""
        if not extent or not isinstance(extent, str):
            return True
        first, _, last = extent.partition("/")
        try:
            return (
                datetime.fromisoformat(first) < self.end
                and datetime.fromisoformat(last or first) >= self.start
            )
        except (ValueError, TypeError):
            return True

    def filter(self, *, straddling: bool) -> str:
        """The $filter for what begins in the slice.

        An interval is `lt` a moment when it is over by then, so that one across two slices is in neither; it is
        `ge` the moment when it begins then or later. Services understand the first form more often.
        """
        start, end = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (self.start, self.end))
        before = f"not (phenomenonTime ge {end})" if straddling else f"phenomenonTime lt {end}"
        return f"phenomenonTime ge {start} and {before}"


@dataclass
class _Pages(Completeness):
    """The pages of one question; a service that counts from a later page on is not held to that."""

    counts: bool = True


@dataclass(frozen=True)
class SensorThingsCrawl:
    """The way through one service; `offers` is what it is asked for beside what all services have.

    `streams` and `unasked` are the datastreams that were found, and those of them that are not asked for; `torn` are
    the questions of which entities went whenever their pages were read.
    """

    source: SensorThingsSource
    root: str
    slices: Sequence[Slice]
    offers: entities.Capabilities
    streams: set[str] = field(default_factory=set)
    unasked: set[str] = field(default_factory=set)
    torn: list[str] = field(default_factory=list)
    # Of pages yet to come: what came on those before.
    _before: dict[str, _Pages] = field(default_factory=dict)

    def things(self) -> Request:
        """The first request."""
        expand = ["Locations", _expanded("Datastreams", "ObservedProperty", self.source.datastreams_filter)]
        if self.offers.multi_datastreams:
            wanted = self.source.multi_datastreams_filter
            expand.append(_expanded("MultiDatastreams", "ObservedProperties", wanted))
        query = f"$expand={','.join(expand)}&$top={_THINGS}"
        if self.source.things_filter:
            query += f"&$filter={_quoted(self.source.things_filter)}"
        return Request(f"{self.root}/Things?{query}", role="things")

    def follow(self, answer: Payload) -> Iterator[Request]:
        """The next page, and what the things and datastreams of this one lead to.

        Raises:
            ReadError: after all of these, if the pages together hold less than the service counts.
        """
        request, fault = answer.request, None
        try:
            page = answer.parse(entities.READERS.get(request.role, read_row_ids))
        except ReadError as error:  # an entity may be at fault, and the page still lead on
            page, fault = answer.parse(read_row_ids), error
        ids = page.ids
        pages = self._before.pop(request.url, None) or _Pages(request.url, counts=isinstance(page.total, int))
        is_torn = pages.is_torn(ids)
        following = None
        if is_torn:
            yield from self._again(request, pages)
        elif page.next:
            pages.add(ids, self._total(pages, page.total))
            following = self._linked(request, page.next, request.role, request.variables)
            if read_page_size(pages.what) is not None:
                following = replace(following, url=pages.lead_on(following.url))
            self._before[following.url] = pages
            yield following
        if fault is not None:
            raise fault
        for entity in page.value if request.role in entities.READERS else ():
            is_thing = request.role == "things"
            yield from self._of_thing(request, entity) if is_thing else self._observations(entity)
        if not is_torn and following is None:
            yield from self._end(request, pages, pages.add(ids, self._total(pages, page.total)))

    def _of_thing(self, request: Request, thing: entities.Thing) -> Iterator[Request]:
        for datastream in thing.datastreams:
            yield from self._observations(datastream)
        for multi in thing.multi_datastreams:
            yield from self._observations(multi)
        for link, role, inside in (
            (thing.more_datastreams, "datastreams", thing.datastreams),
            (thing.more_multi_datastreams, "multi_datastreams", thing.multi_datastreams),
        ):
            if link:
                more = self._linked(request, link, role, {"station_id": thing.key})
                known = self._before[more.url] = _Pages(more.url)
                known.add(stream.id for stream in inside)
                yield more

    def _observations(self, stream: entities.Datastream | entities.MultiDatastream) -> Iterator[Request]:
        entity_set, role, variables = "Datastreams", "observations", {"datastream_id": stream.key}
        if isinstance(stream, entities.MultiDatastream):
            entity_set, role = "MultiDatastreams", "multi_observations"
            variables["components"] = str(stream.size)
        if _name(stream) in self.streams:
            return  # of a Thing that a second page has as well
        address = f"{self.root}/{entity_set}({_literal(stream.id)})/Observations"
        compact = "&$resultFormat=dataArray" if self.offers.data_arrays else ""
        for part in self._slices(stream):
            within = _quoted(part.filter(straddling=self.source.straddling))
            yield Request(
                f"{address}?$filter={within}&$orderby={_quoted(self.source.order)}"
                f"&$top={self.source.page_size}&$select={_OBSERVATION_FIELDS}{compact}",
                role=role,
                variables=variables,
            )

    def _slices(self, stream: entities.Datastream | entities.MultiDatastream) -> Sequence[Slice]:
        """Those of one datastream: what it declares may be old or wrong, and only saves requests.

        One that says that it has nothing in the window is asked for all of it at once.
        """
        key = _name(stream)
        self.streams.add(key)
        met = [part for part in self.slices if part.meets(stream.phenomenon_time)]
        if self.source.declared_extent == "trusted":
            if not met:
                self.unasked.add(key)
            return met
        if met or not self.slices:
            return self.slices
        return [Slice(self.slices[0].start, self.slices[-1].end)]

    def _linked(self, request: Request, link: str, role: str, variables: Mapping[str, str]) -> Request:
        """Where a link leads: as it is written, but for the root that the service wrongly believes to have."""
        url = resolve_link(request.url, link, self.source.advertised_url, self.root)
        return Request(url, role=role, variables=variables)

    def _again(self, request: Request, pages: _Pages) -> Iterator[Request]:
        """The question once more: something has gone while its pages were read, so that others may be in none."""
        attempts = pages.attempts + 1
        if attempts > TRIES:
            self.torn.append(pages.what)
        url = resize_page(pages.what, attempts)
        self._before[url] = _Pages(pages.what, attempts=attempts, counts=pages.counts)
        yield replace(request, url=url)

    def _total(self, pages: _Pages, named: int | str | None) -> int | None:
        """The total that pages are held against, if the service names one, asked or not."""
        pages.counts = pages.counts and self.source.count == "exact"
        return named if isinstance(named, int) and pages.counts else None

    def _end(self, request: Request, pages: _Pages, new: int) -> Iterator[Request]:
        """Hold the pages of one question against the total that the service names.

        Without total and next link, what comes after a page that may be cut is asked for.
        """
        if pages.total is not None:
            if pages.received < pages.total:
                raise ReadError(
                    f"is the last of pages with {pages.received} entities{pages.twice}, but the service counts "
                    f"{pages.total}: fetch again, or set count: estimated if it only estimates"
                )
        elif new and self._is_open(request, pages):
            following = _skipping(request, pages.received)
            following = replace(following, url=pages.lead_on(following.url))
            self._before[following.url] = pages
            yield following

    def _is_open(self, request: Request, pages: Completeness) -> bool:
        """Whether more may come although nothing leads there."""
        asked = read_page_size(request.url)
        return asked is not None and pages.can_be_cut(asked)


def _name(stream: entities.Datastream | entities.MultiDatastream) -> str:
    return f"{type(stream).__name__} {stream.key}"


def _skipping(request: Request, rows: int) -> Request:
    """The same question without what came before."""
    address = _SKIP.sub("", request.url)
    return replace(request, url=f"{address}&$skip={rows}")


def _expanded(datastreams: str, properties: str, wanted: str | None) -> str:
    only = f";$filter={_quoted(wanted)}" if wanted else ""
    return f"{datastreams}($expand={properties},Sensor{only})"


def _literal(key: int | str) -> str:
    return str(key) if isinstance(key, int) else quote("'" + key.replace("'", "''") + "'", safe="'")


def _quoted(text: str) -> str:
    return quote(text, safe="',()/:")

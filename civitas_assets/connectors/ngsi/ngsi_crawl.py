"""What an NGSI source says, the requests for its entities page by page and for their histories, and where answers lead.

What the answers hold is read in `ngsi_ld.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import quote

from pydantic import Field, field_validator, model_validator

from civitas_assets.catalog import Source
from civitas_assets.catalog.window import Duration
from civitas_assets.connectors.base import FetchSession, Payload, Request
from civitas_assets.connectors.ngsi import ngsi_entities as ngsi
from civitas_assets.connectors.ngsi import ngsi_mobility as mobility
from civitas_assets.connectors.ngsi import ngsi_temporal as temporal
from civitas_assets.connectors.pagination.links import resize_page
from civitas_assets.connectors.pagination.pagination import (
    TRIES,
    Completeness,
    note_torn_collection,
    parse_next_link,
)
from civitas_assets.errors import ReadError

_CONTEXT = '<{url}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
_TOTALS = ("ngsild-results-count", "fiware-total-count")


@lru_cache(4096)
def find_record_types(type_: str) -> tuple[str, ...]:
    """The record types of an entity type, the one with values last."""
    model = next((model for model in mobility.MODELS if type_ in model.kinds), None)
    return ("station", "datastream", "observation") if model is None else (model.thing, model.state)


def list_type_terms(type_: str) -> list[str]:
    """The types that are asked for, without their namespaces; a broker may be asked for one or another at once."""
    return ngsi.list_types({"type": re.split(r"[,;|()]", type_)})


class NgsiLdSource(Source):
    """A context broker; `url` is the root of its interface, such as https://…/ngsi-ld/v1 or https://…/v2."""

    connector: Literal["ngsi_ld"]
    types: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        min_length=1, description="Entity types, such as AirQualityObserved."
    )
    api: Literal["ld", "v2"] = Field("ld", description="ld: NGSI-LD. v2: NGSI-v2.")
    broker_tenant: str | None = Field(
        None, description="Tenant of the broker: header NGSILD-Tenant, or Fiware-Service with api: v2."
    )
    service_path: str | None = Field(None, description="Header Fiware-ServicePath, with api: v2.")
    context: str | None = Field(None, description="Address of the JSON-LD context that names the types.")
    page_size: int = Field(100, ge=1, le=1000, description="Entities per request; brokers allow up to 1000.")
    history: bool = Field(
        False, description="Whether values come from the temporal interface, for all times of the window."
    )
    slice: Duration = Field(
        "7 days",
        validate_default=True,
        description="Most days of one history request's time window. A window that is shorter is one request.",
    )
    skip: tuple[str, ...] = Field((), description="Attributes that are known and not wanted.")
    language: str = Field(
        "de", description="Language of texts, where a broker has several; else its first one."
    )

    @property
    def asks_for_days(self) -> bool:
        """See `Source`."""
        return self.history or super().asks_for_days

    @field_validator("context")
    @classmethod
    def _is_address(cls, url: str | None) -> str | None:
        if url is not None and (not url.startswith(("http://", "https://")) or ">" in url):
            raise ValueError("must be the address of a JSON-LD context")
        return url

    @model_validator(mode="after")
    def _has_history(self) -> Self:
        if self.history and self.api == "v2":
            raise ValueError("history needs api: ld, since NGSI-v2 has no temporal interface")
        return self

    lists: ClassVar[frozenset[str]] = frozenset(
        {"parking_site", "sharing_station", "charge_point", "station"}
    )

    def record_types(self) -> frozenset[str]:
        """Parking, sharing and charging bring things and their status, all others stations with what they observe."""
        return frozenset(
            name
            for type_ in self.types
            for kind in list_type_terms(type_)
            for name in find_record_types(kind)
        )


@dataclass
class _Progress(Completeness):
    """How far the pages of one type have come."""

    linked: bool = False
    kept: set[str] = field(default_factory=set)  # of an attempt before, whose histories were asked for


class NgsiCrawl:
    """The requests for one source, and where each answer leads."""

    def __init__(
        self, source: NgsiLdSource, slices: Sequence[temporal.TemporalSpan], session: FetchSession
    ) -> None:
        self._source, self._slices, self._session = source, slices, session
        self._progress: dict[tuple[str, str], _Progress] = {}

    def page(self, root: str, kind: str, offset: int, query: str = "") -> Request:
        """A page of current entities; `query` is that of a broker's own link to it.

        After the first one it begins with the last entity that has come.
        """
        progress = self._progress.setdefault((root, kind), _Progress(f"{kind} of {root}"))
        count = "count=true" if self._source.api == "ld" else "options=count"
        asked = f"type={quote(kind, safe='')}&limit={self._source.page_size}&offset={offset}&{count}"
        url = progress.lead_on(f"{root}/entities?{query or resize_page('?' + asked, progress.attempts)[1:]}")
        return Request(
            url,
            role="entities",
            variables={"root": root, "type": kind, "offset": str(offset - progress.overlaps)},
            headers=self._headers(),
        )

    def _again(self, root: str, kind: str, before: _Progress) -> Request:
        """The first page once more: entities have gone while pages were read, so that others may be in none."""
        attempts = before.attempts + 1
        if attempts > TRIES:
            told = note_torn_collection(before.what)
            self._session.note(told.code, told.text)
        # What has gone is told then, and is no fault besides.
        self._progress[root, kind] = _Progress(
            before.what, attempts=attempts, is_anchored=attempts > TRIES, kept=before.kept | before.ids
        )
        return self.page(root, kind, 0)

    def follow(self, answer: Payload) -> Iterator[Request]:
        """The next page and the history of new entities; what is left of a history that came in part.

        What a broker warns of is noted: others that it asks in its turn may not have answered, or with old values.
        """
        asked = answer.request.variables
        root, kind = asked["root"], asked["type"]
        if warning := answer.headers.get("ngsild-warning", "").strip():
            self._session.note("broker_warns", f"the broker warns of what it gives of type {kind}: {warning}")
        if answer.request.role == "history":
            left = temporal.find_remaining_span(answer)
            if left is not None:
                yield self._of_entity(root, kind, asked["id"], left)
            return
        found, total = ngsi.decode_entities(answer.body), _total(answer.headers)
        progress, ids = self._progress[root, kind], [entity["id"] for entity in found]
        if progress.is_torn(ids):
            yield self._again(root, kind, progress)
            return
        before, overlaps = progress.ids | progress.kept, progress.overlaps
        if not progress.add(ids, total):
            if len(found) > overlaps:
                raise ReadError("holds only entities that were there before: the broker ignores offset")
            return
        offset, link = int(asked["offset"]) + len(found), _next(answer.headers)
        # A broker that counts no further than it gives names a total that is reached on a page that is full: of as many
        # entities as were asked for, or as its own ceiling may be.
        whole = total is not None and offset >= total and not progress.can_be_cut(self._source.page_size)
        if link or not (progress.linked or whole):
            yield self.page(root, kind, offset, link)
        progress.linked = bool(link)
        for key in sorted({entity["id"] for entity in found} - before):
            yield from (self._of_entity(root, kind, key, part) for part in self._slices)

    def check(self) -> None:
        """Whether every type came whole; one of which nothing came is noted.

        Entities come and go while pages are read, so that the smallest total that a page named is what must be there.

        Raises:
            FetchError: a broker gave fewer entities than it says that it has.
        """
        for progress in self._progress.values():
            if not progress.received and not progress.kept:
                advice = "check its spelling, and `context`, `broker_tenant` and `service_path`"
                self._session.note(
                    "no_entities", f"the broker gives no entity of type {progress.what}: {advice}"
                )
        for progress in self._progress.values():
            progress.check("fetch again, or lower page_size if it stays so")

    def _of_entity(self, root: str, kind: str, key: str, span: temporal.TemporalSpan) -> Request:
        return Request(
            f"{root}/temporal/entities?{span.query(kind, key)}",
            role="history",
            variables={"root": root, "type": kind, "id": key, **span.variables()},
            headers=self._headers(),
            partial=True,
        )

    def _headers(self) -> Mapping[str, str]:
        source, headers = self._source, {"Accept": "application/json"}
        if source.context:
            headers["Link"] = _CONTEXT.format(url=source.context)
        if source.broker_tenant:
            headers["NGSILD-Tenant" if source.api == "ld" else "Fiware-Service"] = source.broker_tenant
        if source.service_path:
            headers["Fiware-ServicePath"] = source.service_path
        return headers


def _total(headers: Mapping[str, str]) -> int | None:
    """How many entities the broker counts, where it says so."""
    given = next((headers[name].strip() for name in _TOTALS if name in headers), "")
    return int(given) if given.isascii() and given.isdigit() else None


def _next(headers: Mapping[str, str]) -> str:
    """The query of the broker's link to its next page: the rest of the link is often an address behind its gateway."""
    target = parse_next_link(headers.get("link", "")) or ""
    return target.partition("#")[0].partition("?")[2]

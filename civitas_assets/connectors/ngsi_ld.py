"""NGSI-LD and NGSI-v2 context brokers: the current entities of some types, page by page.

Entities of the Smart Data Models need no mapping. A broker keeps no history: every night adds what is current then.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.template import expand
from civitas_assets.connectors import ngsi_entities as entities
from civitas_assets.connectors.base import Answer, Payload, Request, Session
from civitas_assets.connectors.rows import table
from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable

_CONTEXT = '<{url}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'


class NgsiLdSource(Source):
    """A context broker; `url` is the root of its interface, such as https://…/ngsi-ld/v1 or https://…/v2."""

    connector: Literal["ngsi_ld"]
    types: tuple[str, ...] = Field(min_length=1, description="Entity types, such as AirQualityObserved.")
    api: Literal["ld", "v2"] = Field("ld", description="ld: NGSI-LD. v2: NGSI-v2.")
    broker_tenant: str | None = Field(
        None, description="Tenant of the broker: header NGSILD-Tenant, or Fiware-Service with api: v2."
    )
    service_path: str | None = Field(None, description="Header Fiware-ServicePath, with api: v2.")
    context: str | None = Field(None, description="Address of the JSON-LD context that names the types.")
    page_size: int = Field(100, ge=1, le=1000, description="Entities per request; brokers allow up to 1000.")
    skip: tuple[str, ...] = Field((), description="Attributes that are known and not wanted.")

    @field_validator("context")
    @classmethod
    def _is_address(cls, url: str | None) -> str | None:
        if url is not None and (not url.startswith(("http://", "https://")) or ">" in url):
            raise ValueError("must be the address of a JSON-LD context")
        return url

    def record_types(self) -> frozenset[str]:
        """Parking models bring sites and their status, all others stations with what they observe."""
        parking = {"parking_site", "parking_status"}
        observing = {"station", "datastream", "observation"}
        kinds = {name in entities.PARKING for name in self.types}
        return frozenset((parking if True in kinds else set()) | (observing if False in kinds else set()))


class NgsiLdConnector:
    """Fetches and reads entities."""

    name = "ngsi_ld"
    source_model: type[Source] = NgsiLdSource

    def fetch(self, source: NgsiLdSource, window: Window, zone: ZoneInfo, session: Session) -> None:
        """Every type's pages, until one is empty: a broker that gives fewer than asked for is not at its end."""
        first = [
            _page(source, expansion.url.rstrip("/"), kind, 0)
            for expansion in expand(source.url, source.each, window)
            for kind in source.types
        ]

        seen = set[tuple[str, str]]()

        def next_page(answer: Answer) -> Iterator[Request]:
            found, asked = entities.decode(answer.content()), answer.request.variables
            if found:
                start = asked["root"] + asked["type"], found[0]["id"]
                if start in seen:
                    raise ReadError("begins with an entity that was there before: the broker ignores offset")
                seen.add(start)
                yield _page(source, asked["root"], asked["type"], int(asked["offset"]) + len(found))

        for _ in session.crawl(first, next_page):
            pass

    def read(self, source: NgsiLdSource, payload: Payload) -> Iterator[RawTable]:
        """Sites and status of parking entities; stations, datastreams and observations of all others."""
        found = entities.decode(payload.body)
        parking = [entity for entity in found if entities.kind_of(entity) in entities.PARKING]
        observing = [entity for entity in found if entities.kind_of(entity) not in entities.PARKING]
        if parking or payload.variables.get("type") in entities.PARKING:
            yield table("parking_site", map(entities.site, parking), entities.SITE)
            status = [row for row in map(entities.status, parking) if row is not None]
            yield table("parking_status", status, entities.STATUS)
        if observing or payload.variables.get("type") not in entities.PARKING:
            measures = [entities.measures(entity, source.skip) for entity in observing]
            stations = {row["station_id"]: row for row in map(entities.station, observing)}
            streams = {row["datastream_id"]: row for rows in measures for row in rows}
            yield table("station", stations.values(), entities.STATION)
            yield table("datastream", streams.values(), entities.DATASTREAM)
            yield table("observation", (row for rows in measures for row in rows), entities.OBSERVATION)


def _page(source: NgsiLdSource, root: str, kind: str, offset: int) -> Request:
    headers = {"Accept": "application/json"}
    if source.context:
        headers["Link"] = _CONTEXT.format(url=source.context)
    if source.broker_tenant:
        headers["NGSILD-Tenant" if source.api == "ld" else "Fiware-Service"] = source.broker_tenant
    if source.service_path:
        headers["Fiware-ServicePath"] = source.service_path
    return Request(
        f"{root}/entities?type={quote(kind, safe='')}&limit={source.page_size}&offset={offset}",
        role="entities",
        variables={"root": root, "type": kind, "offset": str(offset)},
        headers=headers,
    )

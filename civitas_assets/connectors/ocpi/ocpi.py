"""Locations of an operator of charging points by OCPI: each EVSE as a charge point, and its status.

The list is followed by the header Link to its end, and held against the count of the header X-Total-Count; what a
location holds is read in `ocpi_locations.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import Field, model_validator

from civitas_assets.catalog import SecretRef, Source, Window
from civitas_assets.catalog.access import add_token_header
from civitas_assets.catalog.model import ADDRESS
from civitas_assets.connectors.base import FetchSession, Payload, Request
from civitas_assets.connectors.mapping.nearby import select_nearby
from civitas_assets.connectors.mapping.service_rows import build_raw_table
from civitas_assets.connectors.ocpi.ocpi_locations import (
    POINT_FIELDS,
    STATUS_FIELDS,
    build_point_rows,
    build_status_rows,
    decode_page,
    list_evses,
    list_locations,
    list_removed,
)
from civitas_assets.connectors.pagination.links import LinkedSource, resolve_link
from civitas_assets.connectors.pagination.pagination import Completeness, parse_next_link, parse_total
from civitas_assets.errors import FetchError, ReadError
from civitas_assets.records import Note, RawTable

_ADVICE = "fetch again; if it stays so, tell its operator"


class OcpiSource(LinkedSource):
    """Locations of an operator; `url` is the endpoint `locations` that its version details name for a sender."""

    connector: Literal["ocpi"]
    url: str = Field(pattern=ADDRESS, description="Address of the endpoint locations of the operator (CPO).")
    token: SecretRef | None = Field(
        None, description="The token that the operator has given, as a secret; it is sent in base64."
    )
    token_encoding: Literal["base64", "plain"] = Field(
        "base64", description="How the token is sent: base64, as OCPI 2.2 has it, or plain, as 2.1.1 has it."
    )

    lists_whole: ClassVar[frozenset[str]] = frozenset({"charge_point"})

    def record_types(self) -> frozenset[str]:
        """Charge points and their status."""
        return frozenset({"charge_point", "charge_point_status"})

    @model_validator(mode="before")
    @classmethod
    def _with_token(cls, said: Any) -> Any:
        """The header that carries the token."""
        encoding = said.get("token_encoding", "base64") if isinstance(said, Mapping) else ""
        return add_token_header(said, "Authorization", prefix="Token ", encoding=encoding)


class OcpiConnector:
    """Fetches and reads locations by OCPI."""

    name = "ocpi"
    source_model: type[Source] = OcpiSource

    def fetch(self, source: OcpiSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """The pages of the list, by the links that the server gives.

        Raises:
            FetchError: the list was not found, has come in part, or leads in a circle.
        """
        pages, asked = Completeness("locations"), {source.url}

        def further(answer: Payload) -> Iterator[Request]:
            locations, broken = list_locations(answer.parse(decode_page))
            names = [f"{each.country_code}*{each.party_id}/{each.id}" for each in locations]
            pages.add([*names, *[None] * len(broken)], parse_total(answer.headers))
            link = parse_next_link(answer.headers.get("link", ""))
            if link is None:
                return
            url = resolve_link(answer.url, link, source.advertised_url, source.url)
            if url in asked:
                raise ReadError(f"leads back to a page that was there already, {url}: {_ADVICE}")
            asked.add(url)
            yield replace(answer.request, url=url)

        for answer in session.crawl([Request(source.url, role="locations")], further):
            if not answer.found:
                raise FetchError(
                    f"{answer.url} was not found (404): url is the endpoint of the identifier locations in the "
                    "operator's version details"
                )
        pages.check(_ADVICE)

    def read(self, source: OcpiSource, payload: Payload) -> Iterator[RawTable]:
        """Charge points near the tenant, and the status of these, the last one of what was removed included."""
        page = payload.parse(decode_page)
        locations, broken = list_locations(page)
        shown = [location for location in locations if location.publish is not False]
        rows = [*build_point_rows(shown)]
        points = select_nearby(build_raw_table("charge_point", rows, POINT_FIELDS), source.box)
        hidden = len(locations) - len(shown)
        notes = (Note("unpublished", f"{hidden} location(s) are not to be published"),) if hidden else ()
        unreadable = [row for location in shown for row in list_evses(location)[1]]
        near = frozenset(points.frame["charge_point_id"].to_list())
        standing = points.frame.filter(~pl.col("charge_point_id").is_in(list_removed(shown)))
        yield replace(points, frame=standing, broken=(*broken, *unreadable), notes=notes)
        states = build_status_rows(shown, near, page.timestamp)
        yield build_raw_table("charge_point_status", states, STATUS_FIELDS)

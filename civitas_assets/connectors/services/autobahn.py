"""Roadworks, closures, warnings and charging stations on motorways, from the service of the Autobahn GmbH's app.

It is asked road by road; of the whole country's entries, those near the tenant's box are kept. What is in an entry is
read in `autobahn_items.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import Field

from civitas_assets.catalog import HttpPolicy, Source, Window
from civitas_assets.catalog.model import SnapshotShare
from civitas_assets.connectors.base import FetchSession, Payload, Request
from civitas_assets.connectors.fetching import fetch_all
from civitas_assets.connectors.mapping.nearby import select_nearby
from civitas_assets.connectors.services.autobahn_items import ServiceName, read_roads, read_service_table
from civitas_assets.connectors.services.service import Attribution, Root, ServiceLicence, Title
from civitas_assets.errors import FetchError
from civitas_assets.records import RawTable

_CHARGING = "electric_charging_station"
_ROADS = 120  # a little more than there are


class AutobahnSource(Source):
    """Motorways by their names, such as A43, or all of them."""

    connector: Literal["autobahn"]
    title: Title = "Verkehrsmeldungen der Autobahn GmbH"
    licence: ServiceLicence = "unknown"
    attribution: Attribution = "Die Autobahn GmbH des Bundes"
    url: Root = "https://verkehr.autobahn.de/o/autobahn"
    http: HttpPolicy = HttpPolicy(requests_per_second=4.0)  # four lists of each of a hundred roads
    roads: tuple[str, ...] = Field((), description="Names of motorways, such as A43; without, all are asked.")
    services: tuple[ServiceName, ...] = Field(
        ("roadworks", "closure", "warning", "electric_charging_station"),
        min_length=1,
        description="Which lists are read.",
    )
    snapshot_share: SnapshotShare = 0.0  # there may be none

    lists_whole: ClassVar[frozenset[str]] = frozenset({"event", "charge_point"})
    discovery_answers: ClassVar[int] = _ROADS

    def record_types(self) -> frozenset[str]:
        """Events, and charge points where their list is read."""
        return frozenset("charge_point" if service == _CHARGING else "event" for service in self.services)


class AutobahnConnector:
    """Fetches and reads the lists of the Autobahn GmbH."""

    name = "autobahn"
    source_model: type[Source] = AutobahnSource

    def fetch(self, source: AutobahnSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """The list of roads, and of each wanted one its lists; these have all that their details have."""
        root, absent = source.url.rstrip("/"), list[str]()

        def lists(answer: Payload) -> Iterator[Request]:
            if answer.request.role != "roads":
                return
            known = read_roads(answer.body)
            # A road that does not exist is answered with an empty list.
            absent.extend(road for road in source.roads if road not in known)
            for service in source.services:
                for road in known:
                    if not source.roads or road in source.roads:
                        yield Request(f"{root}/{quote(road, safe='')}/services/{service}", role=service)

        fetch_all(session, [Request(f"{root}/", role="roads")], lists)
        if absent:
            raise FetchError(
                f"the service has no road {', '.join(absent)}: correct roads, such as A43; "
                "what it has of the others is fetched"
            )

    def read(self, source: AutobahnSource, payload: Payload) -> Iterator[RawTable]:
        """The entries of one list that are near the tenant's box; the list of roads only leads to them."""
        if payload.role == "roads":
            read_roads(payload.body)
        else:
            yield select_nearby(read_service_table(payload.body, payload.role), source.box)

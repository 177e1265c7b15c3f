"""DATEX II: parking and situations of versions 2 and 3, and charging infrastructure of version 3.

Each publication is read in a module of its own. Table and status are usually two sources that share their ids: give
both the same `id_space`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from civitas_assets.catalog import Source, Window
from civitas_assets.connectors.base import FetchSession, Payload
from civitas_assets.connectors.datex2.datex2_charging import read_charging_tables
from civitas_assets.connectors.datex2.datex2_parking import read_parking_tables
from civitas_assets.connectors.datex2.datex2_situations import read_event_table
from civitas_assets.connectors.fetching import fetch_addresses
from civitas_assets.connectors.mapping.languages import Language
from civitas_assets.connectors.mapping.nearby import select_nearby
from civitas_assets.records import RawTable

_BROUGHT = {
    "parking": frozenset({"parking_site", "parking_status"}),
    "situations": frozenset({"event"}),
    "charging": frozenset({"charge_point", "charge_point_status"}),
}


class Datex2Source(Source):
    """One publication of DATEX II."""

    connector: Literal["datex2"]
    lists: ClassVar[frozenset[str]] = frozenset({"parking_site", "charge_point"})
    publication: Literal["parking", "situations", "charging"] = Field(
        "parking", description="What is published."
    )
    language: Language = Field(
        "de", description="Language of texts, where there are several; else the first one."
    )
    points: tuple[str, ...] = Field(
        (), description="Of charging: ids of sites, stations or points to read, or how they begin; else all."
    )

    def record_types(self) -> frozenset[str]:
        """Those of the publication, of which a table has some and a status others."""
        return _BROUGHT[self.publication]

    @model_validator(mode="after")
    def _points_are_of_charging(self) -> Self:
        if self.points and self.publication != "charging":
            raise ValueError("points has a meaning only with publication: charging")
        return self


class Datex2Connector:
    """Fetches and reads DATEX II."""

    name = "datex2"
    source_model: type[Source] = Datex2Source

    def fetch(self, source: Datex2Source, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """One request per address of the window."""
        fetch_addresses(source, window, session)

    def read(self, source: Datex2Source, payload: Payload) -> Iterator[RawTable]:
        """What the source declares; of whole countries what lies near the tenant."""
        if source.publication == "parking":
            yield from read_parking_tables(payload.body, source.language)
        elif source.publication == "situations":
            found = read_event_table(
                payload.body, source.language, source.zone, has_rule=source.time is not None
            )
            yield select_nearby(found, source.box)
        else:
            for found in read_charging_tables(payload.body, source.points, source.language):
                yield select_nearby(found, source.box)

"""What ready-made public services share: known address, licence and meaning; a tenant names stations, or nothing.

Each service is a connector of its own; they all bring stations, datastreams and observations.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import polars as pl
from pydantic import Field

from civitas_assets.catalog import Source
from civitas_assets.catalog.model import ADDRESS, Licence
from civitas_assets.catalog.municipalities import find_municipality, list_municipalities_within
from civitas_assets.connectors.base import FetchSession, Payload
from civitas_assets.connectors.mapping.paths import extract_columns, extract_records
from civitas_assets.connectors.mapping.record_sample import require_members
from civitas_assets.errors import FetchError, MunicipalityError
from civitas_assets.records import RawTable
from civitas_assets.records.raw import INTERVAL, RESULT

# A service brings its own values for what every source has to say.
Title = Annotated[str, Field(min_length=1, description="What the source is.")]
ServiceLicence = Annotated[Licence, Field(description="Licence of the data.")]
Attribution = Annotated[str | None, Field(description="Whom the licence asks to be named.")]
Root = Annotated[str, Field(pattern=ADDRESS, description="Root of the service.")]


class ServiceSource(Source):
    """A public service: everything has a default, and without stations it looks in the tenant's bounding box."""

    stations: tuple[str, ...] = Field((), description="Ids of stations; without, all in the tenant's bbox.")

    def record_types(self) -> frozenset[str]:
        """Stations with their datastreams and observations."""
        return frozenset({"station", "datastream", "observation"})

    @property
    def chooses_by_place(self) -> bool:
        """Whether positions tell which stations are wanted, so that the service has to have them."""
        return not self.stations and self.box is not None

    def wants(self, station: str, lon: float | None, lat: float | None) -> bool:
        """Whether the station is one of those that are named, or lies in the tenant's box."""
        if self.stations:
            return station in self.stations
        if self.box is None:
            return True
        west, south, east, north = self.box
        return lon is not None and lat is not None and west <= lon <= east and south <= lat <= north

    def expect(self, found: Iterable[str]) -> None:
        """Nothing, if the names of the stations that were found, in all their spellings, hold those that are named.

        Raises:
            FetchError: the service has no such station, or has it no more.
        """
        absent = sorted({*self.stations}.difference(found))
        if absent:
            raise FetchError(
                f"the service has no station {', '.join(absent)} at present: correct stations; "
                "what it has of the others is fetched"
            )


class MunicipalSource(Source):
    """A public service that is asked by municipality: those that are named, or whose middle is in the tenant's box."""

    municipalities: tuple[Annotated[str, Field(pattern=r"^\d{8}$")], ...] = Field(
        (), description="Official municipality keys; without, those of municipalities in the tenant's bbox."
    )

    def list_keys(self) -> tuple[str, ...] | None:
        """The official keys that are wanted; None for all."""
        if self.municipalities or self.box is None:
            return self.municipalities or None
        return tuple(town.ags for town in list_municipalities_within(self.box))

    def check_keys(self, session: FetchSession, what: str) -> tuple[str, ...]:
        """The official keys that are wanted, none for all; one that the project does not know is noted.

        Raises:
            FetchError: the box has no municipality `what`.
        """
        keys = self.list_keys()
        if keys == ():
            raise FetchError(
                f"no municipality has its middle in the bbox, {what}: name municipalities by their official keys"
            )
        for key in self.municipalities:
            try:
                find_municipality(key)
            except MunicipalityError as error:
                # The service may have a key longer, or sooner, than the list that comes with the project.
                session.note("unknown_municipality", f"municipalities: {error}")
        return keys or ()


def read_series_values(payload: Payload, time: str, value: str) -> RawTable:
    """The values of one series, whose datastream the request knew; `time` and `value` are paths in each of them.

    Raises:
        ReadError: none of them has one of the two, so that the service answers otherwise than it did.
    """
    records = extract_records(payload.body, "@")
    values = extract_columns(records, {INTERVAL: time, RESULT: value})
    if any(column.null_count() == values.height for column in values):
        require_members(records, (time, value), "the service")
    datastream = pl.lit(payload.variables["datastream_id"]).alias("datastream_id")
    return RawTable("observation", values.with_columns(datastream))

"""What ready-made public services share: known address, licence and meaning; a tenant names stations, or nothing.

Each service is a connector of its own; they all bring stations, datastreams and observations.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
import polars as pl
from pydantic import Field

from civitas_assets.catalog import Source
from civitas_assets.catalog.model import ADDRESS, Licence
from civitas_assets.errors import ReadError
from civitas_assets.records import RECORD_TYPES, Kind, RawTable

# A service brings its own values for what every source has to say.
Title = Annotated[str, Field(min_length=1, description="What the source is.")]
ServiceLicence = Annotated[Licence, Field(description="Licence of the data.")]
Attribution = Annotated[str | None, Field(description="Whom the licence asks to be named.")]
Root = Annotated[str, Field(pattern=ADDRESS, description="Root of the service.")]

STATION_RECORDS = frozenset({"station", "datastream", "observation"})


class ServiceSource(Source):
    """A public service: everything has a default, and without stations it looks in the tenant's bounding box."""

    stations: tuple[str, ...] = Field((), description="Ids of stations; without, all in the tenant's bbox.")

    def record_types(self) -> frozenset[str]:
        """Stations with their datastreams and observations."""
        return STATION_RECORDS

    def wants(self, station: str, lon: float | None, lat: float | None) -> bool:
        """Whether the station is one of those that are named, or lies in the tenant's box."""
        if self.stations:
            return station in self.stations
        if self.box is None:
            return True
        west, south, east, north = self.box
        return lon is not None and lat is not None and west <= lon <= east and south <= lat <= north


def decoded(body: bytes, kind: Any, service: str) -> Any:
    """The answer in the service's own types.

    Raises:
        ReadError: it is not what the service documents.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ReadError(f"is not what {service} answers: {error}") from None


def table(record_type: str, rows: Iterable[Mapping[str, object]], columns: Sequence[str]) -> RawTable:
    """Rows of things as a table; for the few rows of a catalogue, not for its values.

    Decimal numbers keep their type; all else is text, which the contract then types.
    """
    contract, found = RECORD_TYPES[record_type], list(rows)
    series = []
    for name in columns:
        values = [row.get(name) for row in found]
        if not name.startswith("@") and contract.column(name).kind is Kind.NUMBER:
            series.append(pl.Series(name, values, pl.Float64, strict=False))
        else:
            series.append(pl.Series(name, [None if v is None else str(v) for v in values], pl.String))
    return RawTable(record_type, pl.DataFrame(series))


def number(text: str | float | None) -> float | None:
    """A number that may be written as text; None where it is none."""
    try:
        value = math.nan if text is None else float(text)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None

"""hystreet: hourly counts of pedestrians in shopping streets by laser scanners, version 2 of the API with a token.

The service lists places without positions, so that a tenant names its stations and may say where they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import msgspec
import polars as pl
from pydantic import Field, model_validator

from civitas_assets.catalog import SecretRef, Source, TimeRule, Window
from civitas_assets.catalog.access import add_token_header, require_header
from civitas_assets.connectors.base import FetchSession, Payload, Request
from civitas_assets.connectors.fetching import fetch_all
from civitas_assets.connectors.mapping.paths import to_series
from civitas_assets.connectors.mapping.service_rows import build_raw_table, decode_answer, decode_each
from civitas_assets.connectors.services.service import Root, ServiceSource, Title
from civitas_assets.records import RawTable
from civitas_assets.records.raw import ROW, TIME

_SERVICE = "hystreet"
_SLICE_DAYS = 28
_HOUR = timedelta(hours=1)
_PERSON = "PERSON"

Position = tuple[Annotated[float, Field(ge=-180, le=180)], Annotated[float, Field(ge=-90, le=90)]]


class HystreetSource(ServiceSource):
    """Places by their number at hystreet, such as the 148 in the address of its page."""

    connector: Literal["hystreet"]
    takes_days: ClassVar[bool] = True
    title: Title = "Passantenfrequenzen von hystreet"
    url: Root = "https://api.hystreet.com/v2"
    stations: tuple[str, ...] = Field(min_length=1, description="Numbers of the places.")
    positions: Mapping[str, Position] = Field(
        {}, description="Where the places are, by number: [longitude, latitude]; the service does not say it."
    )
    token: SecretRef | None = Field(None, description="The account's API token, as a secret.")
    # Not tried, as a rule of a file is: a module that runs Polars when it is imported makes a process unfit for forks.
    time: TimeRule | None = TimeRule.model_construct(
        column="measured_at", zone="offset", stamp="interval_start", interval=_HOUR
    )

    @model_validator(mode="before")
    @classmethod
    def _with_token(cls, said: Any) -> Any:
        """The header that carries the token."""
        return add_token_header(said, "X-API-Token")

    @model_validator(mode="after")
    def _may_ask(self) -> HystreetSource:
        require_header(self.headers, "X-API-Token", "token")
        if unknown := sorted(self.positions.keys() - {*self.stations}):
            raise ValueError(f"positions has {unknown[0]}, which is none of stations")
        return self


class _City(msgspec.Struct):
    name: str | None = None


class _Location(msgspec.Struct):
    id: int | str
    name: str | None = None
    city: _City | str | None = None

    @property
    def label(self) -> str | None:
        city = self.city.name if isinstance(self.city, _City) else self.city
        return ", ".join(filter(None, (city, self.name))) or None


class _Described(msgspec.Struct):
    location: _Location


class _Count(msgspec.Struct):
    count: int | None = None
    object_type: str | None = None
    collection_type: str | None = None


class _Measurement(msgspec.Struct):
    measured_at: datetime
    total_count: int | None = None
    counts: list[_Count] | None = None

    @property
    def persons(self) -> int | None:
        """How many people there were: the total, unless it has others in it."""
        parts = self.counts or []
        if all(part.object_type in {_PERSON, None} for part in parts):
            return self.total_count
        counted = [part.count for part in parts if part.object_type == _PERSON and part.count is not None]
        return sum(counted) if counted else None

    @property
    def quality(self) -> str | None:
        """How it was come by, as in `measured`; of parts that differ, all of them."""
        kinds = {part.collection_type for part in self.counts or () if part.collection_type}
        return "/".join(sorted(kinds)) or None


class _Measured(msgspec.Struct):
    measurements: msgspec.Raw


class HystreetConnector:
    """Fetches and reads hystreet."""

    name = "hystreet"
    source_model: type[Source] = HystreetSource

    def fetch(self, source: HystreetSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """What each place is, and the slices of the window of its counts."""
        root, requests = source.url.rstrip("/"), list[Request]()
        for station in source.stations:
            place = f"{root}/locations/{quote(station, safe='')}"
            about = {"datastream_id": station}
            requests.append(Request(place, role="location", variables=about))
            for part in window.split(_SLICE_DAYS):
                start, end = part.to_instants(zone)
                # An hour that begins at the end is given, too, and belongs to the next slice.
                span = {"from": f"{start:%Y-%m-%dT%H:%M:%SZ}", "to": f"{end - _HOUR:%Y-%m-%dT%H:%M:%SZ}"}
                query = urlencode({**span, "resolution": "hour"}, safe=":")
                requests.append(Request(f"{place}/measurements?{query}", role="counts", variables=about))
        fetch_all(session, requests)

    def read(self, source: HystreetSource, payload: Payload) -> Iterator[RawTable]:
        """A place with its datastream, or the counts of one."""
        if payload.role == "counts":
            yield _read_counts(payload)
            return
        described: _Described = decode_answer(payload.body, _Described, _SERVICE)
        place = described.location
        lon, lat = source.positions.get(str(place.id), (None, None))
        station = {"station_id": place.id, "name": place.label, "lon": lon, "lat": lat, "operator": _SERVICE}
        counted = {
            "datastream_id": place.id, "station_id": place.id, "name": place.label,
            "observed_property": "traffic.pedestrian_count", "unit": "1", "interval_s": 3600,
        }  # fmt: skip
        yield build_raw_table("station", [station], [*station])
        yield build_raw_table("datastream", [counted], [*counted])


def _read_counts(payload: Payload) -> RawTable:
    """The hours that were over when the answer came: that of the moment has a part of its people only."""
    answer: _Measured = decode_answer(payload.body, _Measured, _SERVICE)
    found, broken = decode_each(bytes(answer.measurements), _Measurement, _SERVICE)
    hours = [hour for hour in found if _to_utc(hour.measured_at) + _HOUR <= payload.received_at]
    frame = pl.DataFrame([
        pl.Series("datastream_id", [payload.variables["datastream_id"]] * len(hours), pl.String),
        pl.Series(TIME, [_to_utc(hour.measured_at).isoformat() for hour in hours], pl.String),
        to_series("value", [hour.persons for hour in hours]),
        pl.Series("quality_native", [hour.quality for hour in hours], pl.String),
        pl.Series(ROW, range(1, len(hours) + 1), pl.Int64),
    ])  # fmt: skip
    return RawTable("observation", frame, broken=broken)


def _to_utc(at: datetime) -> datetime:
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)

"""PEGELONLINE: water levels, discharges and more of the federal waterways, from its REST service, version 2.

Values are raw and unchecked, as the service says; it keeps them for 31 days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec
import polars as pl

from civitas_assets.catalog import Source, Window
from civitas_assets.connectors.base import FetchSession, Payload, Request, read_clock
from civitas_assets.connectors.fetching import fetch_all
from civitas_assets.connectors.mapping.record_sample import require_members
from civitas_assets.connectors.mapping.service_rows import build_raw_table, decode_each
from civitas_assets.connectors.services.service import (
    Attribution,
    Root,
    ServiceLicence,
    ServiceSource,
    Title,
    read_series_values,
)
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow, RawTable

_SLICE_DAYS, _KEPT_DAYS = 5, 31
_NO_UNIT = {"", "-", "--"}
_RAW = "Rohdaten"  # what the service says of all its values


class PegelonlineSource(ServiceSource):
    """Gauges by their UUID, number or short name, or all in the tenant's box."""

    connector: Literal["pegelonline"]
    takes_days: ClassVar[bool] = True
    title: Title = "PEGELONLINE"
    licence: ServiceLicence = "dl-de/zero-2-0"
    attribution: Attribution = "Wasserstraßen- und Schifffahrtsverwaltung des Bundes"
    url: Root = "https://www.pegelonline.wsv.de/webservices/rest-api/v2"


class _Series(msgspec.Struct):
    shortname: str
    longname: str | None = None
    unit: str | None = None
    equidistance: int | None = None


class _Water(msgspec.Struct):
    longname: str | None = None


class _Gauge(msgspec.Struct):
    uuid: str
    number: str | None = None
    shortname: str | None = None
    longname: str | None = None
    agency: str | None = None
    km: float | None = None
    longitude: float | None = None
    latitude: float | None = None
    water: _Water | None = None
    timeseries: list[_Series] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """What a tenant may call it."""
        return self.uuid, self.number or "", self.shortname or ""

    def where(self) -> str | None:
        parts = [self.water and self.water.longname, None if self.km is None else f"km {self.km:g}"]
        return ", ".join(part for part in parts if part) or None


@dataclass(frozen=True)
class PegelonlineConnector:
    """Fetches and reads PEGELONLINE; its clock tells what the service no longer has."""

    clock: Callable[[], datetime] = read_clock
    name: ClassVar[str] = "pegelonline"
    source_model: ClassVar[type[Source]] = PegelonlineSource

    def fetch(self, source: PegelonlineSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """The catalogue of gauges, and the slices of the window of each of their timeseries."""
        root, found = source.url.rstrip("/"), set[str]()
        spans = [part.to_instants(zone) for part in window.split(_SLICE_DAYS)]

        def measurements(answer: Payload) -> Iterator[Request]:
            if answer.request.role != "stations":
                return
            for gauge in _wanted(source, answer.body)[0]:
                found.update(gauge.names)
                for series in gauge.timeseries or ():
                    address = (
                        f"{root}/stations/{gauge.uuid}/{quote(series.shortname, safe='')}/measurements.json"
                    )
                    for start, end in spans:
                        times = f"start={start:%Y-%m-%dT%H:%M:%SZ}&end={end:%Y-%m-%dT%H:%M:%SZ}"
                        variables = {"datastream_id": _key(gauge, series)}
                        yield Request(f"{address}?{times}", role="measurements", variables=variables)

        gauges = Request(f"{root}/stations.json?includeTimeseries=true", role="stations")
        fetch_all(session, [gauges], measurements)
        kept = (self.clock() - timedelta(days=_KEPT_DAYS)).astimezone(zone).date()
        if window.first < kept:
            session.note(
                "older_than_kept",
                f"the service keeps {_KEPT_DAYS} days: of {window.first} until {kept} it answers nothing or a part",
            )
        source.expect(found)

    def read(self, source: PegelonlineSource, payload: Payload) -> Iterator[RawTable]:
        """Gauges and their timeseries, or the values of one timeseries."""
        if payload.role == "stations":
            gauges, broken = _wanted(source, payload.body)
            place = ("longitude", "latitude") if source.chooses_by_place else ()
            require_members(payload.body, ("timeseries", *place), "PEGELONLINE")
            known = [series for gauge in gauges for series in gauge.timeseries or ()]
            if known and all(series.unit is None for series in known):
                raise ReadError("is not what PEGELONLINE answers: no timeseries has a unit")
            stations = build_raw_table(
                "station",
                (
                    {
                        "station_id": gauge.uuid,
                        "name": gauge.longname or gauge.shortname,
                        "description": gauge.where(),
                        "lon": gauge.longitude,
                        "lat": gauge.latitude,
                        "operator": gauge.agency,
                    }
                    for gauge in gauges
                ),
                ("station_id", "name", "description", "lon", "lat", "operator"),
            )
            yield replace(stations, broken=broken)
            yield build_raw_table(
                "datastream",
                (
                    {
                        "datastream_id": _key(gauge, series),
                        "station_id": gauge.uuid,
                        "name": f"{series.longname or series.shortname} {gauge.longname or gauge.shortname}",
                        "observed_property": series.longname or series.shortname,
                        "unit": None if (series.unit or "") in _NO_UNIT else series.unit,
                        "interval_s": series.equidistance * 60 if series.equidistance else None,
                    }
                    for gauge in gauges
                    for series in gauge.timeseries or ()
                ),
                ("datastream_id", "station_id", "name", "observed_property", "unit", "interval_s"),
            )
        else:
            values = read_series_values(payload, "timestamp", "value")
            yield replace(values, frame=values.frame.with_columns(quality_native=pl.lit(_RAW)))


def _wanted(source: PegelonlineSource, body: bytes) -> tuple[list[_Gauge], tuple[BrokenRow, ...]]:
    gauges, broken = decode_each(body, _Gauge, "PEGELONLINE")
    wanted: list[_Gauge] = [
        gauge
        for gauge in gauges
        if any(source.wants(name, gauge.longitude, gauge.latitude) for name in gauge.names)
    ]
    return wanted, broken


def _key(gauge: _Gauge, series: _Series) -> str:
    return f"{gauge.uuid}/{series.shortname}"

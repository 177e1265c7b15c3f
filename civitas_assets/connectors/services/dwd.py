"""Observations of the German weather service (DWD), from the open data of its Climate Data Center.

Which products there are is in `dwd_products.py`, what their files hold in `dwd_archive.py`; here is what is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from civitas_assets.catalog import Source, TimeRule, Window
from civitas_assets.catalog.window import Duration
from civitas_assets.connectors.base import FetchSession, Payload, Request, read_clock
from civitas_assets.connectors.mapping.service_rows import build_raw_table
from civitas_assets.connectors.services.dwd_archive import TIME_FORMAT, read_measured_tables
from civitas_assets.connectors.services.dwd_products import (
    RESOLUTIONS,
    DwdStation,
    Product,
    Resolution,
    list_archives,
    read_station_list,
)
from civitas_assets.connectors.services.service import Attribution, Root, ServiceLicence, ServiceSource, Title
from civitas_assets.errors import FetchError
from civitas_assets.records import RawTable

_ROOT = "https://opendata.dwd.de/climate_environment/CDC/observations_germany/climate"
ProductName = Literal[
    "air_temperature", "precipitation", "solar", "wind", "extreme_wind", "dew_point", "sun", "cloudiness", "pressure",
    "visibility", "kl", "more_precip",
]  # fmt: skip
Period = Literal["now", "recent", "historical"]
_RECENT = timedelta(days=500)  # how far back the files of `recent` reach, from yesterday on


class DwdSource(ServiceSource):
    """Stations by their number, such as 01766, or all in the tenant's box."""

    connector: Literal["dwd"]
    takes_days: ClassVar[bool] = True
    title: Title = "Wetterbeobachtungen des Deutschen Wetterdienstes"
    licence: ServiceLicence = "CC-BY-4.0"
    attribution: Attribution = "Deutscher Wetterdienst"
    url: Root = f"{_ROOT}/10_minutes"
    resolution: Literal["10_minutes", "hourly", "daily"] = Field(
        "10_minutes", description="Length of the intervals: 10_minutes, hourly, daily."
    )
    products: tuple[ProductName, ...] = Field(
        (), description="Which groups of quantities are fetched; without, all of the resolution."
    )
    look_back: Duration = Field("1 day", validate_default=True, description="How far each night reads back.")
    not_found: Literal["fail", "skip"] = Field(
        "skip", description="Whether a station without a product's file is an error."
    )
    nulls: tuple[str, ...] = Field(
        ("-999", "-999.0", "-999.00", "-999.000"), description="Texts that mean 'no value'."
    )
    # Not tried, as a rule of a file is: a module that runs Polars when it is imported makes a process unfit for forks.
    time: TimeRule | None = TimeRule.model_construct(
        column="MESS_DATUM",
        zone="utc",
        format=TIME_FORMAT,
        stamp="interval_end",
        interval=timedelta(minutes=10),
    )

    @model_validator(mode="before")
    @classmethod
    def _with_address_and_time(cls, said: Any) -> Any:
        """The folder and the rule of time that go with a resolution; a day's values bring their own times."""
        resolution = said.get("resolution") if isinstance(said, Mapping) else None
        if resolution not in RESOLUTIONS or resolution == "10_minutes":
            return said
        settings: dict[str, Any] = {"url": f"{_ROOT}/{resolution}", **said}
        if resolution == "hourly":
            rule = {"column": "MESS_DATUM", "zone": "utc", "format": TIME_FORMAT, "stamp": "interval_end"}
            settings.setdefault("time", {**rule, "interval": "1 hour"})
        return settings

    @model_validator(mode="after")
    def _products_are_of_the_resolution(self) -> DwdSource:
        there = RESOLUTIONS[self.resolution].products
        if missing := [name for name in self.products if name not in there]:
            raise ValueError(
                f"{self.resolution} has no products {', '.join(missing)}, but {', '.join(there)}"
            )
        return self

    @property
    def files(self) -> Resolution:
        """The products of its resolution."""
        return RESOLUTIONS[self.resolution]

    @property
    def wanted_products(self) -> list[Product]:
        """Those that are named, or all."""
        return [self.files.products[name] for name in self.products or self.files.products]

    def select_wanted(self, stations: list[DwdStation], since: date | None) -> list[DwdStation]:
        """Those of the stations that the tenant wants, without those that ended before the day."""
        return [
            station
            for station in stations
            if any(self.wants(key, station.lon, station.lat) for key in (station.id, station.id.lstrip("0")))
            and (since is None or station.last is None or station.last >= since)
        ]


@dataclass(frozen=True)
class DwdConnector:
    """Fetches and reads observations of the weather service; its clock tells recent days from past years."""

    clock: Callable[[], datetime] = read_clock
    name: ClassVar[str] = "dwd"
    source_model: ClassVar[type[Source]] = DwdSource

    def fetch(self, source: DwdSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """The station lists of the products, and the files of the wanted stations for the periods of the window."""
        root, today = source.url.rstrip("/"), self.clock().astimezone(zone).date()
        known = set[str]()

        def lists() -> Iterator[Request]:
            for product in source.wanted_products:
                for period in _periods(window, today, has_now=source.files.has_now):
                    yield Request(
                        f"{root}/{product.folder}/{period}/{source.files.name_list(product, period)}",
                        role="stations",
                        variables={"product": product.folder, "period": period},
                    )

        def files(answer: Payload) -> Iterator[Request]:
            variables, folder = answer.request.variables, answer.request.url.rpartition("/")[0]
            if answer.request.role == "stations":
                stations, _ = read_station_list(answer.body)
                since = _since(variables["period"], today)
                ids = [station.id for station in source.select_wanted(stations, since)]
                known.update(*((station.id, station.id.lstrip("0")) for station in stations))
                if variables["period"] != "historical":
                    suffix = {"now": "now", "recent": "akt"}[variables["period"]]
                    kind = source.files.products[variables["product"]].file
                    for id_ in ids:
                        yield Request(
                            f"{folder}/{source.files.archive}_{kind}_{id_}_{suffix}.zip", role="values"
                        )
                elif ids:
                    yield Request(
                        f"{folder}/", role="index", variables={**variables, "stations": ",".join(ids)}
                    )
            elif answer.request.role == "index":
                ids = variables["stations"].split(",")
                for name, id_, first, last in list_archives(
                    answer.body, source.files, source.files.products[variables["product"]]
                ):
                    if id_ in ids and first <= window.last and last >= window.first:
                        yield Request(f"{folder}/{name}", role="values")

        found, missing = 0, list[str]()
        for answer in session.crawl(lists(), files):
            if answer.request.role == "values":
                found += answer.found
            elif not answer.found:
                missing.append(answer.request.url)
        if missing:
            raise FetchError(f"{missing[0]} was not found (404): check url, or fetch later")
        if not found:
            raise FetchError(
                f"no station with values from {window.first} to {window.last} "
                f"{'is among ' + ', '.join(source.stations) if source.stations else 'lies in the bbox'}: "
                "name stations near by, from the lists below url"
            )
        source.expect(known)

    def read(self, source: DwdSource, payload: Payload) -> Iterator[RawTable]:
        """Stations with their places, or the datastreams and values of a product's archive."""
        if payload.role == "stations":
            stations, broken = read_station_list(payload.body)
            since = _since(payload.variables.get("period", "now"), payload.received_at.date())
            rows = (
                {
                    "station_id": station.id,
                    "name": station.name,
                    "lon": station.lon,
                    "lat": station.lat,
                    "elevation_m": station.elevation_m,
                }
                for station in source.select_wanted(stations, since)
            )
            columns = ("station_id", "name", "lon", "lat", "elevation_m")
            yield replace(build_raw_table("station", rows, columns), broken=broken)
        elif payload.role == "index":
            # It only leads to files; what it must have is what fetching them needed.
            product = payload.variables.get("product", next(iter(source.files.products)))
            list_archives(payload.body, source.files, source.files.products[product])
        else:
            yield from read_measured_tables(payload.body, source.files, source.nulls, source.http.max_bytes)


def _periods(window: Window, today: date, *, has_now: bool) -> Iterator[Period]:
    """The folders whose files hold the days of the window: few for the last two days, more for longer ago."""
    yesterday = today - timedelta(days=1)
    if has_now and window.last >= yesterday:
        yield "now"
    if (window.first < yesterday or not has_now) and window.last >= today - _RECENT:
        yield "recent"
    if window.first < today - _RECENT:
        yield "historical"


def _since(period: str, today: date) -> date | None:
    """The day that a station must have measured on or after, to have a file in the folder."""
    return None if period == "historical" else today - _RECENT

"""Point forecasts of the German weather service (DWD), MOSMIX: the newest one of each wanted station, as KMZ.

Forecasts are no observations, and become records of their own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, NamedTuple
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from pydantic import Field

from civitas_assets.catalog import Source, Window
from civitas_assets.connectors.base import FetchSession, Payload, Request
from civitas_assets.connectors.content.archive import unzip_members
from civitas_assets.connectors.content.trusted_xml import XML_FAULTS, parse_xml
from civitas_assets.connectors.mapping.service_rows import build_column_table, parse_number
from civitas_assets.connectors.services.service import Attribution, Root, ServiceLicence, Title
from civitas_assets.errors import FetchError, ReadError
from civitas_assets.records import BrokenRow, RawTable

StationId = Annotated[str, Field(pattern=r"^[0-9A-Z]{4,5}$")]


class ForecastElement(NamedTuple):
    """A quantity of the forecast: its column, and how its number becomes the column's unit."""

    column: str
    factor: float = 1.0
    shift: float = 0.0


# Names and units are those of the service's MetElementDefinition.
_ELEMENTS: Mapping[str, ForecastElement] = {
    "TTT": ForecastElement("temperature_cel", shift=-273.15),
    "Td": ForecastElement("dew_point_cel", shift=-273.15),
    "PPPP": ForecastElement("pressure_msl_hpa", 0.01),
    "RR1c": ForecastElement("precipitation_mm"),
    "R101": ForecastElement("precipitation_probability_percent"),
    "FF": ForecastElement("wind_speed_m_s"),
    "FX1": ForecastElement("gust_speed_m_s"),
    "DD": ForecastElement("wind_direction_deg"),
    "N": ForecastElement("cloud_cover_percent"),
    "SunD1": ForecastElement("sunshine_duration_min", 1 / 60),
    "Rad1h": ForecastElement("global_radiation_w_m2", 1 / 3.6),  # kJ/m² of an hour
    "VV": ForecastElement("visibility_m"),
    "ww": ForecastElement("weather_code"),
}
_CODE = "ww"
_MISSING = "-"
_DIGITS = 2


class DwdMosmixSource(Source):
    """Stations by their ids in the service's catalogue of MOSMIX, which are not those of its observations."""

    connector: Literal["dwd_mosmix"]
    title: Title = "Punktvorhersagen des Deutschen Wetterdienstes (MOSMIX)"
    licence: ServiceLicence = "CC-BY-4.0"
    attribution: Attribution = "Deutscher Wetterdienst"
    url: Root = "https://opendata.dwd.de/weather/local_forecasts/mos/MOSMIX_L/single_stations"
    stations: tuple[StationId, ...] = Field(
        min_length=1, description="Ids of stations in the catalogue of MOSMIX, such as 10315."
    )

    def record_types(self) -> frozenset[str]:
        """Forecasts."""
        return frozenset({"weather_forecast"})


class DwdMosmixConnector:
    """Fetches and reads point forecasts."""

    name = "dwd_mosmix"
    source_model: type[Source] = DwdMosmixSource

    def fetch(self, source: DwdMosmixSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """The newest forecast of each station.

        Raises:
            FetchError: a station has none.
        """
        root = source.url.rstrip("/")
        requests = [
            Request(f"{root}/{key}/kml/MOSMIX_L_LATEST_{key}.kmz", role="forecast") for key in source.stations
        ]
        missing = [answer.url for answer in session.crawl(requests) if not answer.found]
        if missing:
            raise FetchError(f"{missing[0]} was not found (404): check stations, which are ids of MOSMIX")

    def read(self, source: DwdMosmixSource, payload: Payload) -> Iterator[RawTable]:
        """The forecast of a station, hour by hour."""
        members = [content for _, content in unzip_members(payload.body, "*.kml", source.http.max_bytes)]
        if len(members) != 1:
            raise ReadError(f"is an archive with {len(members)} files *.kml, not with one")
        try:
            root = parse_xml(members[0])
        except XML_FAULTS as error:
            raise ReadError(f"is no forecast of MOSMIX: {error}") from None
        yield _read_forecasts(root)


def _read_forecasts(root: Element) -> RawTable:
    """Elements by their names alone: the namespace of the service's extension has changed before.

    Raises:
        ReadError: there are no times that the forecast is for.
    """
    times = [(step.text or "").strip() for step in root.iterfind(".//{*}ForecastTimeSteps/{*}TimeStep")]
    issued = (root.findtext(".//{*}IssueTime") or "").strip() or None
    places = root.findall(".//{*}Placemark")
    if not times or not places:
        raise ReadError("is no forecast of MOSMIX: it has no time steps, or no place")
    names = [element.column for element in _ELEMENTS.values()]
    fixed = ("station_id", "name", "lon", "lat", "issued_at", "valid_at")
    columns: dict[str, list[object]] = {name: [] for name in (*fixed, *names)}
    broken = list[BrokenRow]()
    for number, place in enumerate(places, 1):
        key = (place.findtext("{*}name") or "").strip()
        lon, lat = _read_place(place)
        found = dict[str, list[object]]()
        for forecast in place.iterfind(".//{*}Forecast"):
            name = next((value for at, value in forecast.items() if at.endswith("elementName")), "")
            if name not in _ELEMENTS:
                continue
            cells = (forecast.findtext("{*}value") or "").split()
            if len(cells) != len(times):
                detail = f"{name} has {len(cells)} values for {len(times)} times"
                broken.append(BrokenRow(number, "wrong_number_of_values", detail, key, (key,)))
                continue
            found[_ELEMENTS[name].column] = [_convert(name, cell) for cell in cells]
        shown = [at for at in range(len(times)) if any(found[name][at] is not None for name in found)]
        for at in shown:
            row = (key, (place.findtext("{*}description") or "").strip() or None, lon, lat, issued, times[at])
            for name, value in zip(fixed, row, strict=True):
                columns[name].append(value)
            for name in names:
                columns[name].append(found[name][at] if name in found else None)
    table = build_column_table("weather_forecast", columns)
    return RawTable("weather_forecast", table.frame, broken=tuple(broken))


def _read_place(place: Element) -> tuple[float | None, float | None]:
    """Longitude and latitude; KML has the height behind them."""
    parts = [parse_number(part) for part in (place.findtext(".//{*}coordinates") or "").strip().split(",")]
    return (parts[0], parts[1]) if len(parts) >= 2 else (None, None)


def _convert(name: str, cell: str) -> object:
    """The number in the column's unit; what is no number stays, for the contract to reject."""
    number = None if cell == _MISSING else parse_number(cell)
    if number is None:
        return None if cell == _MISSING else cell
    if name == _CODE:
        return str(math.floor(number))
    element = _ELEMENTS[name]
    return round(number * element.factor + element.shift, _DIGITS)

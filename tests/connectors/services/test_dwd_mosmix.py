"""Point forecasts of the weather service: units, times and gaps. The forecast is synthetic, in the service's form."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from civitas_assets.catalog import Window
from civitas_assets.connectors.services.dwd_mosmix import DwdMosmixConnector, DwdMosmixSource
from civitas_assets.errors import FetchError, ReadError
from tests.connectors.conftest import MakeSession, ReadBody, ReadRecords, zipped

DAYS, BERLIN = Window(date(2026, 8, 1), date(2026, 8, 1)), ZoneInfo("Europe/Berlin")
ELEMENTS = {
    "PPPP": "101010.00 101000.00 -",
    "TTT": "293.15 292.65 -",
    "Td": "283.15 - -",
    "FF": "2.57 3.09 -",
    "DD": "240.00 250.00 -",
    "RR1c": "0.00 1.20 -",
    "R101": "5.00 60.00 -",
    "N": "88.00 100.00 -",
    "Rad1h": "1800.00 0.00 -",
    "SunD1": "2700.00 0.00 -",
    "VV": "25000.00 9000.00 -",
    "ww": "61.00 95.00 -",
    "Neff": "1 1 1",
}


def forecast(elements: dict[str, str] = ELEMENTS, space: str = "https://opendata.dwd.de/a.xsd") -> bytes:
    """A forecast of three hours for one place."""
    told = "".join(
        f'<dwd:Forecast dwd:elementName="{name}"><dwd:value>   {values}  </dwd:value></dwd:Forecast>'
        for name, values in elements.items()
    )
    text = (
        '<?xml version="1.0" encoding="ISO-8859-1" standalone="yes"?>'
        f'<kml:kml xmlns:dwd="{space}" xmlns:kml="http://www.opengis.net/kml/2.2"><kml:Document><kml:ExtendedData>'
        "<dwd:ProductDefinition><dwd:IssueTime>2026-08-01T03:00:00.000Z</dwd:IssueTime><dwd:ForecastTimeSteps>"
        "<dwd:TimeStep>2026-08-01T04:00:00.000Z</dwd:TimeStep><dwd:TimeStep>2026-08-01T05:00:00.000Z</dwd:TimeStep>"
        "<dwd:TimeStep>2026-08-01T06:00:00.000Z</dwd:TimeStep></dwd:ForecastTimeSteps></dwd:ProductDefinition>"
        "</kml:ExtendedData><kml:Placemark><kml:name>10315</kml:name><kml:description>MÜNSTER</kml:description>"
        f"<kml:ExtendedData>{told}</kml:ExtendedData>"
        "<kml:Point><kml:coordinates>7.70,52.13,48.0</kml:coordinates></kml:Point></kml:Placemark>"
        "</kml:Document></kml:kml>"
    )
    return zipped({"MOSMIX_L_2026080103_10315.kml": text.encode("latin-1")})


def mosmix(*stations: str) -> DwdMosmixSource:
    """A source as a tenant writes it."""
    return DwdMosmixSource.model_validate({"connector": "dwd_mosmix", "stations": stations or ("10315",)})


def test_the_newest_forecast_of_each_station_is_asked_for(session: MakeSession) -> None:
    fake = session(lambda request: None if "K2226" in request.url else b"x")
    with pytest.raises(FetchError, match=r"MOSMIX_L_LATEST_K2226\.kmz was not found"):
        DwdMosmixConnector().fetch(mosmix("10315", "K2226"), DAYS, BERLIN, fake)
    assert [request.url.removeprefix(mosmix().url) for request in fake.requests] == [
        f"/{key}/kml/MOSMIX_L_LATEST_{key}.kmz" for key in ("10315", "K2226")
    ]


def test_an_hour_is_a_forecast_in_units_that_people_use(records: ReadRecords) -> None:
    first, second = records(mosmix(), forecast(), "forecast")["weather_forecast"]
    assert first == {
        "station_id": "10315",
        "name": "MÜNSTER",
        "lon": 7.7,
        "lat": 52.13,
        "issued_at": datetime(2026, 8, 1, 3, tzinfo=UTC),
        "valid_at": datetime(2026, 8, 1, 4, tzinfo=UTC),
        "temperature_cel": 20.0,
        "dew_point_cel": 10.0,
        "pressure_msl_hpa": 1010.1,
        "precipitation_mm": 0.0,
        "precipitation_probability_percent": 5.0,
        "wind_speed_m_s": 2.57,
        "wind_direction_deg": 240.0,
        "cloud_cover_percent": 88.0,
        "sunshine_duration_min": 45.0,
        "global_radiation_w_m2": 500.0,
        "visibility_m": 25000.0,
        "weather_code": 61,
    }, "an hour without any value is no forecast"
    assert (second["temperature_cel"], second["precipitation_mm"]) == (19.5, 1.2)
    assert "dew_point_cel" not in second


def test_another_namespace_of_the_extension_changes_nothing(records: ReadRecords) -> None:
    assert records(mosmix(), forecast(space="urn:other"), "forecast") == records(
        mosmix(), forecast(), "forecast"
    )


def test_an_element_with_too_few_values_is_told_and_the_others_are_there(read: ReadBody) -> None:
    (table,) = read(mosmix(), forecast({**ELEMENTS, "TTT": "293.15"}), "forecast")
    assert table.frame["temperature_cel"].null_count() == table.frame.height == 2
    assert [(row.rule, row.detail) for row in table.broken] == [
        ("wrong_number_of_values", "TTT has 1 values for 3 times")
    ]


@pytest.mark.parametrize(
    "body", [zipped({}), zipped({"a.kml": b"<kml/>"}), zipped({"a.kml": b"<"}), b"x"], ids=range(4)
)
def test_what_is_no_forecast_is_refused(read: ReadBody, body: bytes) -> None:
    with pytest.raises(ReadError):
        read(mosmix(), body, "forecast")

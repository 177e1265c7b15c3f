"""Values come out in the unit that is asked for, by the same table by which they came in."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from civitas_assets.errors import ExportError
from civitas_assets.export.export_vocabulary import ExportVocabulary


@pytest.mark.parametrize(
    ("column", "unit", "value", "converted"),
    [
        ("weather_observed.temperature_cel", "K", 20.0, 293.15),
        ("weather_observed.relative_humidity_percent", "1", 57.3, 0.573),
        ("water_observed.conductivity_us_cm", "S/m", 431.7, 0.04317),
        ("weather_observed.precipitation_mm", "L/m2", 0.7, 0.7),
        ("traffic_flow_observed.average_vehicle_speed_km_h", "km/h", 43.1, 43.1),
    ],
)
def test_a_value_is_converted(
    vocabulary: ExportVocabulary, column: str, unit: str, value: float, converted: float
) -> None:
    sql = vocabulary.conversion_sql(f"{value}::double", vocabulary.find_property(*column.split(".")), unit)
    assert duckdb.sql(f"select {sql}").fetchall() == [(converted,)]


def test_a_unit_that_nothing_leads_to_is_an_error(vocabulary: ExportVocabulary) -> None:
    with pytest.raises(ExportError, match=r"nothing says how Cel becomes hPa for weather\.temperature"):
        vocabulary.conversion_sql("x", vocabulary.find_property("weather_observed", "temperature_cel"), "hPa")


def test_a_column_without_a_property_is_an_error(vocabulary: ExportVocabulary) -> None:
    with pytest.raises(ExportError, match="no observed property has the column colour of weather_observed"):
        vocabulary.find_property("weather_observed", "colour")


def test_seeds_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(
        ExportError, match=r"observed_properties\.csv cannot be read: No such file.*DBT_PROJECT_DIR"
    ):
        ExportVocabulary.read(tmp_path)

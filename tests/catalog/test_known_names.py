"""Names of properties, units and qualities that nobody knows are faults with a line and what may be meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from civitas_assets.catalog import load_catalog
from civitas_assets.catalog.known_names import check_names
from civitas_assets.catalog.spelling import normalise_spelling
from civitas_assets.catalog.vocabulary import read_vocabulary
from civitas_assets.connectors.registry import SOURCE_MODELS
from civitas_assets.errors import CatalogError, Fault, SettingsError
from civitas_assets.settings import PROJECT_DIR

VOCABULARY = read_vocabulary(PROJECT_DIR / "dbt_project")
TOWN = """\
name: Musterstadt
ags: "05515000"
bbox: [7, 51.8, 7.8, 52.1]
properties:
  Temp. Dach: weather.temperature
units:
  "Grad C": Cel
sources:
  roof:
    title: Dach
    connector: json
    licence: dl-de/by-2-0
    url: "https://data.example/{what}.json"
    each: {what: ["PM10", "Temp. Dach"]}
    record_type: observation
    fields: {datastream_id: id, value: v}
    time: {column: t, zone: utc}
    units: {"PM10": "µg/m³", "Temp. Dach": "Grad C"}
    constants: {observed_property: "{what}", quality_native: vorläufig}
  devices:
    title: Geräte
    connector: lorawan
    licence: proprietary
    url: "https://data.example/uplinks.json"
    profiles:
      LSE01:
        - {path: temp, observed_property: soil.temperature, unit: Cel}
        - {path: moist, observed_property: Bodenfeuchte, unit: "%"}
"""


def faults(tmp_path: Path, text: str) -> list[Fault]:
    (tmp_path / "muster.yaml").write_text(text, encoding="utf-8")
    try:
        check_names(load_catalog(tmp_path, SOURCE_MODELS), VOCABULARY, tmp_path)
    except CatalogError as error:
        return list(error.faults)
    return []


def test_codes_spellings_and_what_the_tenant_says_itself_are_known(tmp_path: Path) -> None:
    assert faults(tmp_path, TOWN) == []


ROOF, DEVICE = "sources.roof.constants", "sources.devices.profiles.LSE01"


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "meant"),
    [
        (": weather.temperature", ": weather.temprature", 5, "properties.Temp. Dach", "weather.temperature"),
        ('"Grad C": Cel', '"Grad C": Celcius', 7, "units.Grad C", "Cel"),
        ('"µg/m³"', '"µg/cm³"', 18, "sources.roof.units.PM10", "ug/m3"),
        ('"{what}"', "Feinstaup", 19, f"{ROOF}.observed_property", "air.pm"),
        ('["PM10"', '["PM 1O"', 19, f"{ROOF}.observed_property", "air.pm10"),
        ("quality_native: vorläufig", "quality_native: vorlaufig", 19, f"{ROOF}.quality_native", "provisional"),
        (": soil.temperature", ": soil.temperatur", 27, f"{DEVICE}.0.observed_property", "soil.temperature"),
        ('unit: "%"', "unit: Vol-proz", 28, f"{DEVICE}.1.unit", "units.csv"),
    ],
)  # fmt: skip
def test_an_unknown_name_is_found_wherever_it_is_written(  # noqa: PLR0917
    tmp_path: Path, old: str, new: str, line: int, field: str, meant: str
) -> None:
    (fault,) = faults(tmp_path, TOWN.replace(old, new))
    assert (fault.line, fault.field) == (line, field)
    assert meant in fault.message


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "allowed"),
    [
        ('"PM10": "µg/m³"', '"PM10": "°C"', 18, "sources.roof.units.PM10", "ug/m3, mg/m3, ng/m3"),
        ('"Temp. Dach": "Grad C"', '"Temp. Dach": "%"', 18, "sources.roof.units.Temp. Dach", "Cel, K, [degF]"),
        ("quality_native", "unit: Grad C, quality_native", 19, f"{ROOF}.unit", "ug/m3, mg/m3, ng/m3"),
        ('Bodenfeuchte, unit: "%"', "weather.wind_speed, unit: °C", 28, f"{DEVICE}.1.unit", "m/s, [kn_i], km/h"),
    ],
)  # fmt: skip
def test_a_unit_in_which_a_property_cannot_be_is_found(  # noqa: PLR0917
    tmp_path: Path, old: str, new: str, line: int, field: str, allowed: str
) -> None:
    (fault,) = faults(tmp_path, TOWN.replace(old, new))
    assert (fault.line, fault.field) == (line, field)
    assert fault.message.endswith(f"allowed: {allowed}")


def test_units_that_are_converted_are_as_good_as_the_canonical_one(tmp_path: Path) -> None:
    assert faults(tmp_path, TOWN.replace('"PM10": "µg/m³"', '"PM10": "mg/m³"')) == []
    assert faults(tmp_path, TOWN.replace('Bodenfeuchte, unit: "%"', 'Bodenfeuchte, unit: "1"')) == []


def test_a_reference_system_that_there_is_not_is_found(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, TOWN.replace("    units:", "    crs: EPSG:25382\n    units:"))
    assert (fault.field, "EPSG:25382" in fault.message) == ("sources.roof.crs", True)
    assert faults(tmp_path, TOWN.replace("    units:", "    crs: EPSG:25832\n    units:")) == []


def test_figures_of_statistics_keep_the_units_of_their_publisher(tmp_path: Path) -> None:
    text = TOWN.replace("record_type: observation", "record_type: statistic").replace(
        "fields: {datastream_id: id, value: v}", "fields: {indicator_id: id, value: v}"
    )
    constants = "constants: {area_id: a, category: c, unit: Einwohner je Arzt}"
    text = text.replace('constants: {observed_property: "{what}", quality_native: vorläufig}', constants)
    assert faults(tmp_path, text) == []


def test_likely_codes_come_first() -> None:
    assert VOCABULARY.suggest_codes("Lufttemparatur", "property")[0] == "weather.temperature"
    assert "weather.temperature" in VOCABULARY.suggest_codes("Lufttemperatur Dach Nord 2", "property")
    assert VOCABULARY.suggest_codes("µg/m3", "unit")[0] == "ug/m3"
    assert VOCABULARY.suggest_codes("Q7-x", "property") == []
    assert {"weather.temperature", "air.no2"} <= {*VOCABULARY.list_codes("property")}
    assert {"Cel", "%"} <= {*VOCABULARY.list_codes("unit")}


def test_case_spaces_and_umlauts_do_not_matter() -> None:
    assert normalise_spelling("Relative Luft\N{NO-BREAK SPACE}feuchte") == "relativeluftfeuchte"
    assert VOCABULARY.find_code("FAHRRAEDER", "property") == "traffic.bicycle_count"


def test_a_project_without_seeds_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="CIVITAS_DBT_PROJECT_DIR"):
        read_vocabulary(tmp_path)

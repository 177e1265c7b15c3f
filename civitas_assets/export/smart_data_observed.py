"""Wide models and single observations as entities of the Smart Data Models: one per station and time.

Names, units and conversions are those by which such entities are read: the seeds, and the connectors' table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from civitas_assets.connectors.ngsi.ngsi_models import MEASUREMENT, find_recommended_unit
from civitas_assets.export.entities import Attribute, AttributeKind, Entity, code_sql, point_sql, urn_sql
from civitas_assets.export.export_vocabulary import ExportVocabulary
from civitas_assets.export.selection import iso_sql

_START = "picked.phenomenon_start_at"
# Where a publisher writes an instant as a span without length, it is an instant.
_END = "nullif(picked.phenomenon_end_at, picked.phenomenon_start_at)"
# The time is part of the id, since a broker keeps one state of an entity, and each row is an observation of its own.
_TIME = f"':' || {iso_sql(_START)} || coalesce('-' || {iso_sql(_END)}, '')"


@dataclass(frozen=True)
class _Observed:
    """Columns of a wide model that become one type; entities of a type with a vehicle are told apart by it."""

    type: str
    subject: str
    model: str
    columns: Sequence[str]
    vehicle: str | None = None


_OBSERVED = (
    _Observed(
        "AirQualityObserved",
        "dataModel.Environment",
        "air_quality_observed",
        (
            *("no2_ug_m3", "no_ug_m3", "nox_ug_m3", "o3_ug_m3", "so2_ug_m3", "pm10_ug_m3", "pm2_5_ug_m3"),
            *("pm1_ug_m3", "co_mg_m3", "co2_ppm", "nh3_ug_m3", "c6h6_ug_m3"),
        ),
    ),
    _Observed(
        "WeatherObserved",
        "dataModel.Weather",
        "weather_observed",
        (
            *("temperature_cel", "relative_humidity_percent", "atmospheric_pressure_hpa", "precipitation_mm"),
            *("wind_speed_m_s", "gust_speed_m_s", "wind_direction_deg", "solar_radiation_w_m2"),
            *("dew_point_cel", "snow_height_cm", "uv_index", "illuminance_lx"),
        ),
    ),
    _Observed("WaterObserved", "dataModel.Environment", "water_observed", ("level_cm", "discharge_m3_s")),
    _Observed(
        "WaterQualityObserved",
        "dataModel.WaterQuality",
        "water_observed",
        (
            *("temperature_cel", "ph", "conductivity_us_cm", "dissolved_oxygen_mg_l", "turbidity_ntu"),
            "nitrate_mg_l",
        ),
    ),
    _Observed(
        "NoiseLevelObserved",
        "dataModel.Environment",
        "noise_level_observed",
        ("laeq_dba", "lamax_dba", "las_dba", "laeq_day_dba"),
    ),
    _Observed(
        "TrafficFlowObserved",
        "dataModel.Transportation",
        "traffic_flow_observed",
        ("vehicle_count", "average_vehicle_speed_km_h", "occupancy_percent"),
    ),
    _Observed(
        "TrafficFlowObserved",
        "dataModel.Transportation",
        "traffic_flow_observed",
        ("bicycle_count",),
        vehicle="bicycle",
    ),
    _Observed(
        "CrowdFlowObserved", "dataModel.Transportation", "traffic_flow_observed", ("pedestrian_count",)
    ),
)


def list_observed_entities(vocabulary: ExportVocabulary) -> Iterator[Entity]:
    """The entities of all models that observe."""
    for observed in _OBSERVED:
        vehicle = f" || ':{observed.vehicle}'" if observed.vehicle else ""
        values = tuple(_measured(observed, column, vocabulary) for column in observed.columns)
        kind = (
            (Attribute("vehicleType", AttributeKind.TEXT, f"'{observed.vehicle}'"),)
            if observed.vehicle
            else ()
        )
        yield Entity(
            observed.type,
            observed.subject,
            observed.model,
            f"picked.station_key{vehicle}",
            (*values, *kind, *_about(), Attribute("name", AttributeKind.TEXT, "thing.name")),
            "coalesce(" + ", ".join(value.value for value in values) + ") is not null",
            span=_TIME,
            at=_START,
        )
    yield _measurement(vocabulary)


def _measured(observed: _Observed, column: str, vocabulary: ExportVocabulary) -> Attribute:
    """A column as the model wants it: its own unit where UN/CEFACT has a code for the one that is recommended."""
    known = vocabulary.find_property(observed.model, column)
    name = known.attribute or column
    recommended = find_recommended_unit(observed.type, name)
    unit = recommended if recommended in vocabulary.unit_codes else known.unit
    value = vocabulary.conversion_sql(f"picked.{column}", known, unit or known.unit)
    return Attribute(name, AttributeKind.NUMBER, value, unit, at=_START)


def _about() -> tuple[Attribute, ...]:
    """When and where, by what, and how well."""
    return (
        Attribute("dateObserved", AttributeKind.MOMENT, _START),
        Attribute(
            "dateObservedFrom", AttributeKind.MOMENT, f"case when {_END} is not null then {_START} end"
        ),
        Attribute("dateObservedTo", AttributeKind.MOMENT, _END),
        Attribute("refDevice", AttributeKind.REFERENCE, urn_sql("Device", "picked.station_key")),
        Attribute("qualityCode", AttributeKind.TEXT, "picked.quality_code", at=_START),
        Attribute("location", AttributeKind.PLACE, point_sql("thing")),
    )


def _measurement(vocabulary: ExportVocabulary) -> Entity:
    """A single observation, whatever it is of; its unit is that of the row."""
    return Entity(
        MEASUREMENT,
        "dataModel.Device",
        "observation",
        "picked.datastream_key",
        (
            Attribute("controlledProperty", AttributeKind.TEXT, "picked.observed_property"),
            Attribute("numValue", AttributeKind.NUMBER, "picked.value", unit_of_row="picked.unit", at=_START),
            Attribute(
                "unit",
                AttributeKind.TEXT,
                f"coalesce({code_sql('picked.unit', vocabulary.unit_codes)}, picked.unit)",
            ),
            Attribute(
                "textValue",
                AttributeKind.TEXT,
                "if(picked.value is null, picked.value_text, null)",
                at=_START,
            ),
            Attribute("outlier", AttributeKind.TRUTH, "picked.quality_code = 'suspect'", at=_START),
            *_about(),
        ),
        "coalesce(picked.value::varchar, picked.value_text) is not null",
        span=_TIME,
        at=_START,
    )

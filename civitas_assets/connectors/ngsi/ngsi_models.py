"""The Smart Data Models' attributes that measure: what they are called here, and the unit that the models recommend.

Reading and writing entities share this table. What a property is, and which unit is its own, the seeds of the dbt
project say.
"""

from __future__ import annotations

# The model of a single value that names its property and its unit in attributes of its own.
MEASUREMENT = "DeviceMeasurement"
# Models whose attributes mean something else than their names do elsewhere: water is not as warm as the air.
OF_THEIR_OWN = frozenset(
    {
        "IndoorEnvironmentObserved",
        "TrafficFlowObserved",
        "WasteContainer",
        "WaterObserved",
        "WaterQualityObserved",
    }
)
# What the models recommend where an attribute carries no unit. Pollutants have no such unit: they need their unitCode.
UNITS = {
    "temperature": "Cel",
    "dewPoint": "Cel",
    "feelsLikeTemperature": "Cel",
    "relativeHumidity": "1",
    "atmosphericPressure": "hPa",
    "precipitation": "L/m2",
    "windSpeed": "m/s",
    "gustSpeed": "m/s",
    "windDirection": "deg",
    "solarRadiation": "W/m2",
    "illuminance": "lx",
    "snowHeight": "cm",
    "streamGauge": "cm",
    "uVIndexMax": "1",
    "LAeq": "dB[A]",
    "LAeq_d": "dB[A]",
    "LAmax": "dB[A]",
    "LAS": "dB[A]",
    "TrafficFlowObserved.averageVehicleSpeed": "km/h",
    "TrafficFlowObserved.intensity": "1",
    "TrafficFlowObserved.occupancy": "1",
    "WasteContainer.fillingLevel": "1",
    "WasteContainer.temperature": "Cel",
    "WaterObserved.waterLevel": "m",
    "WaterQualityObserved.Cl-": "mg/L",
    "WaterQualityObserved.NH4": "mg/L",
    "WaterQualityObserved.NO3": "mg/L",
    "WaterQualityObserved.O2": "mg/L",
    "WaterQualityObserved.bod": "mg/L",
    "WaterQualityObserved.cod": "mg/L",
    "WaterQualityObserved.conductivity": "S/m",
    "WaterQualityObserved.orp": "mV",
    "WaterQualityObserved.tds": "mg/L",
    "WaterQualityObserved.temperature": "Cel",
    "WaterQualityObserved.tss": "mg/L",
    "WaterQualityObserved.turbidity": "[NTU]",
}
# Names of attributes that hold numbers: those with a unit, pollutants, and what carries its unit always.
_NUMBERS = frozenset(
    {
        *(name.rpartition(".")[2] for name in UNITS),
        *("no2", "no", "nox", "o3", "so2", "pm10", "pm25", "pm1", "co", "co2", "c6h6", "nh3", "pH", "PO4", "NH3"),
        *("flow", "peopleCount", "numValue", "intensity", "occupancy"),
    }
)  # fmt: skip
_NUMBERS_ANYHOW = frozenset(name.lower() for name in _NUMBERS)
_NUMBER_TYPES = frozenset({"Number", "Integer", "Float", "Double", "number", "integer", "float", "double"})
# Names of the models, which lose a prefix that stands for a namespace.
KNOWN = _NUMBERS | {
    *("name", "description", "category", "status", "location", "address", "refDevice", "stationName", "stationCode"),
    *("dateObserved", "dateObservedFrom", "dateObservedTo", "observationDateTime", "dateModified"),
    *("allowedVehicleType", "totalSpotNumber", "availableSpotNumber", "occupiedSpotNumber", "maximumAllowedHeight"),
    *("occupancyModified", "openingHours", "operator", "network", "capacity", "availableCapacity", "socketType"),
    *("totalSlotNumber", "availableBikeNumber", "freeSlotNumber", "outOfServiceSlotNumber", "laneId", "vehicleType"),
    *("controlledProperty", "unit", "streetAddress", "postalCode", "addressLocality", "acceptedPaymentMethod"),
}  # fmt: skip


def is_numeric_attribute(attribute: str, type_: object) -> bool:
    """Whether an attribute is one of numbers, by its name or by the type that NGSI-v2 gives it."""
    return attribute.lower() in _NUMBERS_ANYHOW or (isinstance(type_, str) and type_ in _NUMBER_TYPES)


def qualify_attribute(kind: str, attribute: str) -> str:
    """The attribute as the seeds know it: with its model where it means something of its own there."""
    return f"{kind}.{attribute}" if kind in OF_THEIR_OWN else attribute


def find_recommended_unit(kind: str, attribute: str) -> str | None:
    """The unit, as UCUM code, that an attribute has where it carries none; None where the model recommends none."""
    return UNITS.get(qualify_attribute(kind, attribute))

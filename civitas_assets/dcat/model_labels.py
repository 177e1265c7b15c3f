"""What the shared models are called in a public catalogue, in German and English, and what they are about.

The contracts say what a row is; titles, German sentences and themes are of use in catalogues alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ModelLabel:
    """Titles, a German sentence, codes of the European data themes, and the code of a category of high value."""

    title_de: str
    title_en: str
    description_de: str
    themes: tuple[str, ...]
    high_value: str | None = None


# Codes of http://data.europa.eu/bna, the categories of the Implementing Regulation (EU) 2023/138.
_ENVIRONMENT, _METEOROLOGICAL = "c_dd313021", "c_164e0bf5"
_AIR, _ANY, _MOVES, _PLACES, _POWER = (
    ("ENVI", "HEAL"),
    ("ENVI", "TRAN"),
    ("TRAN",),
    ("REGI",),
    ("ENER", "TRAN"),
)

# What says how data came about, and is no open data itself.
BOOKKEEPING = frozenset({"coverage", "observed_property", "rejected_record", "source"})

MODEL_LABELS: Mapping[str, ModelLabel] = {
    "air_quality_assessment": ModelLabel(
        "Luftqualität im Vergleich mit Grenzwerten", "Air quality against limit values",
        "Tageswerte der Luftmessstationen neben den Grenzwerten der Europäischen Union; kein amtlicher Bericht.", _AIR,
    ),
    "air_quality_observed": ModelLabel(
        "Luftqualität", "Air quality", "Messwerte der Luftqualität je Station und Zeitpunkt.", _AIR, _ENVIRONMENT
    ),
    "area_feature": ModelLabel(
        "Flächen und Linien", "Areas and lines",
        "Flächen und Linien, die eine Kommune führt, wie Stadtteile oder Wege.", _PLACES,
    ),
    "charge_point": ModelLabel(
        "Ladepunkte", "Charge points", "Ladepunkte für Elektrofahrzeuge mit Standort und Ausstattung.", _POWER
    ),
    "charge_point_history": ModelLabel(
        "Ladepunkte im Verlauf", "History of charge points",
        "Beschreibungen der Ladepunkte mit der Zeit, in der sie galten.", _POWER,
    ),
    "charge_point_status": ModelLabel(
        "Zustand der Ladepunkte", "Status of charge points",
        "Ob Ladepunkte frei, belegt oder außer Betrieb waren, je Zeitpunkt.", _POWER,
    ),
    "council_paper": ModelLabel(
        "Vorlagen des Rates", "Council papers",
        "Anträge, Anfragen, Berichte und Beschlüsse, mit denen sich der Rat und seine Ausschüsse befassen.", ("GOVE",),
    ),
    "datastream": ModelLabel(
        "Messreihen", "Datastreams", "Was an welcher Station in welcher Einheit gemessen wird.", _ANY
    ),
    "energy_unit": ModelLabel(
        "Anlagen zur Stromerzeugung und Speicher", "Units of electricity generation and storage",
        "Anlagen, die Strom erzeugen oder speichern, mit Energieträger, Leistung und Zustand; ohne Personen.",
        ("ENER",),
    ),
    "event": ModelLabel(
        "Ereignisse und Baustellen", "Events and roadworks",
        "Baustellen, Sperrungen, Termine und andere Ereignisse mit Ort und Zeit.", _MOVES,
    ),
    "noise_level_observed": ModelLabel(
        "Lärm", "Noise levels", "Gemessene Schallpegel je Station und Zeitpunkt.", _AIR, _ENVIRONMENT
    ),
    "observation": ModelLabel(
        "Messwerte", "Observations", "Alle Messwerte, je Messreihe und Beginn der Messung.", _ANY
    ),
    "observation_daily": ModelLabel(
        "Messwerte je Tag", "Observations by day", "Messwerte je Messreihe und Kalendertag zusammengefasst.", _ANY
    ),
    "observation_hourly": ModelLabel(
        "Messwerte je Stunde", "Observations by hour", "Messwerte je Messreihe und Stunde zusammengefasst.", _ANY
    ),
    "observation_revision": ModelLabel(
        "Berichtigungen von Messwerten", "Corrections of observations",
        "Messwerte, die nach ihrer Veröffentlichung berichtigt wurden, vorher und nachher.", _ANY,
    ),
    "parking_site": ModelLabel(
        "Parkplätze und Parkhäuser", "Parking sites",
        "Parkplätze, Parkhäuser und Abstellanlagen mit Standort und Zahl der Plätze.", _MOVES,
    ),
    "parking_site_history": ModelLabel(
        "Parkplätze und Parkhäuser im Verlauf", "History of parking sites",
        "Beschreibungen der Parkplätze und Parkhäuser mit der Zeit, in der sie galten.", _MOVES,
    ),
    "parking_status": ModelLabel(
        "Belegung von Parkplätzen und Parkhäusern", "Occupancy of parking sites",
        "Freie und belegte Plätze je Parkplatz oder Parkhaus und Zeitpunkt.", _MOVES,
    ),
    "place": ModelLabel(
        "Orte und Einrichtungen", "Places", "Orte und Einrichtungen, die Bürgerinnen und Bürger suchen.", _PLACES
    ),
    "sharing_station": ModelLabel(
        "Stationen von Leihfahrzeugen", "Sharing stations",
        "Stationen, an denen Fahrräder und andere Fahrzeuge geliehen werden.", _MOVES,
    ),
    "sharing_station_history": ModelLabel(
        "Stationen von Leihfahrzeugen im Verlauf", "History of sharing stations",
        "Beschreibungen der Stationen von Leihfahrzeugen mit der Zeit, in der sie galten.", _MOVES,
    ),
    "sharing_status": ModelLabel(
        "Verfügbarkeit von Leihfahrzeugen", "Availability at sharing stations",
        "Verfügbare Fahrzeuge und freie Plätze je Station und Zeitpunkt.", _MOVES,
    ),
    "station": ModelLabel("Messstationen", "Stations", "Messstationen mit Name, Betreiber und Standort.", _ANY),
    "station_history": ModelLabel(
        "Messstationen im Verlauf", "History of stations",
        "Beschreibungen der Messstationen mit der Zeit, in der sie galten.", _ANY,
    ),
    "statistic": ModelLabel(
        "Statistik", "Statistics", "Statistische Kennzahlen je Gebiet und Zeitraum.", ("SOCI",)
    ),
    "traffic_flow_observed": ModelLabel(
        "Verkehrszählung", "Traffic counts",
        "Gezählte Fahrzeuge, Fahrräder und Fußgänger je Zählstelle und Zeitraum.", _MOVES,
    ),
    "transit_delay": ModelLabel(
        "Verspätungen des öffentlichen Verkehrs", "Public transport delays",
        "Verspätungen und Ausfälle je Fahrt, Halt und Betriebstag.", _MOVES,
    ),
    "transit_route": ModelLabel(
        "Linien des öffentlichen Verkehrs", "Public transport lines",
        "Linien, die Haltestellen der Kommune anfahren, mit Verkehrsmittel und Betreiber.", _MOVES,
    ),
    "transit_service": ModelLabel(
        "Abfahrten des öffentlichen Verkehrs", "Public transport departures",
        "Geplante Abfahrten je Haltestelle, Linie und Betriebstag.", _MOVES,
    ),
    "transit_stop": ModelLabel(
        "Haltestellen", "Public transport stops", "Haltestellen und Bahnhöfe mit Lage und Barrierefreiheit.", _MOVES
    ),
    "tree": ModelLabel(
        "Baumkataster", "Tree register",
        "Bäume, die eine Kommune führt, mit Art, Pflanzjahr, Größe und Standort.", ("ENVI", "REGI"),
    ),
    "water_observed": ModelLabel(
        "Gewässer", "Surface water and groundwater",
        "Wasserstände, Abflüsse und Messwerte der Gewässergüte je Station und Zeitpunkt.", ("ENVI",), _ENVIRONMENT,
    ),
    "weather_forecast": ModelLabel(
        "Wettervorhersage", "Weather forecasts",
        "Vorhergesagtes Wetter je Ort und Zeitpunkt, wie es zuletzt davor ausgegeben wurde.", _ANY, _METEOROLOGICAL,
    ),
    "weather_observed": ModelLabel(
        "Wetter", "Weather", "Messwerte des Wetters je Station und Zeitpunkt.", ("ENVI",), _METEOROLOGICAL
    ),
}  # fmt: skip

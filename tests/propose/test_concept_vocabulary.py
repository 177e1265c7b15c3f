"""Names are compared without case, umlauts, punctuation and units."""

from __future__ import annotations

import pytest

from civitas_assets.propose.concept_vocabulary import list_kinds, normalise_name, score_concepts, split_unit
from civitas_assets.records import RECORD_TYPES


@pytest.mark.parametrize(
    ("name", "bare", "unit"),
    [
        ("Temperatur [°C]", "Temperatur", "°C"),
        ("Wind (m/s)", "Wind", "m/s"),
        ("Ozon in µg/m³", "Ozon", "µg/m³"),
        ("Nennleistung Ladeeinrichtung [kW]", "Nennleistung Ladeeinrichtung", "kW"),
        ("101 (Promenade Richtung Nord)", "101 (Promenade Richtung Nord)", None),
        ("Wert", "Wert", None),
    ],
)
def test_a_unit_is_taken_off_a_name(name: str, bare: str, unit: str | None) -> None:
    assert split_unit(name) == (bare, unit)


@pytest.mark.parametrize(
    ("name", "concept"),
    [
        ("Längengrad", "lon"), ("LATITUDE", "lat"), ("freie_parkplaetze", "free"), ("OccupiedSites", "occupied"),
        ("obs_max", "capacity"), ("Messzeit", "time"), ("Postleitzahl", "postcode"),
        ("attributes.opening_h", "opening_hours"),
        ("Komponente", "property"), ("parkhaus_name", "name"), ("UID", "id"), ("Rechtswert", "x"),
    ],
)  # fmt: skip
def test_names_in_both_languages_are_recognised(name: str, concept: str) -> None:
    found = score_concepts(name)
    assert max(found, key=lambda other: found[other]) == concept


def test_spelling_does_not_matter() -> None:
    assert normalise_name("Geöffnet ") == normalise_name("GEOEFFNET") == "geoeffnet"


def test_every_field_of_the_vocabulary_is_one_of_the_contract() -> None:
    for kind in list_kinds():
        assert {*kind.fields} <= {*RECORD_TYPES[kind.name].accepted}, kind.name

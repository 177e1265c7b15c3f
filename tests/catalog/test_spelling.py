"""Spellings that nobody means to tell apart are one, for people's questions as in the models."""

from __future__ import annotations

import duckdb
import jinja2
import pytest

from civitas_assets.catalog.spelling import normalise_spelling
from civitas_assets.settings import PROJECT_DIR

ALIKE = {
    "°c": ("°C", "℃", "ºC", "˚C", "° C", "°\u202fC"),
    "°f": ("°F", "℉"),
    "gradcelsius": ("Grad Celsius", "GRAD\u00a0CELSIUS"),
    "ug/m3": ("µg/m³", "μg/m³", "ug/m^3", "㎍/㎥", "µg ∕ m³", "Μg/m3"),
    "ugm-3": ("µg m⁻³", "µg·m⁻³", "μg\u2009m−3", "ug⋅m^-3"),
    "us/cm": ("µS/cm", "μS/cm", "uS/cm"),
    "mm/h": ("㎜/h", "mm / h"),
    "m/s": ("㎧", "m⁄s"),
    "%": ("％", "% ", "\ufeff%"),
    "k": ("K", "K"),
    "ph": ("pH", "㏗"),
    "db": ("㏈",),
    "co2": ("CO₂", "CO2"),
    "luftguete": ("Luftgüte", "Luftgu\u0308te", "Luftguete"),
    "strasse": ("Straße", "STRASSE"),
}


@pytest.mark.parametrize(("spelling", "written"), [(k, w) for k, words in ALIKE.items() for w in words])
def test_a_spelling_is_the_same_here_and_in_the_models(spelling: str, written: str) -> None:
    assert normalise_spelling(written) == spelling
    text = (PROJECT_DIR / "dbt_project" / "macros" / "spelling.sql").read_text(encoding="utf-8")
    macro = jinja2.Environment(autoescape=False).from_string(text)  # noqa: S701 - it makes SQL
    found = duckdb.execute(f"select {vars(macro.module)['spelling']('?')}", [written])
    assert found.fetchone() == (spelling,)

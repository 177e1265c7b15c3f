"""A model does not change once it was validated: what is learned of it later is known by a copy."""

from __future__ import annotations

from civitas_assets.catalog import Source, Tenant
from civitas_assets.errors import Fault

BOX = (7.0, 51.0, 8.0, 52.0)


def test_what_a_source_learns_of_its_place_is_known_by_a_copy() -> None:
    declared = Source.model_validate(
        {"connector": "csv", "title": "T", "licence": "proprietary", "url": "https://data.example/a.csv"}
    )
    placed = declared.with_place("counter", BOX, "Europe/London")
    assert (placed.name, placed.box, placed.zone.key) == ("counter", BOX, "Europe/London")
    assert (declared.name, declared.box, declared.zone.key) == ("", None, "Europe/Berlin")
    assert placed.with_place("other", BOX).zone.key == "Europe/London"


def test_what_a_tenant_learns_of_its_file_is_known_by_a_copy() -> None:
    declared = Tenant.model_validate({"name": "Town", "ags": "05515000", "bbox": BOX})
    fault = Fault("town.yaml", 1, "name", "is wrong")
    keyed = declared.with_key("town").with_faults([fault])
    assert (keyed.slug, keyed.faults) == ("town", (fault,))
    assert (declared.slug, declared.faults) == ("", ())

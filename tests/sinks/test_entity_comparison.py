"""What a broker writes otherwise is the same, what it says otherwise is not."""

from __future__ import annotations

from typing import Any

import pytest

from civitas_assets.sinks.entity_comparison import find_difference

AT = "2026-07-01T10:00:00Z"
GIVEN: dict[str, Any] = {
    "id": "urn:x:1", "type": "X", "@context": ["https://a.example"],
    "no2": {"type": "Property", "value": 21.0, "unitCode": "GQ", "observedAt": AT},
    "open": {"type": "Property", "value": True},
    "category": {"type": "Property", "value": ["sensor"]},
    "dateObserved": {"type": "Property", "value": {"@type": "DateTime", "@value": AT}},
}  # fmt: skip


def test_forms_of_brokers_are_the_same() -> None:
    kept = {
        "id": "urn:x:1", "type": "X", "createdAt": AT, "modifiedAt": AT,
        "no2": {"type": "Property", "value": 21, "unitCode": "GQ", "observedAt": "2026-07-01T10:00:00.000Z"},
        "open": {"type": "Property", "value": True, "modifiedAt": AT},
        "category": {"type": "Property", "value": "sensor"},
        "dateObserved": {"type": "Property", "value": {"@type": "DateTime", "@value": "2026-07-01T12:00:00+02:00"}},
    }  # fmt: skip
    assert find_difference(GIVEN, kept) is None


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("no2", {"type": "Property", "value": 21.5, "unitCode": "GQ", "observedAt": AT}),
        ("no2", {"type": "Property", "value": 21.0, "unitCode": "GQ", "observedAt": "2026-07-01T10:00:01Z"}),
        ("no2", {"type": "Property", "value": 21.0, "observedAt": AT}),
        ("no2", None),
        ("open", {"type": "Property", "value": 1}),
        ("category", {"type": "Property", "value": ["sensor", "x"]}),
        ("more", {"type": "Property", "value": 1}),
        (
            "dateObserved",
            {"type": "Property", "value": {"@type": "DateTime", "@value": "2026-07-01T10:00:00"}},
        ),
    ],
)
def test_what_says_something_else_is_named(name: str, attribute: dict[str, Any] | None) -> None:
    kept = {**GIVEN, name: attribute}
    assert find_difference(GIVEN, kept if attribute else {k: v for k, v in kept.items() if k != name}) == name

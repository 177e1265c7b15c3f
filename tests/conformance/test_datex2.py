"""What the AFIR profile of DATEX II allows of a charging point is read, whatever else is said of it, or it is told.

The JSON Schemas are those of the German profile; sites and stations hold the points, the rest is drawn from the schema.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conformance.landing import HOST, answer, land
from tests.conformance.schemas import Schema

_DEFINED = "DATEXII_3_AfirEnergyInfrastructure.json"
_PLACE = {
    "locPointLocation": {"pointByCoordinates": {"pointCoordinates": {"latitude": 51.5, "longitude": 7.5}}}
}
PUBLISHED = "2026-07-01T10:00:00Z"


def _answered(publication: str, content: dict[str, Any]) -> Any:
    head = {
        "publicationTime": PUBLISHED,
        "lang": "de",
        "publicationCreator": {"country": "DE", "nationalIdentifier": "X"},
    }
    real = {"headerInformation": {"informationStatus": {"value": "real"}}}
    return {"payload": {publication: {**head, **real, **content}}}


def test_every_point_lands_with_its_place(schemas: Path) -> None:
    schema = Schema(schemas / "datex2" / "afir_Table" / _DEFINED, deepest=1)
    points = schema.documents("definitions", "ElectricChargingPoint")

    @settings(settings.get_profile("conformance"))
    @given(st.lists(st.lists(points, min_size=1, max_size=2), min_size=1, max_size=2))
    def check(stations: list[list[dict[str, Any]]]) -> None:
        wanted = []
        site: dict[str, Any] = {"idG": "site", "versionG": "1", "locationReference": _PLACE}
        for number, held in enumerate(stations):
            for place, point in enumerate(held):
                point["idG"] = f"DE*TST*E{number}*{place}"
                wanted.append(point["idG"])
            refill = [{"aegiElectricChargingPoint": point} for point in held]
            site.setdefault("energyInfrastructureStation", []).append(
                {"idG": f"station{number}", "versionG": "1", "refillPoint": refill}
            )
        table = {
            "energyInfrastructureTable": [{"idG": "t", "versionG": "1", "energyInfrastructureSite": [site]}]
        }
        document = _answered("aegiEnergyInfrastructureTablePublication", table)
        night = land(
            {"connector": "datex2", "publication": "charging", "url": f"{HOST}/points.json"},
            lambda _: answer(document),
        )
        landed = {key for (key,) in night.rows("charge_point", "charge_point_id")}
        assert landed == {*wanted}, night.told
        if all("locationReference" not in point for held in stations for point in held):
            assert {*night.rows("charge_point", "lon", "lat")} == {(7.5, 51.5)}, night.told

    check()


def test_every_status_lands(schemas: Path) -> None:
    folder = schemas / "datex2" / "afir_Status"
    moment = st.datetimes().map(
        lambda at: at.replace(year=2026, month=7, day=1, microsecond=0).isoformat() + "Z"
    )
    schema = Schema(folder / _DEFINED, {"lastUpdated": moment}, deepest=1)
    states = schema.documents("definitions", "ElectricChargingPointStatus")

    @settings(settings.get_profile("conformance"))
    @given(st.lists(states, min_size=1, max_size=3))
    def check(found: list[dict[str, Any]]) -> None:
        for number, state in enumerate(found):
            state["reference"] = {"targetClass": "x", "idG": f"DE*TST*E{number}"}
        stations = [
            {
                "reference": {"idG": "s"},
                "refillPointStatus": [{"aegiElectricChargingPointStatus": s} for s in found],
            }
        ]
        site = {"reference": {"idG": "site"}, "energyInfrastructureStationStatus": stations}
        document = _answered(
            "aegiEnergyInfrastructureStatusPublication", {"energyInfrastructureSiteStatus": [site]}
        )
        night = land(
            {"connector": "datex2", "publication": "charging", "url": f"{HOST}/status.json"},
            lambda _: answer(document),
        )
        landed = dict(night.rows("charge_point_status", "charge_point_id", "status_native"))
        native = [
            state["status"]["value"] if isinstance(state.get("status"), dict) else state.get("status")
            for state in found
        ]
        wanted = {f"DE*TST*E{number}": word for number, word in enumerate(native)}
        assert landed == wanted or (None in native and night.rejected), (night.told, landed, wanted)

    check()

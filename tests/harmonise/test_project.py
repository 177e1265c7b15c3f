"""A run makes and tests what its records can change, and nothing else."""

from __future__ import annotations

from civitas_assets.harmonise.project import Project
from civitas_assets.records import RECORD_TYPES


def made_of(project: Project, *record_types: str) -> set[str]:
    return {project.manifest["nodes"][node]["name"] for node in project.nodes_of(frozenset(record_types))}


def test_nodes_of_one_kind_of_records_leave_the_others_alone(project: Project) -> None:
    made = made_of(project, "parking_site", "parking_status")
    assert {"parking_site", "parking_status", "a_parking_status_is_there_once"} <= made
    assert {"source", "observed_property", "rejected_record"} <= made, "what does not need records of a type"
    assert not {"observation", "observation_hourly", "int_observation_series", "charge_point"} & made


def test_what_is_made_by_way_of_other_models_is_made_too(project: Project) -> None:
    made = made_of(project, "observation")
    assert {
        "int_observation_series",
        "observation",
        "observation_daily",
        "air_quality_observed",
        "coverage",
    } <= made


def test_all_record_types_together_make_every_model(project: Project) -> None:
    made = made_of(project, *RECORD_TYPES)
    assert project.models.keys() <= made
    assert {test.name for test in project.tests.values()} <= made

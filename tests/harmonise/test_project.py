"""A run makes and tests what its records can change, and nothing else."""

from __future__ import annotations

from pathlib import Path

from civitas_assets.harmonise.prepare import prepare_project
from civitas_assets.harmonise.project import REJECTED, Project
from civitas_assets.records import RECORD_TYPES
from civitas_assets.settings import Settings

OCCASIONS = frozenset({
    "air_quality_observed", "noise_level_observed", "traffic_flow_observed", "water_observed", "weather_observed",
    "comparison", "correction", "limit_value", "running_mean",
})  # fmt: skip


def made_of(project: Project, *record_types: str, occasions: frozenset[str] = OCCASIONS) -> set[str]:
    nodes = project.select_nodes(frozenset(record_types), occasions)
    return {project.manifest["nodes"][node]["name"] for node in nodes}


def test_nodes_of_one_kind_of_records_leave_the_others_alone(project: Project) -> None:
    made = made_of(project, "parking_site", "parking_status")
    assert {"parking_site", "parking_status", "a_parking_status_is_there_once"} <= made
    assert {"source", "observed_property"} <= made, "what does not need records of a type"
    assert not {"rejected_record"} & made
    assert {"rejected_record"} <= made_of(project, REJECTED)
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
    made = made_of(project, *RECORD_TYPES, REJECTED)
    assert project.models.keys() <= made
    assert {test.name for test in project.tests.values()} <= made


def test_what_needs_an_occasion_that_the_records_do_not_give_stays_empty_and_untested(
    project: Project,
) -> None:
    made = made_of(project, "observation", occasions=frozenset({"traffic_flow_observed"}))
    assert {"observation", "traffic_flow_observed", "int_observation_quality"} <= made
    left_out = made_of(project, "observation") - made
    assert {
        "air_quality_observed", "weather_observed", "water_observed", "noise_level_observed", "int_observation_step",
        "int_running_mean", "air_quality_assessment", "observation_revision", "int_observation_correction",
        "quality_code_of_weather_observed_is_a_known_code",
    } <= left_out  # fmt: skip


def test_every_occasion_that_a_model_waits_for_may_come(project: Project) -> None:
    nodes = project.manifest["nodes"].values()
    waited_for = {node["config"]["meta"].get("only_with") for node in nodes} - {None}
    assert waited_for == OCCASIONS
    view = next(node["raw_code"] for node in nodes if node["name"] == "int_occasion")
    assert {occasion for occasion in OCCASIONS if f"'{occasion}' as occasion" in view} == {
        occasion for occasion in OCCASIONS if occasion not in project.models
    }


def test_project_that_lies_prepared_is_taken_from_there_and_nothing_is_written(
    project: Project, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path / "home", prepared_dir=project.prepared.parent)
    assert prepare_project(settings).prepared == project.prepared
    assert not settings.home.exists()

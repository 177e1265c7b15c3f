"""Faulty files of tenants: what Dagster says of them, and that schedules and sensors go on with what is mended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from civitas_assets.defs.asset_checks import build_partitions
from civitas_assets.defs.asset_keys import HEALTH_KEY
from civitas_assets.defs.event_writing import find_target
from tests.defs.conftest import Define, Deploy

NOW = datetime(2026, 8, 22, 0, 0, 30, tzinfo=UTC)


@pytest.fixture
def look(instance: dg.DagsterInstance, definitions_of: Define) -> Any:
    """Lets the sensor look at the files."""

    def tick(deployment: Any, cursor: str | None = None) -> Any:
        definitions = definitions_of(deployment)
        with dg.build_sensor_context(
            instance=instance, cursor=cursor, repository_def=definitions.get_repository_def()
        ) as context:
            return definitions.resolve_sensor_def("faulty_files").evaluate_tick(context)

    return tick


def said(tick: Any) -> list[tuple[str | None, bool]]:
    return [(event.partition, event.passed) for event in tick.asset_events]


def test_a_code_location_loads_and_says_of_whom_the_file_is_faulty(
    deployed: Deploy, town: Callable[..., str], look: Any, instance: dg.DagsterInstance
) -> None:
    deployment = deployed(NOW, eins=town(1, bins="nightly"), zwei="sources: [")
    assert build_partitions(deployment).get_partition_keys() == ["eins", "zwei"]
    instance.report_runless_asset_event(dg.AssetMaterialization(HEALTH_KEY, partition="zwei"))
    first = look(deployment)
    assert said(first) == [("zwei", False)]
    about = first.asset_events[0].target_materialization_data
    assert about.storage_id == find_target(instance, HEALTH_KEY, "zwei").storage_id, (
        "else the UI shows nothing of it"
    )
    assert "zwei.yaml:2" in first.asset_events[0].description
    assert said(look(deployment, first.cursor)) == [], "said once"
    (deployment.settings.tenants_dir / "zwei.yaml").write_text(town(2, bins="nightly"), encoding="utf-8")
    mended = look(deployment, first.cursor)
    assert said(mended) == [("zwei", True)]
    assert said(look(deployment, mended.cursor)) == []


def test_schedules_take_files_as_they_are_at_the_tick(
    deployed: Deploy, town: Callable[..., str], instance: dg.DagsterInstance, definitions_of: Define
) -> None:
    deployment = deployed(NOW, eins=town(1, bins="nightly"), zwei="sources: [")
    schedule = definitions_of(deployment).resolve_schedule_def("nightly")

    def due() -> list[str]:
        with dg.build_schedule_context(
            instance=instance, scheduled_execution_time=NOW.replace(second=0)
        ) as context:
            found = schedule.evaluate_tick(context)
        return [run.tags["civitas/tenants"] for run in found.run_requests]

    folder = deployment.settings.tenants_dir
    assert due() == ["eins"]
    (folder / "zwei.yaml").write_text(town(2, bins="nightly"), encoding="utf-8")
    assert due() == ["eins zwei"]
    (folder / "eins.yaml").write_text("sources: [ ", encoding="utf-8")
    assert due() == ["eins zwei"], "one stays as it was"
    (folder / "eins.yaml").unlink()
    assert due() == ["zwei"]

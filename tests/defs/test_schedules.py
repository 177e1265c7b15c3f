"""Schedules: who gets a run at a tick, once, on every night of the year and after any absence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test
from dagster._utils.schedules import schedule_execution_time_iterator

from civitas_assets.catalog.cadence import CADENCES, Cadence
from civitas_assets.defs.runs import OPERATORS_TIME, list_tenants_of_run
from civitas_assets.pipeline.deployment import Deployment
from tests.defs.conftest import Define, Deploy

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def tick(instance: dg.DagsterInstance, definitions_of: Define) -> Any:
    """Asks the schedule of a cadence what it starts at a time."""

    def ask(deployment: Any, cadence: str, at: datetime) -> Any:
        definitions = definitions_of(deployment)
        schedule = definitions.resolve_schedule_def(cadence)
        with dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=at.astimezone(BERLIN),
            repository_def=definitions.get_repository_def(),
        ) as context:
            return schedule.evaluate_tick(context)

    return ask


@pytest.fixture
def three(deployed: Deploy, town: Callable[..., str]) -> Deployment:
    """Three towns: one with sources of every cadence, one with nightly ones only, one without any."""
    return deployed(
        eins=town(1, a="nightly", b="hourly", c="every_15_minutes"),
        zwei=town(2, a="nightly"),
        leer=town(3),
        vier=town(4, c="every_15_minutes"),
    )


AT_TWO = datetime(2026, 8, 22, 0, 0, tzinfo=UTC)


def test_only_tenants_with_a_source_of_the_cadence_get_a_run(three: Deployment, tick: Any) -> None:
    def started(cadence: str) -> list[str]:
        return [
            name for r in tick(three, cadence, AT_TWO).run_requests for name in list_tenants_of_run(r.tags)
        ]

    assert started("nightly") == ["eins", "zwei"]
    assert started("hourly") == ["eins"]
    assert started("every_15_minutes") == ["eins", "vier"]


@pytest.mark.parametrize(
    ("cadence", "tenants"), [("nightly", "eins zwei"), ("every_15_minutes", "eins vier")]
)
def test_tenants_of_a_cadence_share_one_run(three: Deployment, tick: Any, cadence: str, tenants: str) -> None:
    (request,) = tick(three, cadence, AT_TWO).run_requests
    assert request.run_config == {"ops": {f"tenants_{cadence}": {"config": {"tenants": tenants.split()}}}}
    assert request.tags.items() >= {"civitas/tenants": tenants, "civitas/cadence": cadence}.items()
    assert request.partition_key is None


def test_several_machines_share_the_tenants_in_batches_of_a_size(
    deployed: Deploy, town: Callable[..., str], tick: Any
) -> None:
    towns = {f"stadt{n}": town(n, a="nightly") for n in range(5)}
    requests = tick(deployed(more={"batch_size": 2}, **towns), "nightly", AT_TWO).run_requests
    assert [list_tenants_of_run(request.tags) for request in requests] == [
        ["stadt0", "stadt1"],
        ["stadt2", "stadt3"],
        ["stadt4"],
    ]
    assert len({request.run_key for request in requests}) == 3


def test_cadence_that_no_source_has_starts_nothing(
    deployed: Deploy, town: Callable[..., str], tick: Any
) -> None:
    found = tick(deployed(zwei=town(2, a="nightly")), "hourly", AT_TWO)
    assert not found.run_requests
    assert "no tenant has a source with cadence: hourly" in found.skip_message


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED])
def test_tenant_whose_run_is_still_going_is_not_queued_twice(
    three: Deployment, tick: Any, instance: dg.DagsterInstance, status: Any
) -> None:
    tags = {"civitas/tenant": "eins", "civitas/cadence": "nightly"}
    create_run_for_test(instance, status=status, tags=tags)
    assert [list_tenants_of_run(r.tags) for r in tick(three, "nightly", AT_TWO).run_requests] == [["zwei"]]
    assert [list_tenants_of_run(r.tags) for r in tick(three, "hourly", AT_TWO).run_requests] == [["eins"]]


def test_batch_that_is_still_going_is_not_queued_twice(
    three: Deployment, tick: Any, instance: dg.DagsterInstance
) -> None:
    tags = {"civitas/tenants": "eins vier", "civitas/cadence": "every_15_minutes"}
    run = create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED, tags=tags)
    assert "still going for eins, vier" in tick(three, "every_15_minutes", AT_TWO).skip_message
    instance.delete_run(run.run_id)
    assert len(tick(three, "every_15_minutes", AT_TWO).run_requests) == 1


@pytest.mark.parametrize(("cadence", "missed"), [("nightly", 4), ("hourly", 5), ("every_15_minutes", 5)])
def test_missed_ticks_are_caught_up_once(
    deployed: Deploy, town: Callable[..., str], tick: Any, cadence: Cadence, missed: int
) -> None:
    period = CADENCES[cadence].period
    last = datetime(2026, 8, 22, 0, 0, tzinfo=UTC)
    deployment = deployed(last + period / 3, eins=town(1, a=cadence))
    ticks = [tick(deployment, cadence, last - period * n) for n in reversed(range(missed))]
    assert [len(found.run_requests or []) for found in ticks] == [0] * (missed - 1) + [1]
    assert "catches up, once" in ticks[0].skip_message


@pytest.mark.parametrize("change", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])
def test_time_change_neither_skips_nor_doubles_a_night(
    deployed: Deploy, town: Callable[..., str], tick: Any, change: datetime
) -> None:
    start, end = change - timedelta(days=2), change + timedelta(days=2, hours=12)
    ticks = []
    for moment in schedule_execution_time_iterator(
        start.timestamp(), CADENCES["nightly"].cron, OPERATORS_TIME, ascending=True
    ):
        if moment.timestamp() > end.timestamp():
            break
        ticks.append(moment)
    keys = []
    for moment in ticks:
        deployment = deployed(moment.astimezone(UTC) + timedelta(seconds=20), eins=town(1, a="nightly"))
        keys += [request.run_key for request in tick(deployment, "nightly", moment).run_requests]
    days = [(start + timedelta(days=n)).date().isoformat() for n in range(5)]
    assert keys == [f"{day}:eins" for day in days]


@pytest.mark.parametrize("change", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])
def test_time_change_neither_skips_nor_doubles_an_hour(
    deployed: Deploy, town: Callable[..., str], tick: Any, change: datetime
) -> None:
    keys, ticks = (
        [],
        schedule_execution_time_iterator(
            change.timestamp(), CADENCES["hourly"].cron, OPERATORS_TIME, ascending=True
        ),
    )
    for _ in range(4):
        moment = next(ticks)
        deployment = deployed(moment.astimezone(UTC) + timedelta(seconds=20), eins=town(1, a="hourly"))
        keys += [request.run_key for request in tick(deployment, "hourly", moment).run_requests]
    assert keys == [f"{change + timedelta(hours=n):%Y-%m-%dT%H}:20Z:eins" for n in range(4)]


def test_everything_can_be_loaded_as_the_ui_loads_it(three: Deployment, definitions_of: Define) -> None:
    jobs = {job.name for job in definitions_of(three).get_repository_def().get_all_jobs()}
    assert {"nightly", "arrivals", *(f"{cadence}_batch" for cadence in CADENCES)} <= jobs


@pytest.mark.parametrize("wanted", ["running", "stopped"])
def test_schedules_that_fetch_start_as_the_settings_say(
    deployed: Deploy, town: Callable[..., str], definitions_of: Define, wanted: str
) -> None:
    definitions = definitions_of(deployed(more={"schedules": wanted}, eins=town(1, a="nightly")))
    found = {name: definitions.resolve_schedule_def(name).default_status.value for name in CADENCES}
    assert found == dict.fromkeys(CADENCES, wanted.upper())


def test_runs_from_the_ui_name_their_tenant_too(three: Deployment, definitions_of: Define) -> None:
    for name in ("nightly", "arrivals"):
        job = definitions_of(three).resolve_job_def(name)
        assert job.get_tags_for_partition_key("zwei", None)["civitas/tenant"] == "zwei"
        assert job.run_tags["civitas/cadence"] == name

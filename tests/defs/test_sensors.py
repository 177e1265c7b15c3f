"""Sensors: files and messages that wait start one run, stale sources are said once, a fault is told once a night."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from civitas_assets.connectors.reachable import LOCAL
from civitas_assets.connectors.transport.mqtt import Subscription, drain
from civitas_assets.defs.messages import (
    find_night,
    list_run_faults,
    notify_of_faults,
    notify_of_night_end,
    notify_of_run,
)
from civitas_assets.defs.runs import SHELL_TAG
from civitas_assets.errors import Problem
from civitas_assets.messages.delivery import list_sent_marks
from civitas_assets.store.nights import Night, NightBook
from civitas_assets.store.step_reports import SourceReport, StepReport
from civitas_assets.store.summary import SourceSummary, SummaryStore
from testbed.broker import publish
from tests.conftest import Webhook
from tests.defs.conftest import Define, Deploy

NOW = datetime(2026, 8, 22, 0, 0, 30, tzinfo=UTC)


@pytest.fixture
def evaluate(instance: dg.DagsterInstance, definitions_of: Define) -> Any:
    """Asks a sensor what it starts."""

    def ask(deployment: Any, name: str, cursor: str | None = None) -> Any:
        definitions = definitions_of(deployment)
        sensor = definitions.resolve_sensor_def(name)
        with dg.build_sensor_context(
            instance=instance, cursor=cursor, repository_def=definitions.get_repository_def()
        ) as context:
            return sensor.evaluate_tick(context)

    return ask


@pytest.fixture
def with_folder(deployed: Deploy, town: Callable[..., str]) -> Any:
    """A town whose source is a drop folder, and one without."""
    text = town(1, bins="nightly").replace("http://127.0.0.1:9/bins.json", "drop:*.json")
    return deployed(NOW, eins=text, zwei=town(2, bins="nightly"))


def put(deployment: Any, name: str, body: str = "[]") -> Path:
    path: Path = deployment.settings.home / "drop" / "eins" / "bins" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(body)
    os.utime(path, (NOW.timestamp() - 60,) * 2)
    return path


def test_files_that_wait_start_one_run_of_their_tenant_and_source(with_folder: Any, evaluate: Any) -> None:
    assert not evaluate(with_folder, "dropped_files").run_requests
    put(with_folder, "a.json")
    (request,) = evaluate(with_folder, "dropped_files").run_requests
    assert request.partition_key == "eins"
    assert request.run_config["resources"]["scope"]["config"] == {"sources": ["bins"]}
    assert request.tags.items() >= {"civitas/tenant": "eins", "civitas/cadence": "arrivals"}.items()
    (same,) = evaluate(with_folder, "dropped_files").run_requests
    assert same.run_key == request.run_key
    put(with_folder, "b.json")
    (other,) = evaluate(with_folder, "dropped_files").run_requests
    assert other.run_key != request.run_key


def test_files_wait_until_the_run_before_is_through(
    with_folder: Any, evaluate: Any, instance: dg.DagsterInstance
) -> None:
    put(with_folder, "a.json")
    tags = {"civitas/tenant": "eins", "civitas/cadence": "arrivals"}
    create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED, tags=tags)
    assert not evaluate(with_folder, "dropped_files").run_requests


def test_bell_rings_for_messages_that_wait_and_takes_none_of_them(
    deployed: Deploy, evaluate: Any, broker: Callable[..., AbstractContextManager[int]]
) -> None:
    with broker() as port:
        own = Subscription("127.0.0.1", port, "own", ("application/#",), quiet=0.5, reachable=LOCAL)
        drain(own, lambda _: None)
        deployment = deployed(
            NOW,
            funk=f"""
name: Funkstadt
ags: "99000098"
bbox: [9.0, 50.0, 9.2, 50.2]
sources:
  sensors:
    title: Sensoren
    connector: lorawan
    licence: CC0-1.0
    url: "mqtt://127.0.0.1:{port}"
    queue: {{client_id: own, bell: own-bell, topics: ["application/#"]}}
""",
        )
        assert not evaluate(deployment, "waiting_messages").run_requests
        publish(port, "application/7/device/00aa/event/up", [b"{}"] * 3)
        (request,) = evaluate(deployment, "waiting_messages").run_requests
        assert request.partition_key == "funk"
        assert not evaluate(deployment, "waiting_messages").run_requests, "it rings once for a message"
        assert drain(own, lambda _: None).messages == 3, "those of the queue itself are all there"


def test_broker_that_is_not_reached_fails_no_other(deployed: Deploy, evaluate: Any) -> None:
    text = """
name: Funkstadt
ags: "99000098"
bbox: [9.0, 50.0, 9.2, 50.2]
sources:
  sensors:
    title: Sensoren
    connector: lorawan
    licence: CC0-1.0
    url: "mqtt://127.0.0.1:9"
    queue: {client_id: own, bell: own-bell}
  bins:
    title: Füllstände
    connector: mqtt
    licence: CC0-1.0
    url: "mqtt://127.0.0.1:9"
    queue: {client_id: other, bell: other-bell, topics: ["bins/{device}"]}
    record_type: place
    fields: {place_id: "{device}"}
"""
    assert "none of 2 bells" in evaluate(deployed(NOW, funk=text), "waiting_messages").skip_message


def test_source_that_becomes_stale_fails_its_check_once(
    deployed: Deploy, town: Callable[..., str], evaluate: Any
) -> None:
    deployment = deployed(NOW, eins=town(1, a="nightly", b="hourly", c="hourly"))
    for name, hours in (("a", 20), ("b", 4)):  # c was never fetched
        at = NOW - timedelta(hours=hours)
        answered = SourceSummary(asked_at=at, answered_at=at)
        SummaryStore(deployment.files, "eins").change_sources({name: lambda _, said=answered: said})  # type: ignore[misc]
    first = evaluate(deployment, "stale_sources")
    (event,) = first.asset_events
    assert (event.check_name, event.partition, event.passed) == ("every_source_is_fresh", "eins", False)
    assert "b: last answered" in event.description
    assert "4.0 hours ago" in event.description
    assert "a: " not in event.description, "it is fresh"
    assert json.loads(first.cursor) == ["eins/b"]
    assert not evaluate(deployment, "stale_sources", first.cursor).asset_events


def test_fault_is_told_once_a_night_and_tenant_with_a_link_and_without_secrets(
    deployed: Deploy,
    town: Callable[..., str],
    instance: dg.DagsterInstance,
    webhook: Webhook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PEOPLE", webhook.url)
    monkeypatch.setenv("EINS_KEY", "s3cret")
    text = town(1, a="nightly") + "    query: {key: {secret: EINS_KEY}}\n"
    more = {"notify_secret": "PEOPLE", "ui_url": "https://ui.example.org/"}
    deployment = deployed(NOW, more, eins=text, zwei=town(2, a="nightly"))

    @dg.op
    def broken() -> None:
        raise dg.Failure("http://x/?key=s3cret answers 403")

    @dg.job
    def nightly() -> None:
        broken()

    for slug in ("eins", "eins", "zwei"):
        result = nightly.execute_in_process(
            instance=instance, raise_on_error=False, tags={"civitas/tenant": slug}
        )
        run = instance.get_run_by_id(result.run_id)
        assert list_run_faults(deployment.files, deployment.catalog, instance, run) == {
            slug: ["broken: http://x/?key=s3cret answers 403"]
        }
        notify_of_run(deployment, instance, run)
    assert [taken["title"] for taken in webhook.taken] == [
        f"Stadt {number}: 1 fault in the night of 2026-08-22" for number in (1, 2)
    ]
    assert "key=*** answers 403" in webhook.taken[0]["message"]
    assert "https://ui.example.org/runs/" in webhook.taken[0]["message"]
    assert "s3cret" not in json.dumps(webhook.taken[0])


def test_the_end_of_a_fault_is_told_by_a_run_of_the_same_sources_and_once(
    deployed: Deploy,
    town: Callable[..., str],
    instance: dg.DagsterInstance,
    webhook: Webhook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PEOPLE", webhook.url)
    deployment = deployed(NOW, {"notify_secret": "PEOPLE"}, eins=town(1, a="nightly", b="hourly"))
    is_broken = True

    @dg.op
    def work() -> None:
        if is_broken:
            raise dg.Failure("the source is down")

    @dg.job
    def any_job() -> None:
        work()

    def ran(**tags: str) -> int:
        named = {f"civitas/{name}": value for name, value in tags.items()}
        result = any_job.execute_in_process(
            instance=instance, raise_on_error=False, tags={"civitas/tenant": "eins", **named}
        )
        return notify_of_run(deployment, instance, instance.get_run_by_id(result.run_id))

    assert ran(cadence="nightly") == 1
    is_broken = False
    assert ran(cadence="hourly") == 0, "it did not ask the source that is down"
    assert ran(**{SHELL_TAG.removeprefix("civitas/"): "yes"}) == 0
    assert ran(cadence="nightly") == 1
    assert ran(cadence="nightly") == 0
    assert ran() == 0
    assert [(taken["title"], taken["type"]) for taken in webhook.taken] == [
        ("Stadt 1: 1 fault in the night of 2026-08-22", "failure"),
        ("Stadt 1: over in the night of 2026-08-22", "success"),
    ]
    assert list_sent_marks(deployment.files, "eins")
    assert not list_sent_marks(deployment.files, "zwei")


DOWN = StepReport(
    "fetch", "landing/json", sources=(SourceReport("a", passed=False, problem=Problem("down")),)
)


@dg.op
def work_through(context) -> None:  # type: ignore[no-untyped-def] # Dagster reads the annotation, which is a text here
    if context.run.tags.get("breaks"):
        raise OSError("the history cannot be written")


@dg.job
def _many() -> None:
    work_through()


def test_a_fault_that_repeats_is_not_over_where_messages_come_late(
    deployed: Deploy,
    town: Callable[..., str],
    instance: dg.DagsterInstance,
    webhook: Webhook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As when the server of messages was down for an hour, in which a source was asked every quarter of one."""
    monkeypatch.setenv("PEOPLE", webhook.url)
    deployment = deployed(NOW, {"notify_secret": "PEOPLE"}, eins=town(1, a="every_15_minutes"))
    tags = {"civitas/tenants": "eins", "civitas/cadence": "every_15_minutes"}
    runs = [_many.execute_in_process(instance=instance, tags=tags).run_id for _ in range(4)]
    book = NightBook(deployment.files, "eins")
    book.write(Night(runs[0], NOW, NOW, (DOWN,)))
    for run in runs[1:]:
        book.write_repeated(Night(run, NOW, NOW, (DOWN,)))
    for run in runs:
        notify_of_run(deployment, instance, instance.get_run_by_id(run))
    assert [taken["title"] for taken in webhook.taken] == ["Stadt 1: 1 fault in the night of 2026-08-22"]


def test_a_batch_that_breaks_off_is_told_beside_faults_and_ends_no_other(
    deployed: Deploy,
    town: Callable[..., str],
    instance: dg.DagsterInstance,
    webhook: Webhook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PEOPLE", webhook.url)
    deployment = deployed(
        NOW, {"notify_secret": "PEOPLE"}, eins=town(1, a="nightly"), zwei=town(2, a="nightly")
    )
    tags = {"civitas/tenants": "eins zwei", "civitas/cadence": "nightly"}
    deployment.files.write("messages/open-nightly/zwei", b"")
    run = _many.execute_in_process(
        instance=instance, tags=tags | {"breaks": "yes"}, raise_on_error=False
    ).run_id
    NightBook(deployment.files, "eins").write(Night(run, NOW, NOW, (DOWN,)))
    found = instance.get_run_by_id(run)
    assert list_run_faults(deployment.files, deployment.catalog, instance, found) == {
        "eins": ["landing/json · a: down"],
        "-": ["work_through: unforeseen OSError; the log of the run has more"],
    }
    notify_of_run(deployment, instance, found)
    assert not [taken["title"] for taken in webhook.taken if "over" in taken["title"]]
    assert len(webhook.taken) == 2


def test_a_night_that_is_done_gives_a_sign_of_life(
    deployed: Deploy, town: Callable[..., str], webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHMAN", webhook.url)
    deployment = deployed(NOW, {"alive_secret": "WATCHMAN"}, eins=town(1, a="nightly"))
    assert notify_of_night_end(deployment, 12, 0)
    assert notify_of_night_end(deployment, 12, 2)
    assert [taken["message"] for taken in webhook.taken] == [
        "12 tenants, no faults",
        "12 tenants, 2 with faults",
    ]
    assert webhook.taken[0]["title"] == "civitas_assets: the night of 2026-08-22 is done"
    webhook.status = 500
    assert not notify_of_night_end(deployment, 12, 0), "and nothing else"
    assert not notify_of_night_end(deployed(NOW, eins=town(1)), 1, 0), "nobody waits for it"


def test_tenant_may_name_others_who_are_told(
    deployed: Deploy, town: Callable[..., str], webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EINS_PEOPLE", webhook.url)
    deployment = deployed(NOW, eins=town(1, a="nightly") + "notify: {secret: EINS_PEOPLE}\n", zwei=town(2))
    assert notify_of_faults(deployment, "eins", ["a fault"], "http://ui")
    assert not notify_of_faults(deployment, "zwei", ["a fault"], "http://ui")
    assert len(webhook.taken) == 1


def test_night_lasts_from_one_nightly_schedule_to_the_next() -> None:
    assert find_night(datetime(2026, 8, 21, 23, 59, tzinfo=UTC)) == "2026-08-21"
    assert find_night(datetime(2026, 8, 22, 0, 0, tzinfo=UTC)) == "2026-08-22"


def test_sensors_are_running_from_the_start(with_folder: Any, definitions_of: Define) -> None:
    sensors = definitions_of(with_folder).get_repository_def().sensor_defs
    names = {"dropped_files", "waiting_messages", "stale_sources", "failed_runs", "failed_checks"}
    assert names <= {sensor.name for sensor in sensors}
    assert all(sensor.default_status is dg.DefaultSensorStatus.RUNNING for sensor in sensors)

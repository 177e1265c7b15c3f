"""A batch: one run for many tenants, each with its own partition, and no fault of one reaches another."""

from __future__ import annotations

import logging
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
from dagster._core.events.log import EventLogEntry

from civitas_assets.catalog.cadence import Cadence
from civitas_assets.definitions import build_definitions
from civitas_assets.defs.batch import make_batch_name
from civitas_assets.defs.messages import list_run_faults
from civitas_assets.pipeline.deployment import get_utc_now
from civitas_assets.pipeline.outcomes import ANSWERED, READ
from civitas_assets.pipeline.turn_scope import Scope
from civitas_assets.store.locks import hold_tenant_lock
from civitas_assets.store.nights import Night, NightBook
from testbed.history import history
from tests.integration.conftest import MakeCounts, Server, Workplace

CADENCE: Cadence = "every_15_minutes"


@pytest.fixture
def towns(workplace: Workplace, open_town: Callable[[], Server]) -> Any:
    """Two towns with quick counters; and what serves them."""
    servers = {}
    for slug in ("anstadt", "bestadt"):
        servers[slug] = open_town()
        text = workplace.template("kleinstadt", url=servers[slug].url)
        workplace.write_tenant(
            slug, text.replace("    connector:", f"    cadence: {CADENCE}\n    connector:")
        )
    return servers


@pytest.fixture
def batch(workplace: Workplace) -> Callable[..., dg.ExecuteInProcessResult]:
    """Runs the batch."""

    def run(**config: Any) -> dg.ExecuteInProcessResult:
        job = build_definitions(workplace.deployment).resolve_job_def(make_batch_name(CADENCE))
        return job.execute_in_process(
            instance=workplace.instance,
            raise_on_error=False,
            run_config={"ops": {f"tenants_{CADENCE}": {"config": config}}} if config else None,
        )

    return run


def materialised(
    instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult
) -> set[tuple[str | None, str]]:
    entries = instance.all_logs(result.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    made = [entry.asset_materialization for entry in entries if entry.asset_materialization]
    return {(one.partition, one.asset_key.path[0]) for one in made}


def checked(instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult) -> list[dg.AssetCheckEvaluation]:
    entries = instance.all_logs(result.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    return [entry.get_dagster_event().asset_check_evaluation_data for entry in entries]


def test_tenants_are_published_and_recorded_each_under_its_own_partition(
    workplace: Workplace, towns: Any, batch: Callable[..., dg.ExecuteInProcessResult]
) -> None:
    result = batch()
    assert result.success
    layers = (
        "landing",
        "records",
        "shared",
        "published",
        "tenants",
    )  # of staging there are views alone
    assert materialised(workplace.instance, result) == {(slug, layer) for slug in towns for layer in layers}
    checks = checked(workplace.instance, result)
    assert {check.partition for check in checks} == set(towns)
    assert not [check for check in checks if not check.passed]
    # What the UI shows: only checks of the latest materialisation.
    storage = workplace.instance.event_log_storage
    infos = storage.get_asset_check_partition_info([*{check.asset_check_key for check in checks}])
    assert {info.partition_key for info in infos} == set(towns)
    assert all(info.is_current for info in infos)
    for slug in towns:
        assert workplace.ask(slug, "select sum(value)::int from observation") == [(12,)]

    # Nothing new: that is observed, and nothing else happens.
    again = batch()
    assert again.success
    assert materialised(workplace.instance, again) == set()


def test_the_page_tells_of_a_fault_at_once_and_is_not_made_again_for_what_it_tells(
    workplace: Workplace, towns: Any, batch: Callable[..., dg.ExecuteInProcessResult]
) -> None:
    def made() -> set[tuple[str | None, str]]:
        workplace.clock += timedelta(minutes=15)
        return {found for found in materialised(workplace.instance, batch()) if found[1] == "tenants"}

    def runs(slug: str) -> int:
        return len(NightBook(workplace.deployment.files, slug).read_last(99))

    page = workplace.settings.reports / "anstadt" / "index.html"
    assert made() == {("anstadt", "tenants"), ("bestadt", "tenants")}
    pages = towns["anstadt"].pages
    before, pages["/parking.json"] = pages["/parking.json"], None
    assert made() == {("anstadt", "tenants")}
    assert "HTTP 503" in page.read_text(encoding="utf-8")
    overview = workplace.settings.reports / "index.html"
    changed_at = overview.stat().st_mtime_ns
    assert made() == set()
    assert overview.stat().st_mtime_ns == changed_at
    pages["/parking.json"] = before
    assert made() == {("anstadt", "tenants")}
    assert "HTTP 503" not in page.read_text(encoding="utf-8")
    other = workplace.settings.reports / "bestadt" / "index.html"
    changed_at = other.stat().st_mtime_ns
    assert made() == set(), "it is as well as before"
    assert other.stat().st_mtime_ns != changed_at, "its figures were an hour old"
    # The book of nights has one run for each thing that there was to tell.
    assert (runs("anstadt"), runs("bestadt")) == (3, 1)


def test_history_of_the_run_has_warnings_and_no_progress(
    workplace: Workplace, towns: Any, batch: Callable[..., dg.ExecuteInProcessResult], tmp_path: Path
) -> None:
    towns["anstadt"].pages["/parking.json"] = None
    logs = {"python_logs": {"managed_python_loggers": ["civitas_assets"], "python_log_level": "INFO"}}
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=logs) as instance:
        workplace.instance = instance
        run = batch().run_id
        said = [entry for entry in instance.all_logs(run) if entry.dagster_event is None]
    assert said
    assert {entry.level >= logging.WARNING for entry in said} == {True}
    assert any("HTTP 503" in entry.user_message for entry in said)


def test_history_has_few_bytes_of_a_night(
    workplace: Workplace,
    open_town: Callable[[], Server],
    counts: MakeCounts,
    tmp_path: Path,
    postgres_url: str,
) -> None:
    """On the disk, with indexes and copies, runs and what they print: 100 kB of a tenant with news, 20 kB without.

    These have two sources each, and share what a run says of itself.
    """
    towns = {slug: open_town() for slug in ("anstadt", "bestadt")}
    for slug, town in towns.items():
        workplace.write_tenant(slug, workplace.template("kleinstadt", url=town.url))
    job = build_definitions(workplace.deployment).resolve_job_def(make_batch_name("nightly"))
    sizes, told = [0], list[Sequence[EventLogEntry]]()
    for night in ("first", "with news", "quiet"):
        if night == "with news":
            for town in towns.values():
                town.pages["/counter.csv"] = counts({"2026-08-21T10:00:00Z": 6})
        with history(tmp_path / "dagster") as kept:
            result = job.execute_in_process(instance=kept.instance)
            assert ("published" in {layer for _, layer in materialised(kept.instance, result)}) is (
                night != "quiet"
            )
            told.append(kept.instance.all_logs(result.run_id))
        sizes.append(sum(file.stat().st_size for file in kept.home.rglob("*") if file.is_file()))
    assert sizes[2] - sizes[1] <= 2 * 100_000, sizes
    assert sizes[3] - sizes[2] <= 2 * 20_000, sizes

    # PostgreSQL makes room by eight kB in each table and index: some nights of the same events tell what one takes.
    with history(tmp_path / "shared", postgres_url) as shared:
        for events, nights, most in ((told[1], 1, None), (told[1], 3, 100_000), (told[2], 3, 20_000)):
            before = bytes_of_tables(postgres_url)
            for number in range(nights):
                for event in events:
                    shared.instance.event_log_storage.store_event(
                        event._replace(run_id=f"{most}-{number:030}")
                    )
            assert most is None or (bytes_of_tables(postgres_url) - before) / nights / 2 <= most


def bytes_of_tables(url: str) -> int:
    """With indexes and what is kept beside them."""
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(
            "select sum(pg_total_relation_size(oid)) from pg_class where relkind = 'r' and relname ~ '^(event|asset)_'"
        ).fetchone()
    assert found
    return int(found[0])


def faults_of(workplace: Workplace, run_id: str) -> Mapping[str, Sequence[str]]:
    run, deployment = workplace.instance.get_run_by_id(run_id), workplace.deployment
    return list_run_faults(deployment.files, deployment.catalog, workplace.instance, run)


def test_fault_of_one_tenant_stops_no_other_and_is_named(
    workplace: Workplace,
    towns: Any,
    batch: Callable[..., dg.ExecuteInProcessResult],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = Scope.select_sources

    def chosen(self: Scope, tenant: Any) -> Any:
        if tenant.slug == "anstadt":
            raise RuntimeError("disk on fire")
        return real(self, tenant)

    monkeypatch.setattr(Scope, "select_sources", chosen)
    result = batch()
    assert not result.success
    assert materialised(workplace.instance, result) >= {("bestadt", "published")}
    assert not workplace.published("anstadt").exists()
    faults = faults_of(workplace, result.run_id)
    assert faults == {"anstadt": ["fetch: unforeseen RuntimeError: disk on fire"]}


def test_server_that_drips_without_end_is_the_fault_of_its_source_alone(
    workplace: Workplace, towns: Any, batch: Callable[..., dg.ExecuteInProcessResult], dripping: str
) -> None:
    file = workplace.settings.tenants_dir / "anstadt.yaml"
    text = file.read_text().replace(f"{towns['anstadt'].url}/parking.json", f"{dripping}/parking.json")
    file.write_text(text.replace("attempts: 1}", 'attempts: 9, fetch_time: "1 s"}'))
    result = batch()
    assert materialised(workplace.instance, result) >= {(slug, "published") for slug in towns}
    assert workplace.ask("anstadt", "select sum(value)::int from observation") == [(12,)]
    checks = [check for check in checked(workplace.instance, result) if not check.passed]
    assert {(check.partition, *check.asset_key.path) for check in checks} == {
        ("anstadt", "landing", "json"),
        ("anstadt", "tenants", "health"),
    }
    assert workplace.instance.get_run_by_id(result.run_id).tags["civitas/outcome"] == "faults"
    (check,) = [check for check in checks if check.check_name == ANSWERED]
    assert "1 request(s) not answered within http.fetch_time (1 s)" in str(check.description)


@pytest.fixture
def dripping() -> Iterator[str]:
    """A server that sends one header line after the other, and never a body."""
    stopped = threading.Event()

    class Drip(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                self.request.sendall(b"HTTP/1.1 200 OK\r\n")
                while not stopped.wait(0.05):
                    self.request.sendall(b"X-More: yes\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Drip) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        stopped.set()
        server.shutdown()
        thread.join()


def test_tenant_that_another_run_works_for_is_left_to_it(
    workplace: Workplace,
    towns: Any,
    batch: Callable[..., dg.ExecuteInProcessResult],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("civitas_assets.defs.batch._LOCK_TIMEOUT", 0.0)
    with hold_tenant_lock(workplace.settings.locks, "anstadt"):
        result = batch(tenants=["anstadt", "bestadt"])
    assert result.success
    assert {partition for partition, _ in materialised(workplace.instance, result)} == {"bestadt"}


def test_frequent_source_reads_its_look_back_once_a_day_and_then_only_today(
    workplace: Workplace, towns: Any, batch: Callable[..., dg.ExecuteInProcessResult]
) -> None:
    for slug in towns:
        file = workplace.settings.tenants_dir / f"{slug}.yaml"
        file.write_text(file.read_text().replace("/counter.csv", "/counter.csv?day={day:%Y-%m-%d}"))

    def requests(result: Any) -> int:
        told = [entry.get_dagster_event() for entry in workplace.instance.all_logs(result.run_id)
                if entry.is_dagster_event]  # fmt: skip
        return sum(
            int(event.asset_observation_data.asset_observation.metadata["requests"].value)  # type: ignore[misc]
            if event.event_type is dg.DagsterEventType.ASSET_OBSERVATION
            else int(event.step_materialization_data.materialization.metadata["requests"].value)
            for event in told
            if event.asset_key == dg.AssetKey(["landing", "csv"])
            and event.event_type
            in {dg.DagsterEventType.ASSET_OBSERVATION, dg.DagsterEventType.ASSET_MATERIALIZATION}
        )

    whole = requests(batch(tenants=["anstadt"]))
    assert whole > 10
    workplace.clock += timedelta(minutes=15)
    assert requests(batch(tenants=["anstadt"])) == 1
    workplace.clock += timedelta(days=1)
    assert requests(batch(tenants=["anstadt"])) == whole


@pytest.fixture
def processes(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """As deployed: tenants' turns are finished by processes, which have the clock of the machine."""
    real = type(workplace).deployment.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(
        type(workplace),
        "deployment",
        property(
            lambda self: replace(
                real(self), settings=real(self).settings.model_copy(update={"workers": 2}), now=get_utc_now
            )
        ),
    )


def test_processes_publish_what_one_would_and_tell_the_run(
    workplace: Workplace, towns: Any, batch: Callable[..., dg.ExecuteInProcessResult], processes: None
) -> None:
    result = batch()
    assert result.success
    layers = ("landing", "records", "shared", "published", "tenants")
    assert materialised(workplace.instance, result) == {(slug, layer) for slug in towns for layer in layers}
    for slug in towns:
        assert workplace.ask(slug, "select sum(value)::int from observation") == [(12,)]
    assert {night.published for slug in towns for night in nights(workplace, slug)} == {True}


_KILLED = """
import os, signal, sys

def end(event, arguments):
    if event == "os.mkdir" and "/workspaces/" in str(arguments[0]) and str(arguments[0]).endswith("-anstadt"):
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(end)
"""


@pytest.mark.usefixtures("towns", "processes")
def test_process_that_is_killed_takes_one_tenant_with_it(
    workplace: Workplace,
    batch: Callable[..., dg.ExecuteInProcessResult],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "killed").mkdir()
    (tmp_path / "killed" / "sitecustomize.py").write_text(_KILLED)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "killed"))
    result = batch()
    assert not result.success
    assert workplace.ask("bestadt", "select sum(value)::int from observation") == [(12,)]
    assert not workplace.published("anstadt").exists()
    (fault,) = faults_of(workplace, result.run_id)["anstadt"]
    assert fault.startswith("turn: the process that worked for the tenant was killed")
    (night,) = nights(workplace, "anstadt")  # which its page shows
    assert [failure.name for failure in night.failures] == ["turn"]

    monkeypatch.delenv("PYTHONPATH")
    assert batch().success
    assert workplace.ask("anstadt", "select sum(value)::int from observation") == [(12,)]


@pytest.mark.usefixtures("processes")
def test_payload_beyond_its_memory_is_the_fault_of_its_source_alone(
    workplace: Workplace,
    towns: Any,
    batch: Callable[..., dg.ExecuteInProcessResult],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = (f"2026-08-20T10:{minute:02}:00Z,1,{minute},{'x' * 100_000}" for minute in range(45))
    towns["anstadt"].pages["/counter.csv"] = "\n".join(["time,id,count,remark", *rows, ""]).encode()
    monkeypatch.setenv("CIVITAS_MAX_MEMORY", "3MB")
    result = batch()
    assert materialised(workplace.instance, result) >= {(slug, "published") for slug in towns}
    assert workplace.ask("anstadt", "select free from parking_status") == [(3,)]
    assert workplace.ask("bestadt", "select sum(value)::int from observation") == [(12,)]
    checks = [check for check in checked(workplace.instance, result) if check.check_name == READ]
    told = [str(check.description) for check in checks if not check.passed]
    assert told
    assert all("/counter.csv" in text and "CIVITAS_MAX_MEMORY" in text for text in told)


def nights(workplace: Workplace, slug: str) -> list[Night]:
    return NightBook(workplace.deployment.files, slug).read_last(9)

"""Whole nights with landing and records in a folder and in object storage give the same tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from civitas_assets.pipeline.runner import Order, run_tenant
from civitas_assets.store.storage import make_storage
from testbed.objects import SECRET, ObjectServer
from tests.integration.conftest import CivitasIn, MakeCounts, Server, Workplace

TABLES = {
    "observation": "day, datastream_id, phenomenon_start_at, value, revision, source",
    "observation_hourly": "day, hour_start_at, value",
    "parking_status": "day, site_id, observed_at, free",
    "station": "station_id, name",
}
FIRST, LATER = "2026-08-20T10:00:00Z", "2026-08-21T10:00:00Z"


@pytest.fixture(params=["folder", "objects"])
def place(request: pytest.FixtureRequest, kleinstadt: Workplace, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The small town's deployment, with its stores in one and in the other."""
    if request.param == "objects":
        monkeypatch.setenv("CIVITAS_STORAGE_URL", request.getfixturevalue("storage_url"))
    return kleinstadt


@pytest.fixture
def shared(storage_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Object storage for all deployments of the test."""
    monkeypatch.setenv("CIVITAS_STORAGE_URL", storage_url)
    return storage_url


@pytest.fixture
def another(new_workplace: Callable[[], Any], town: Server) -> Any:
    """A deployment of the same town on another machine."""
    workplace = new_workplace()
    workplace.copy_tenant("kleinstadt", url=town.url)
    return workplace


def test_a_night_one_without_news_and_a_correction(place: Any, town: Server, counts: MakeCounts) -> None:
    first = place.run("kleinstadt")
    assert first.ok, first.errors
    assert place.ask("kleinstadt", "select sum(value)::int from observation") == [(12,)]
    again = place.run("kleinstadt")
    assert (again.ok, again.new, again.days) == (True, 0, 0)
    town.pages["/counter.csv"] = counts({FIRST: 6, LATER: 1})
    corrected = place.run("kleinstadt")
    assert (corrected.ok, corrected.new, corrected.changed) == (True, 1, 1)
    assert place.ask("kleinstadt", "select sum(value)::int, max(revision) from observation") == [(14, 2)]
    assert not any(place.settings.workspaces.glob("*")), "what a run has copied is gone with it"
    kept = {path.name for path in place.settings.home.iterdir()}
    assert ({"landing", "records"} <= kept) is not bool(place.settings.storage_url)


def content(place: Any) -> list[list[tuple[Any, ...]]]:
    return [
        place.ask("kleinstadt", f"select {columns} from {table} order by all")  # noqa: S608 - the test's own
        for table, columns in TABLES.items()
    ]


def test_another_machine_rebuilds_from_the_same_objects_without_fetching(
    kleinstadt: Workplace, shared: str, another: Any, command_in: CivitasIn, object_store: ObjectServer
) -> None:
    assert kleinstadt.settings.storage_url == shared
    assert kleinstadt.run("kleinstadt").ok
    called = command_in(another)("rebuild", "kleinstadt", "--records")
    assert called.exit_code == 0, called.output
    assert f"are kept in {shared}/aside/kleinstadt-" in called.output
    assert content(another) == content(kleinstadt)
    assert make_storage(another.settings).files.list_keys("aside/")
    with make_storage(kleinstadt.settings).hold("kleinstadt"):
        busy = another.run("kleinstadt")
    assert any("another run is working for kleinstadt" in error for error in busy.errors)
    object_store.faults.extend([403] * 200)
    try:
        failed = run_tenant(another.deployment, "kleinstadt", Order())
    finally:
        object_store.faults.clear()
    assert any("check the AWS_* credentials" in error for error in failed.errors)
    assert not [path for path in files_of(kleinstadt, another) if SECRET.encode() in path.read_bytes()]


def files_of(*places: Any) -> list[Path]:
    return [path for place in places for path in place.folder.rglob("*") if path.is_file()]

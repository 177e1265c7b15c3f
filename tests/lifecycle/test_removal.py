"""A tenant that is removed leaves a report and nothing else; an interruption costs a second call."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from civitas_assets.errors import StoreError, TenantBusy
from civitas_assets.harmonise.workspace_tables import WORKSPACE_FILE
from civitas_assets.lifecycle.parts import Part, list_tenant_parts
from civitas_assets.lifecycle.removal import is_removed, measure_parts, remove_tenant
from civitas_assets.settings import Settings
from civitas_assets.store.storage import Storage, make_storage

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)


@pytest.fixture(params=["folder", "objects"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Two towns with something everywhere; the key of one begins with that of the other."""
    url = request.getfixturevalue("storage_url") if request.param == "objects" else ""
    made = Settings(home=tmp_path / "home", tenants_dir=tmp_path / "tenants", storage_url=url)
    made.tenants_dir.mkdir()
    files = make_storage(made).files
    for slug in ("town", "town_2"):
        (made.tenants_dir / f"{slug}.yaml").write_text("name: x\n", encoding="utf-8")
        for key in (
            f"landing/{slug}/s/bodies/ab/abc.zst", f"records/{slug}/observation/2026-07-01.parquet",
            f"records/{slug}/journal/read/s.json", f"quarantine/{slug}/s.parquet",
            f"retention/{slug}/records_from.txt", f"aside/{slug}-20260701T000000/records/x/all.parquet",
            f"commons/pending/{slug}/run.json",
        ):  # fmt: skip
            files.write(key, b"{}")
        output = made.published / slug
        output.mkdir(parents=True)
        (output / f"{slug}_db.duckdb").write_bytes(b"x" * 100)
        workspace = made.workspaces / f"run-of-{slug}"
        workspace.mkdir(parents=True)
        with duckdb.connect(str(workspace / WORKSPACE_FILE)) as connection:
            connection.execute("create schema records")
            connection.execute("create table records.tenant as select ? as tenant", [slug])
    return made


def parts(settings: Settings) -> Sequence[Part]:
    return list_tenant_parts(settings, make_storage(settings).files, "town")


def left(settings: Settings, slug: str) -> set[str]:
    """Where something of a town is."""
    files = make_storage(settings).files
    roots = ("landing", "records", "quarantine", "retention", "aside", "commons", "locks")
    keys = [key for root in roots for key in files.list_keys(f"{root}/")]
    found = {key.split("/")[0] for key in keys if {slug, f"{slug}.lock", f"{slug}.json"} & {*key.split("/")}}
    found |= {"aside" for key in keys if key.startswith(f"aside/{slug}-")}
    places = [
        settings.tenants_dir / f"{slug}.yaml",
        settings.published / slug,
        settings.workspaces / f"run-of-{slug}",
    ]
    return found | {place.parent.name for place in places if place.exists()}


def test_everything_of_the_town_goes_and_nothing_of_another(settings: Settings) -> None:
    storage = make_storage(settings)
    before = left(settings, "town_2")
    assert len(before) == 9
    assert left(settings, "town") == before
    settings.parsed_tenants.write_bytes(b"of all towns")
    report = remove_tenant(storage, "town", parts(settings), lambda: NOW)
    assert not settings.parsed_tenants.exists()
    assert left(settings, "town") == set()
    assert left(settings, "town_2") == before
    assert {name for name, size in report.parts.items() if size} == {
        "configuration", "output", "landing", "records", "quarantine", "retention", "aside", "workspaces",
    }  # fmt: skip
    (key,) = storage.files.list_keys("removed/")
    assert key == "removed/town-20261126T030000.json"
    kept = json.loads(storage.files.read(key) or b"")
    assert kept["finished_at"]
    assert kept["parts"]["records"] == {"files": 2, "bytes": 4, "rows": 0}
    assert (is_removed(storage.files, "town"), is_removed(storage.files, "town_2")) == (True, False)


def test_an_interrupted_removal_goes_on_and_reports_what_there_was(settings: Settings) -> None:
    storage, whole = make_storage(settings), list(parts(settings))

    def crash() -> None:
        raise KeyboardInterrupt

    at = [part.name for part in whole].index("records")
    with pytest.raises(KeyboardInterrupt):
        remove_tenant(
            storage, "town", [*whole[:at], replace(whole[at], remove=crash), *whole[at + 1 :]], lambda: NOW
        )
    assert {"records", "quarantine"} <= left(settings, "town")
    report = remove_tenant(storage, "town", parts(settings), lambda: NOW)
    assert left(settings, "town") == set()
    assert report.parts["landing"].files == 1, "which had gone the first time"
    assert len(storage.files.list_keys("removed/")) == 1


def test_nothing_goes_while_somebody_works_for_the_town(settings: Settings) -> None:
    storage, before = make_storage(settings), left(settings, "town")
    with storage.hold("town"), pytest.raises(TenantBusy):
        remove_tenant(storage, "town", parts(settings), lambda: NOW)
    assert left(settings, "town") - {"locks"} == before
    assert not storage.files.list_keys("removed/")


def test_what_cannot_be_removed_is_said_and_the_report_stays_open(settings: Settings) -> None:
    storage = make_storage(settings)
    stuck = [
        replace(part, remove=lambda: None) if part.name == "output" else part for part in parts(settings)
    ]
    with pytest.raises(StoreError, match="output is still there"):
        remove_tenant(storage, "town", stuck, lambda: NOW)
    (key,) = storage.files.list_keys("removed/")
    assert json.loads(storage.files.read(key) or b"")["finished_at"] is None


@pytest.mark.parametrize("slug", ["commons", "../town", "town/..", "", "pg_catalog", "Town"])
def test_only_a_tenant_can_be_removed(settings: Settings, slug: str) -> None:
    with pytest.raises(StoreError, match="no tenant's key"):
        measure_parts(slug, parts(settings))


def test_a_town_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, tenants_dir=tmp_path)
    storage: Storage = make_storage(settings)
    files: Any = storage.files
    nothing = list_tenant_parts(settings, files, "nowhere")
    with pytest.raises(StoreError, match="nothing of a tenant nowhere"):
        remove_tenant(storage, "nowhere", nothing, lambda: NOW)


def test_what_killed_runs_have_left_goes_too(settings: Settings) -> None:
    """A workspace that was not finished, copies of records for a rehearsal, and a file that was being written."""
    home = settings.home
    debris = [
        settings.workspaces / "1f0e-town" / WORKSPACE_FILE,
        settings.workspaces / "1f0e-abc_12" / "records" / "town" / "observation" / "2026-07-01.parquet",
        home / "landing" / "town" / "s" / "bodies" / "ab" / ".abc.zst-00",
    ]
    other = settings.workspaces / "1f0e-town_2" / WORKSPACE_FILE
    for file in (*debris, other):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"half")
    measured = {part.name: part.measure().files for part in parts(settings)}
    assert (measured["workspaces"], measured["landing"]) == (3, 1 if settings.storage_url else 2)
    remove_tenant(make_storage(settings), "town", parts(settings), lambda: NOW)
    assert not [file for file in debris[: 2 if settings.storage_url else 3] if file.exists()]
    assert other.exists()

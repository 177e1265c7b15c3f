"""Tables follow their contracts at the next publish, and a rebuild fills what that leaves empty, day after day."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from civitas_assets.harmonise.project import Project
from civitas_assets.pipeline.runner import Order
from tests.integration.conftest import Server, Workplace

DAYS = "select day::varchar, free, occupied_share, free_twice from parking_status order by 1"


@pytest.fixture(params=["duckdb", "postgres"])
def destination(request: pytest.FixtureRequest) -> str:
    """All of this holds for every destination."""
    return str(request.param)


def parking(free: dict[int, int]) -> bytes:
    """The car park's answer: free spaces by day."""
    place = {"id": "P1", "total": 10, "x": 9.1, "y": 50.1}
    rows = [{**place, "free": count, "at": f"2026-08-{day:02d}T12:00:00"} for day, count in free.items()]
    return json.dumps(rows).encode()


def test_columns_come_widen_and_are_renamed_at_the_next_publish_and_a_rebuild_fills_them(
    kleinstadt: Workplace, town: Server, changed_project: Project
) -> None:
    assert kleinstadt.run("kleinstadt").ok
    counted = kleinstadt.ask("kleinstadt", "select * from observation order by all")

    kleinstadt.project = changed_project
    quiet = kleinstadt.run("kleinstadt")  # nothing new was fetched, and yet the tables follow
    assert quiet.ok
    lacking = "parking_status.free_twice is new and empty on the days before; "
    assert quiet.warnings == [lacking + "`civitas rebuild kleinstadt` fills them from the records"]
    assert kleinstadt.ask("kleinstadt", DAYS) == [("2026-08-20", 3, 0.7, None)]
    types = "select column_name, data_type from duckdb_columns() where table_name = 'parking_status'"
    assert dict(kleinstadt.ask("kleinstadt", types))["revision"] == "BIGINT"

    town.pages["/parking.json"] = parking({21: 4})
    assert kleinstadt.run("kleinstadt").warnings == quiet.warnings
    assert kleinstadt.ask("kleinstadt", DAYS) == [("2026-08-20", 3, 0.7, None), ("2026-08-21", 4, 0.6, 8)]

    rebuilt = kleinstadt.run("kleinstadt", Order(fetch=False, rebuild=True))
    assert (rebuilt.ok, rebuilt.days, rebuilt.warnings) == (True, 2, [])
    assert kleinstadt.ask("kleinstadt", DAYS) == [("2026-08-20", 3, 0.7, 6), ("2026-08-21", 4, 0.6, 8)]
    assert kleinstadt.ask("kleinstadt", "select * from observation order by all") == counted


def test_rebuild_that_is_killed_goes_on_where_it_was_and_nobody_sees_half_of_it(
    kleinstadt: Workplace, town: Server
) -> None:
    town.pages["/parking.json"] = parking({19: 4, 20: 5, 21: 6})
    assert kleinstadt.run("kleinstadt").ok
    everything = "select * exclude (received_at, run_id) from {} order by all"
    before = {
        table: kleinstadt.ask("kleinstadt", everything.format(table))
        for table in ("parking_status", "observation")
    }
    published = kleinstadt.state("kleinstadt")

    environment = {**kleinstadt.environment(), "CIVITAS_REBUILD_PORTION": "1"}
    command = [sys.executable, "-m", "civitas_assets.cli", "rebuild", "kleinstadt"]
    killed = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert killed.stderr is not None
    for line in killed.stderr:
        if "portion 2 of 3" in line:
            break
    killed.kill()
    killed.communicate()
    assert kleinstadt.state("kleinstadt") == published

    resumed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "portion 1 of 2: 2026-08-20 to 2026-08-20" in " ".join(resumed.stderr.split())
    for table, rows in before.items():
        assert kleinstadt.ask("kleinstadt", everything.format(table)) == rows
    if kleinstadt.postgres_url is None:
        left = kleinstadt.published("kleinstadt").parent.iterdir()
        assert [path.name for path in left] == ["kleinstadt_db.duckdb"]


def test_only_days_that_changed_since_a_rebuild_was_interrupted_are_made_again(
    kleinstadt: Workplace, town: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "civitas_assets.harmonise")
    town.pages["/parking.json"] = parking({14: 3, 16: 3, 18: 3})
    assert kleinstadt.run("kleinstadt").ok
    monkeypatch.setenv("CIVITAS_REBUILD_PORTION", "1")
    anew = Order(fetch=False, rebuild=True)
    with monkeypatch.context() as patch:
        last_step = (
            "postgres.postgres_changes.Changes.measure_bytes"
            if kleinstadt.postgres_url
            else "duckdb.duckdb_tables.DuckDBTables.forget_collected"
        )
        patch.setattr(f"civitas_assets.publish.{last_step}", _full_disk)
        stopped = kleinstadt.run("kleinstadt", anew)
    assert re.search("No space left on device|is full", str(stopped.errors))

    town.pages["/parking.json"] = parking({14: 8})
    assert kleinstadt.run("kleinstadt").ok
    caplog.clear()
    assert kleinstadt.run("kleinstadt", anew).ok
    made = [
        record.getMessage().partition("portion ")[2] for record in caplog.records if "portion" in record.msg
    ]
    assert made == ["1 of 2: 2026-08-14 to 2026-08-14", "2 of 2: 2026-08-20 to 2026-08-20"]
    rows = "select day::varchar, free from parking_status order by 1"
    assert kleinstadt.ask("kleinstadt", rows) == [
        ("2026-08-14", 8),
        ("2026-08-16", 3),
        ("2026-08-18", 3),
    ]


def test_a_thing_whose_many_days_get_a_new_name_is_made_in_portions_and_seen_all_at_once(
    kleinstadt: Workplace, town: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "civitas_assets.harmonise")
    names = (
        "select day::varchar, free, name from parking_status join parking_site using (site_key) order by 1"
    )
    town.pages["/parking.json"] = parking({14: 3, 16: 3, 18: 3}).replace(b'"P1"', b'"P1", "name": "Old"')
    settings = kleinstadt.settings.tenants_dir / "kleinstadt.yaml"
    settings.write_text(settings.read_text().replace("{site_id: id,", "{site_id: id, name: name,"))
    assert kleinstadt.run("kleinstadt").ok
    assert "portion" not in caplog.text
    town.pages["/parking.json"] = town.pages["/parking.json"].replace(b"Old", b"New")
    monkeypatch.setenv("CIVITAS_REBUILD_PORTION", "1")
    assert kleinstadt.run("kleinstadt").ok
    assert "portion 4 of 4: 2026-08-20" in caplog.text
    assert kleinstadt.ask("kleinstadt", names) == [(f"2026-08-{day}", 3, "New") for day in (14, 16, 18)]
    assert kleinstadt.ask("kleinstadt", "select sum(value)::int from observation") == [(12,)]


def _full_disk(*_: object) -> None:
    raise OSError(28, "No space left on device")

"""A tenant with several destinations: what one does not take, the others do, and it alone makes up for it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from civitas_assets.errors import PublishError
from civitas_assets.lifecycle.erasure_published import count_published_rows
from civitas_assets.lifecycle.needles import Needles
from civitas_assets.pipeline import turn
from civitas_assets.publish.duckdb.duckdb import DuckDBDestination
from civitas_assets.publish.query import ask_tables
from civitas_assets.store.stores import Stores
from civitas_assets.store.summary import SummaryStore
from tests.integration.conftest import CivitasIn, MakeCounts, Server, Workplace

BOTH = "\ndestination: [duckdb, postgres]\nshare: [parking_status]\n"
VALUES = "select value::int from observation order by value"


@pytest.fixture
def both(workplace: Workplace, town: Server, postgres_url: str) -> Workplace:
    """A town that is published to a file and to a server."""
    workplace.write_tenant("kleinstadt", workplace.template("kleinstadt", url=town.url) + BOTH)
    workplace.postgres_url = postgres_url
    return workplace


@pytest.fixture
def read(both: Workplace) -> Callable[[str], list[object]]:
    """The counts in a destination."""

    def ask(kind: Any) -> list[object]:
        return [row[0] for row in ask_tables(both.settings, "kleinstadt", VALUES, 9, destination=kind).rows]

    return ask


def test_what_one_destination_does_not_take_others_do_and_it_is_made_up_for_alone(
    both: Workplace,
    town: Server,
    counts: MakeCounts,
    read: Callable[[str], list[object]],
    command_in: CivitasIn,
) -> None:
    first = both.run("kleinstadt")
    assert first.ok, first.errors
    assert read("duckdb") == read("postgres") == [5, 7]
    assert "kleinstadt_db.duckdb, " in first.path
    assert "schema kleinstadt" in first.path

    # A package for CIVITAS/CORE, whose data source is asked as the platform asks it.
    package = both.folder / "package"
    done = command_in(both)("core", "kleinstadt", "--output", str(package), "--days", "20000")
    assert done.exit_code == 0, done.output
    said = json.loads((package / "observation.datasource.json").read_text(encoding="utf-8"))
    with psycopg.connect(both.postgres_url) as connection:
        asked = f"select {', '.join(said['columns'])} from {said['table']} where {said['where']}"  # noqa: S608
        assert len(connection.execute(asked).fetchall()) == 2
    assert (package / "parking_site.pipeline.json").is_file()

    url, both.postgres_url = (
        both.postgres_url,
        f"{both.postgres_url}_away",
    )
    town.pages["/counter.csv"] = counts({"2026-08-21T10:00:00Z": 6})
    broken = both.run("kleinstadt")
    assert [error.partition(":")[0] for error in broken.errors] == ["publish_postgres"]
    both.postgres_url = url
    assert (read("duckdb"), read("postgres")) == ([5, 6, 7], [5, 7])

    file = both.published("kleinstadt").stat().st_ino
    mended = both.run("kleinstadt")
    assert mended.ok, mended.errors
    assert both.published("kleinstadt").stat().st_ino == file, (
        "what was published well is not published again"
    )
    assert read("postgres") == [5, 6, 7]
    stores = Stores.for_tenant(both.deployment.files, "kleinstadt")
    assert not stores.journal.read_pending().entries

    good = both.published("kleinstadt").read_bytes()
    both.published("kleinstadt").write_bytes(b"damaged" * 1000)
    town.pages["/counter.csv"] = counts({"2026-08-21T11:00:00Z": 8})
    assert [error.partition(":")[0] for error in both.run("kleinstadt").errors] == ["publish_duckdb"]
    both.published("kleinstadt").write_bytes(good)
    assert read("postgres") == [5, 6, 7, 8]
    # Quite another value of the same day, before the first destination has seen the last one.
    town.pages["/counter.csv"] = counts({"2026-08-21T12:00:00Z": 9})
    assert both.run("kleinstadt").ok
    assert read("duckdb") == read("postgres") == [5, 6, 7, 8, 9]


def test_what_is_not_listed_any_more_is_taken_away_with_what_was_shared_there(
    both: Workplace, read: Callable[[str], list[object]]
) -> None:
    assert both.run("kleinstadt").ok
    tenant = both.deployment.catalog.get_tenant("kleinstadt")
    stores = Stores.for_tenant(both.deployment.files, "kleinstadt")
    needles = Needles(["1x"])
    found = dict(count_published_rows(both.settings, tenant, stores, needles))
    in_each = ask_tables(both.settings, "kleinstadt", "select * from observation", 99, "duckdb").rows
    assert found["published/observation"].rows == 2 * len(in_each)
    shared = "select tenant from parking_status"
    assert ask_tables(both.settings, "commons", shared, 9, "duckdb").rows == [("kleinstadt",)]

    file = both.settings.tenants_dir / "kleinstadt.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("[duckdb, postgres]", "postgres"), encoding="utf-8")
    outcome = both.run("kleinstadt")
    assert outcome.ok, outcome.errors
    assert not both.published("kleinstadt").parent.exists()
    assert SummaryStore(both.deployment.files, "kleinstadt").read().destinations.keys() == {"postgres"}
    assert not ask_tables(
        both.settings, "commons", "from duckdb_views() where schema_name = 'commons'", 9, "duckdb"
    ).rows

    file.write_text(text.replace("[duckdb, postgres]", "duckdb"), encoding="utf-8")
    outcome = both.run("kleinstadt")
    assert outcome.ok, outcome.errors
    assert read("duckdb") == [5, 7]
    assert "kleinstadt has no output" in _ask_in_vain(both)


def test_each_destination_is_filled_whole_whatever_another_lacks_and_whenever_a_run_ends(
    both: Workplace,
    town: Server,
    counts: MakeCounts,
    read: Callable[[str], list[object]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _list(both, "postgres")
    assert both.run("kleinstadt").ok

    # What reading has found is said also where nothing can be published.
    url, both.postgres_url = both.postgres_url, f"{both.postgres_url}_away"
    town.pages["/counter.csv"] = counts({"2026-08-21T10:00:00Z": 6, "2026-08-21T10:15:00Z": "broken"})
    away = both.run("kleinstadt")
    both.postgres_url = url
    assert ([error.partition(":")[0] for error in away.errors], away.rejected) == (["harmonise"], 1)

    # One that is added needs all days; that these cannot be collected is its own fault.
    _list(both, "[duckdb, postgres]")
    settings = both.settings.model_copy(update={"rebuild_portion": 1})
    with monkeypatch.context() as failing:
        failing.setattr(DuckDBDestination, "collect", _fail)
        failing.setattr(type(both), "settings", settings)
        assert both.run("kleinstadt").errors == ["publish_duckdb: there is no room"]
    assert read("postgres") == [5, 6, 7]

    # Unlisted for one night, which ends before it is taken away there.
    _list(both, "duckdb")
    town.pages["/counter.csv"] = counts({"2026-08-21T11:00:00Z": 8})
    with monkeypatch.context() as failing:
        failing.setattr(turn, "clear_unlisted", _fail)
        assert both.run("kleinstadt").errors == ["clear: there is no room"]
    _list(both, "[duckdb, postgres]")
    assert both.run("kleinstadt").ok
    assert read("duckdb") == read("postgres") == [5, 6, 7, 8]


def _list(both: Workplace, kinds: str) -> None:
    file = both.settings.tenants_dir / "kleinstadt.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"(?m)^destination: .*$", f"destination: {kinds}", text), encoding="utf-8")


def _fail(*_: object) -> Any:
    raise PublishError("there is no room")


def _ask_in_vain(both: Workplace) -> str:
    with pytest.raises(Exception, match="kleinstadt") as caught:
        ask_tables(both.settings, "kleinstadt", "select 1", 1, "postgres")
    return str(caught.value)

"""What only the published DuckDB file promises: rows lie in order, and what was deleted is in none of its blocks."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from civitas_assets.harmonise.project import Project
from civitas_assets.publish.duckdb.duckdb_tables import DuckDBTables
from civitas_assets.publish.duckdb.duckdb_waste import measure_waste
from tests.publish.destinations.conftest import MakeRow, Town, make_town

D1, D2 = date(2026, 7, 31), date(2026, 8, 1)
ORDER = "select site_key, observed_at::varchar, rowid from status order by rowid"


@pytest.fixture
def file_town(tmp_path: Path, project: Project) -> Town:
    return make_town(tmp_path, "duckdb", project, None)


@pytest.mark.parametrize("at_once", [1, 3, 100])
def test_rows_lie_by_day_then_time_then_series(
    file_town: Town, status: MakeRow, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("civitas_assets.publish.duckdb.duckdb_tables._SORTED_AT_ONCE", at_once)
    late = {"observed_at": f"{D1}T13:00:00Z"}
    rows = [status("a", D2, 1), status("b", D1, 2, **late), status("b", D1, 3), status("a", D1, 4)]
    file_town.publish([D1, D2], rebuild=True, status=rows)
    order = [(key, at[:13]) for key, at, _ in file_town.ask(ORDER)]
    assert order == [
        ("a", f"{D1} 12"),
        ("b", f"{D1} 12"),
        ("b", f"{D1} 13"),
        ("a", f"{D2} 12"),
    ]


def test_no_block_of_the_file_holds_the_text_of_a_day_that_is_gone(file_town: Town, status: MakeRow) -> None:
    text = "left on the seat of car NF-XY 4711"
    days = [D1, D2]
    file_town.publish(days, rebuild=True, status=[status(f"s{n}", D1, n, note=text) for n in range(60)])
    file = Path(file_town.destination.address)
    assert text.encode() in file.read_bytes()
    before = file_town.ask("select * from meta.publication")
    file_town.publish([D1], status=[])
    assert text.encode() not in file.read_bytes()
    assert file_town.ask("select count(*) from status") == [(0,)]
    assert file_town.ask("select contracts from meta.publication") == [before[0][:1]]
    assert not file_town.destination.plan_migration(file_town.project)
    comment = "select comment from duckdb_columns() where table_name = 'status' and column_name = 'note'"
    assert file_town.ask(comment) == [('What note is: 100 % of the site\'s "note".',)]


def test_tables_that_a_rebuild_fills_in_portions_say_what_they_are(file_town: Town, status: MakeRow) -> None:
    file_town.collect({D1: "v1"}, status=[status("x", D1, 10)])
    file_town.publish([D2], rebuild=True, status=[status("x", D2, 11)])
    untold = "select 1 from duckdb_columns() where schema_name = 'main' and not internal and comment is null"
    assert file_town.ask(untold) == []


def test_the_share_of_a_file_that_holds_nothing_is_told_and_writing_it_anew_gives_it_back(
    tmp_path: Path,
) -> None:
    old, new = tmp_path / "old.duckdb", tmp_path / "new.duckdb"
    columns = ", ".join(f"random() as r{number}" for number in range(10))
    with duckdb.connect(str(old)) as connection:
        connection.execute(
            f"create table status as select ?::date + (n % 2)::int as day, {columns} from range(600000) as r(n)",  # noqa: S608
            [D1],
        )
        tables = DuckDBTables(connection)
        assert measure_waste(tables.connection) == 0
        connection.execute("create schema meta; create table meta.publication as select 'x' as contracts")
        connection.execute("delete from status where day = ?", [D2])
        assert 0.4 < measure_waste(tables.connection) < 0.7
    with duckdb.connect(str(new)) as connection:
        tables = DuckDBTables(connection)
        tables.copy_from(old, {})
        assert tables.count("status") == 300_000
        assert measure_waste(tables.connection) == 0
    assert new.stat().st_size < 0.6 * old.stat().st_size


def test_rows_that_are_as_before_stay_where_they_are(file_town: Town, status: MakeRow) -> None:
    file_town.publish([D1], rebuild=True, status=[status(key, D1, 1) for key in "abcd"])
    file_town.publish([D1], status=[status("a", D1, 1), status("b", D1, 2, note="new"), status("d", D1, 1)])
    # Whole days would lie in their order again.
    assert file_town.ask("select site_key, free from status order by rowid") == [("a", 1), ("d", 1), ("b", 2)]


def test_row_that_was_there_twice_is_there_once(file_town: Town, status: MakeRow) -> None:
    file_town.publish([D1], rebuild=True, status=[status("a", D1, 1), status("a", D1, 1)])
    file_town.publish([D1], status=[status("a", D1, 1)])
    assert file_town.ask("select count(*) from status") == [(1,)]

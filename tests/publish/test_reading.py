"""A published file is read in batches, never written to, and sees nothing beside itself."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from civitas_assets.errors import PublishError
from civitas_assets.harmonise.workspace import Workspace
from civitas_assets.publish.query import ask_kept
from civitas_assets.publish.reading import open_published
from civitas_assets.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A deployment whose town has published ten thousand rows."""
    made = Settings(home=tmp_path)
    folder = made.published / "town"
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "town_db.duckdb")) as connection:
        connection.execute("create table b as select range as number, 'x' as text from range(10000)")
        connection.execute('create table a ("at" timestamptz)')
        connection.execute("insert into a values ('2026-08-20 12:00:00+02')")
    return made


def test_models_and_columns_are_listed_with_their_types(settings: Settings) -> None:
    with open_published(settings, "town") as tables:
        assert tables.list_columns() == {
            "a": {"at": "TIMESTAMP WITH TIME ZONE"},
            "b": {"number": "BIGINT", "text": "VARCHAR"},
        }


def test_a_batch_has_at_most_so_many_rows_and_the_order_is_kept(settings: Settings) -> None:
    with open_published(settings, "town") as tables:
        batches = [*tables.stream("select number from b where number >= ?", [10], 2048)]
    assert max(batch.num_rows for batch in batches) == 2048
    numbers = [number for batch in batches for number in batch.column(0).to_pylist()]
    assert numbers == [*range(10, 10_000)]


def test_times_are_in_utc(settings: Settings) -> None:
    with open_published(settings, "town") as tables:
        (batch,) = tables.stream('select "at"::varchar from a', [], 10)
    assert batch.column(0).to_pylist() == ["2026-08-20 10:00:00+00"]


def test_a_few_rows_are_plain_values_as_arrow_gives_them(settings: Settings) -> None:
    sql = 'select number, text, "at", sum(number) over ()::double as sum from b, a where number < $1 order by number'
    with open_published(settings, "town") as tables:
        found = tables.query_rows(sql, [3])
        assert found == tables.query(sql, [3]).to_pylist()
        assert [row["number"] for row in found] == [0, 1, 2]
        with pytest.raises(PublishError, match="town: "):
            tables.query_rows("select * from c")


@pytest.mark.parametrize(
    "sql", ["select * from c", "delete from a", "select * from read_csv('/etc/passwd')", "select"]
)
def test_what_does_not_fit_or_would_leave_the_file_is_an_error(settings: Settings, sql: str) -> None:
    with open_published(settings, "town") as tables, pytest.raises(PublishError, match="town: "):
        tables.stream(sql, [], 10)


@pytest.fixture
def kept(settings: Settings) -> Settings:
    """The deployment after a run of its town that broke a test, with records beside those of another town."""
    for town in ("town", "other"):
        folder = settings.home / "records" / town
        folder.mkdir(parents=True)
        duckdb.sql(f"copy (select '{town}' as id) to '{folder}/records.parquet'")
    workspace = Workspace(settings.workspaces / "5b0c-1e77-town")
    workspace.folder.mkdir(parents=True)
    with duckdb.connect(str(workspace.database)) as connection:
        for schema in ("shared", "staging", "records"):
            connection.execute(f"create schema {schema}")
        connection.execute("create table shared.b as select 42 as number")
        stored = settings.home / "records" / "town" / "records.parquet"
        connection.execute(f"create view records.observation as from read_parquet('{stored}')")
    workspace.keep()
    return settings


def test_what_a_run_has_not_published_is_asked_with_the_records_beneath(kept: Settings) -> None:
    assert ask_kept(kept, "town", "5b0c-1e77", "from b", 5).rows == [(42,)]
    assert ask_kept(kept, "town", "5b0c-1e77", "from observation", 5).rows == [("town",)]


@pytest.mark.parametrize(
    ("tenant", "run", "sql", "said"),
    [
        ("town", "5b0c", "from b", "no workspace of a run 5b0c .*; there is: 5b0c-1e77$"),
        ("other", "5b0c-1e77", "from b", "no workspace of a run 5b0c-1e77 .* three days$"),
        ("*", "5b0c-1e77", "from b", "[*]"),
        ("town", "5b0c-1e77", "from read_parquet('HOME/records/other/records.parquet')", "Permission Error"),
        ("town", "5b0c-1e77", "delete from b", "read-only"),
        ("town", "5b0c-1e77", "set enable_external_access = true", "configuration has been locked"),
    ],
)
def test_nothing_else_is_asked_there(kept: Settings, tenant: str, run: str, sql: str, said: str) -> None:
    with pytest.raises(PublishError, match=said):
        ask_kept(kept, tenant, run, sql.replace("HOME", str(kept.home)), 5)

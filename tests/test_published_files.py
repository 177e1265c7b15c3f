"""Two published files are the same only if every table, column and value is; ids of runs may differ."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from testbed.published_files import compare_files

TABLE = "create table observation (day date, value double, run_id varchar);"
ROWS = """
insert into observation values ('2026-08-01', 1, '{run}'), ('2026-08-01', 1, '{run}'), ('2026-08-02', null, '{run}');
"""


@pytest.fixture
def differences(tmp_path: Path) -> Callable[[str, str], list[str]]:
    """What differs between two files that these statements make."""

    def compare(before: str, after: str) -> list[str]:
        files = tmp_path / "before.duckdb", tmp_path / "after.duckdb"
        for file, statements in zip(files, (before, after), strict=True):
            file.unlink(missing_ok=True)
            with duckdb.connect(str(file)) as connection:
                connection.execute(statements)
        return [*compare_files(*files)]

    return compare


def test_runs_may_have_other_ids(differences: Callable[[str, str], list[str]]) -> None:
    assert differences(TABLE + ROWS.format(run="a"), TABLE + ROWS.format(run="b")) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("update observation set value = 2 where day = '2026-08-02'", "observation: 1 rows are after only"),
        ("insert into observation values ('2026-08-01', 1, 'x')", "observation: 1 rows are after only"),
        ("delete from observation where value is null", "observation: 1 rows are before only"),
        ("alter table observation alter value set data type float", "observation: columns are"),
        ("comment on column observation.value is 'a value'", "observation: columns are"),
        ("create table station (id varchar)", "station: columns are"),
        ("drop table observation", "observation: columns are None"),
    ],
)
def test_what_differs_is_named(differences: Callable[[str, str], list[str]], change: str, said: str) -> None:
    made = TABLE + ROWS.format(run="a")
    assert any(line.startswith(said) for line in differences(made, made + change))

"""What an analyst sees: the old state or the new one, corrections with their history, and nothing that broke a test."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import timedelta

import duckdb
import pytest

from civitas_assets.harmonise.project import Project
from civitas_assets.publish.query import ask_kept
from tests.integration.conftest import MakeCounts, Server, Workplace

ALL = ("duckdb", "postgres")
READER = """
import sys, duckdb
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    for _ in range(2):
        print(connection.execute("select sum(value)::int from observation").fetchone()[0], flush=True)
        sys.stdin.readline()
"""


def test_reader_that_holds_the_file_is_not_disturbed_and_does_not_disturb(
    kleinstadt: Workplace, town: Server, counts: MakeCounts
) -> None:
    assert kleinstadt.run("kleinstadt").ok
    file = str(kleinstadt.published("kleinstadt"))
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert reader.stdin is not None
    assert reader.stdout is not None
    assert reader.stdout.readline() == "12\n"
    town.pages["/counter.csv"] = counts({"2026-08-20T10:00:00Z": 6, "2026-08-21T11:00:00Z": 7})
    assert kleinstadt.run("kleinstadt").ok
    reader.stdin.write("again\nenough\n")
    reader.stdin.flush()
    assert reader.communicate()[0] == "12\n"
    # 5 became 6, the 7 of the first file stays although the second no longer has it, and another 7 came.
    assert kleinstadt.ask("kleinstadt", "select sum(value)::int from observation") == [(20,)]


@pytest.mark.parametrize("destination", ALL)
def test_red_test_publishes_nothing_and_the_days_are_made_up_for_later(
    kleinstadt: Workplace,
    town: Server,
    counts: MakeCounts,
    changed_project: Project,
    caplog: pytest.LogCaptureFixture,
) -> None:
    kleinstadt.project = changed_project
    assert kleinstadt.run("kleinstadt").ok
    before = kleinstadt.state("kleinstadt")

    town.pages["/counter.csv"] = counts({"2026-08-21T10:00:00Z": 666, "2026-08-22T01:00:00Z": 8})
    red = kleinstadt.run("kleinstadt")
    assert not red.ok
    assert "no_value_is_666" in str(red.errors)
    assert "nothing was published" in str(red.errors)
    assert kleinstadt.state("kleinstadt") == before
    # The log says how to look at it, which also that of a batch does.
    (told,) = (text for text in caplog.messages if "can be looked at" in text)
    (run, sql), asked = (
        re.findall(r'civitas query kleinstadt --run (\S+) "(.+)"', told)[0],
        kleinstadt.settings,
    )
    found = ask_kept(asked, "kleinstadt", run, sql, 10)
    assert 666 in [row[found.columns.index("value")] for row in found.rows]

    town.pages["/counter.csv"] = counts({"2026-08-21T10:00:00Z": 6})
    green = kleinstadt.run("kleinstadt")
    assert green.ok
    assert green.days == 2
    values = "select day::varchar, value::int from observation where day > '2026-08-20' order by 1"
    assert kleinstadt.ask("kleinstadt", values) == [("2026-08-21", 6), ("2026-08-22", 8)]


@pytest.mark.parametrize("destination", ALL)
def test_withdrawn_value_is_marked_and_its_history_kept(
    kleinstadt: Workplace, town: Server, counts: MakeCounts
) -> None:
    """And what stands in an unchanged answer is seen that night, too."""
    assert kleinstadt.run("kleinstadt").ok
    kleinstadt.clock += timedelta(days=1)
    town.pages["/counter.csv"] = counts({"2026-08-20T10:00:00Z": None, "2026-08-20T12:00:00Z": None})
    again = kleinstadt.run("kleinstadt")
    assert (again.new, again.changed) == (0, 1)
    rows = kleinstadt.ask(
        "kleinstadt", "select value, quality_code from observation order by phenomenon_start_at"
    )
    assert rows == [(None, "missing"), (7.0, "good")]
    history = "select previous_value, value, revision from observation_revision"
    assert kleinstadt.ask("kleinstadt", history) == [(5.0, None, 2)]
    seen = "select last_seen_at - received_at from parking_site"
    assert kleinstadt.ask("kleinstadt", seen) == [(timedelta(days=1),)]


@pytest.mark.parametrize("destination", ALL)
def test_rejected_rows_are_published_as_counts_with_their_rule(
    kleinstadt: Workplace, town: Server, counts: MakeCounts
) -> None:
    town.pages["/counter.csv"] = counts(
        {"2026-08-20T10:00:00Z": "many", "2026-08-20T11:00:00Z": 7, "noon": 1}
    )
    outcome = kleinstadt.run("kleinstadt")
    assert outcome.ok
    assert outcome.rejected == 2
    assert len(outcome.warnings) == 1
    rows = kleinstadt.ask("kleinstadt", "select rule, record_count from rejected_record order by 1")
    assert rows == [("not_a_number", 1), ("time_is_unreadable", 1)]
    assert kleinstadt.ask("kleinstadt", "select count(*) from observation") == [(1,)]


def test_output_that_does_not_say_what_it_follows_is_made_anew(kleinstadt: Workplace) -> None:
    assert kleinstadt.run("kleinstadt").ok
    with duckdb.connect(str(kleinstadt.published("kleinstadt"))) as connection:
        connection.execute("drop schema meta cascade")
        connection.execute("alter table observation drop column unit")
    assert kleinstadt.run("kleinstadt").ok
    assert kleinstadt.ask("kleinstadt", "select distinct unit from observation") == [("1",)]


def test_tables_and_columns_carry_their_descriptions(kleinstadt: Workplace) -> None:
    assert kleinstadt.run("kleinstadt").ok
    tables = (
        "select count(*) from duckdb_tables() where schema_name = 'main' and not internal and comment is null"
    )
    columns = "select count(*) from duckdb_columns() where schema_name = 'main' and not internal and comment is null"
    assert kleinstadt.ask("kleinstadt", tables) == [(0,)]
    assert kleinstadt.ask("kleinstadt", columns) == [(0,)]

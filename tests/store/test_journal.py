"""The journal loses nothing: what is noted stays until it is struck out, and progress is what was last said."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from civitas_assets.records import Note
from civitas_assets.store.addresses import Line
from civitas_assets.store.files import Files
from civitas_assets.store.journal import Journal, Progress, StandingNote

FIRST, SECOND = date(2026, 7, 1), date(2026, 7, 2)


@pytest.fixture
def journal(files: Files) -> Journal:
    return Journal(files, "town")


def test_nothing_noted_is_nothing_pending(journal: Journal) -> None:
    assert not journal.read_pending()


def test_notes_add_up_under_and_over_their_names(journal: Journal) -> None:
    journal.note("run-a", [SECOND])
    journal.note("run-a", [FIRST])
    journal.note("run-b", [], things=True)
    journal.note("run-b", [FIRST])
    pending = journal.read_pending()
    assert pending
    assert (pending.days, pending.things, len(pending.entries)) == ({FIRST, SECOND}, True, 2)


def test_striking_out_leaves_notes_that_were_made_since(journal: Journal) -> None:
    journal.note("run-a", [FIRST])
    published = journal.read_pending()
    journal.note("run-b", [SECOND])
    journal.acknowledge(published.entries)
    journal.acknowledge(published.entries)
    assert journal.read_pending().days == {SECOND}


def test_a_note_is_struck_out_once_all_destinations_were_brought_up_to_it(journal: Journal) -> None:
    both = ("duckdb", "postgres")
    journal.note("run-a", [FIRST])
    journal.settle(journal.read_pending("duckdb").entries, "duckdb", both)
    assert not journal.read_pending("duckdb")
    assert journal.read_pending("postgres").days == journal.read_pending().days == {FIRST}

    made = journal.read_pending("postgres").entries
    journal.note("run-a", [FIRST])
    assert journal.read_pending("duckdb").days == {FIRST}, (
        "noted again, it is of records that nobody has seen"
    )

    journal.settle(
        made, "postgres", both
    )  # what it says is the same: its rows were made of records as they are
    assert not journal.read_pending("postgres")
    journal.settle(journal.read_pending().entries, "duckdb", both)
    assert not journal.read_pending().entries


def test_a_note_goes_with_the_destination_that_it_waited_for(journal: Journal) -> None:
    journal.note("run-a", [FIRST])
    journal.settle(journal.read_pending().entries, "duckdb", ("duckdb", "postgres"))
    journal.settle(journal.read_pending("duckdb").entries, "duckdb", ("duckdb",))
    assert not journal.read_pending().entries


def test_a_note_that_says_nothing_new_writes_nothing(
    journal: Journal, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.note("run-a", [FIRST, SECOND], things=True)
    monkeypatch.setattr(files, "write", None)
    journal.note("run-a", [FIRST])
    journal.note("run-b", [])


def test_progress_is_kept_for_each_source(journal: Journal) -> None:
    failed = Line("u", "stored", 200, datetime(2026, 8, 1, tzinfo=UTC), "c", "s", variables={"a": "b"})
    progress = Progress("m1", (failed,), had_rows=True, notes=(StandingNote(Note("x", "y"), ("u",)),))
    journal.advance("a", progress)
    assert journal.read_progress("a") == progress
    assert journal.read_progress("b") == Progress()
    assert not journal.read_pending()


def test_tenants_do_not_see_each_other(journal: Journal, files: Files) -> None:
    journal.note("run", [FIRST])
    journal.advance("a", Progress("m1"))
    other = Journal(files, "other")
    assert not other.read_pending()
    assert other.read_progress("a") == Progress()

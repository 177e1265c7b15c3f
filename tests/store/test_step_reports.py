"""What steps of a run leave for its last one, and where it is found once the run is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from civitas_assets.errors import HttpStatusError, Problem
from civitas_assets.store.files import LocalFiles
from civitas_assets.store.nights import Night, NightBook, SourceNight, StepFailure
from civitas_assets.store.step_reports import DataTestReport, SourceReport, StepReport, StepReports

NOW = datetime(2026, 8, 2, 6, tzinfo=UTC)
DOWN = HttpStatusError(503, "https://air.example", "fetch later").to_problem()
FETCHED = StepReport(
    "fetch",
    "landing/csv",
    was_made=True,
    sources=(
        SourceReport("air", passed=False, problem=DOWN, numbers={"requests": 2, "seconds": 0.5}),
        SourceReport("counter", numbers={"requests": 1, "bytes": 7}),
    ),
)
READ = StepReport(
    "read_landing",
    "records/observation",
    sources=(
        SourceReport("counter", passed=False, remarks=("2 rows in quarantine",), numbers={"rejected": 2}),
    ),
)


@pytest.fixture
def files(tmp_path: Path) -> LocalFiles:
    return LocalFiles(tmp_path)


def test_a_night_is_what_its_steps_have_said() -> None:
    broken = DataTestReport("keys_are_unique", is_error=True, said="Got 1 row", failing_rows=1)
    unforeseen = Problem("unforeseen KeyError: 'secret'", "unforeseen", {"kind": "KeyError"})
    steps = (FETCHED, READ, StepReport("harmonise", problem=unforeseen))
    night = Night("run", NOW, NOW, steps)
    assert night.sources == {
        "air": SourceNight(fetch_error=DOWN, requests=2, seconds=0.5),
        "counter": SourceNight(requests=1, bytes=7, rejected=2, remarks=("2 rows in quarantine",)),
    }
    assert night.failures == (StepFailure("harmonise", "unforeseen KeyError; the log of the run has more"),)
    assert night.errors == [
        "landing/csv · air: HTTP 503 from https://air.example: fetch later",
        "harmonise: unforeseen KeyError: 'secret'",
    ]
    tested = Night("run", NOW, NOW, (*steps, StepReport("harmonise", "shared/observation", tests=(broken,))))
    assert tested.failures == (StepFailure("keys_are_unique", "Got 1 row"),), "its step says no more than it"
    other = Night("run", NOW, NOW, (*tested.steps, StepReport("sinks", problem=Problem("no answer"))))
    assert other.failures == (*tested.failures, StepFailure("sinks", "no answer")), "another step does"
    assert (night.published, night.days, night.ok) == (False, 0, False)


def test_steps_of_a_run_are_found_together_and_those_of_others_stay(files: LocalFiles) -> None:
    reports = StepReports(files, "town")
    reports.add("one", (FETCHED,), NOW)
    reports.add("other", (FETCHED,), NOW)
    reports.add("one", (READ,), NOW + timedelta(seconds=3))
    assert reports.read("one") == (FETCHED, READ)
    NightBook(files, "town").write(Night("one", NOW, NOW, reports.read("one")))
    reports.forget("one")
    assert (reports.read("one"), reports.read("other")) == ((), (FETCHED,))
    assert [night.run_id for night in NightBook(files, "town").read_last(9)] == ["one"]


def test_what_runs_without_an_end_have_left_does_not_pile_up(
    files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("civitas_assets.store.step_reports._KEPT", 3)
    reports = StepReports(files, "town")
    for number in range(6):
        reports.add(f"run{number}", (READ,), NOW + timedelta(hours=number))
    assert [bool(reports.read(f"run{number}")) for number in range(6)] == [False] * 3 + [True] * 3


def test_a_run_that_repeats_what_is_told_is_found_and_is_no_entry(files: LocalFiles) -> None:
    book = NightBook(files, "town")
    book.write(Night("first", NOW, NOW, (FETCHED,)))
    for name in ("second", "third"):
        book.write_repeated(Night(name, NOW, NOW, (FETCHED,)))
    assert [night.run_id for night in book.read_last(9)] == ["first"]
    found = [book.find(name) for name in ("first", "second", "third")]
    assert [night and night.run_id for night in found] == ["first", "second", "third"]
    book.write(Night("fourth", NOW, NOW))
    assert [night.run_id for night in book.read_last(9)] == ["fourth", "first"]


def test_reports_are_kept_without_what_they_do_not_say(files: LocalFiles) -> None:
    assert msgspec.json.decode(msgspec.json.encode(READ)) == {
        "step": "read_landing",
        "asset": "records/observation",
        "sources": [
            {
                "source": "counter",
                "passed": False,
                "remarks": ["2 rows in quarantine"],
                "numbers": {"rejected": 2},
            }
        ],
    }


FOREIGN = [
    b"",
    b"{",
    b"3",
    b"null",
    b'{"run_id": 1}',
    b'{"sources": {"a": 3}, "run_id": "x"}',
    b'[{"stop": 1}]',
]


@pytest.mark.parametrize("body", FOREIGN)
def test_a_damaged_or_foreign_file_is_named_and_takes_nothing_else_with_it(
    files: LocalFiles, tmp_path: Path, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    reports, book = StepReports(files, "town"), NightBook(files, "town")
    reports.add("one", (FETCHED,), NOW)
    book.write(Night("one", NOW, NOW, (FETCHED,)))
    damaged = [*tmp_path.rglob("*.json")]
    assert len(damaged) == 2
    for path in damaged:
        path.write_bytes(body)
    reports.add("one", (READ,), NOW + timedelta(seconds=3))
    assert reports.read("one") == (READ,)
    book.write(Night("two", NOW, NOW, (READ,)))
    assert [night.run_id for night in book.read_last(9)] == ["two"]
    assert book.find("one") is None
    assert all(str(path) in caplog.text for path in damaged)


def test_files_of_others_beside_the_entries_are_none(files: LocalFiles) -> None:
    book = NightBook(files, "town")
    book.write(Night("one", NOW, NOW))
    (key,) = files.list_keys("nights/")
    folder = key.rpartition("/")[0]
    for name in ("settings.json", "zz.json", "s1.json.bak"):
        files.write(f"{folder}/{name}", b"{}")
    book.write(Night("two", NOW, NOW))
    assert [night.run_id for night in book.read_last(9)] == ["two", "one"]

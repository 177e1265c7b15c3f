"""What is wrong is told with what is missing and the command that helps; the worst comes first."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from civitas_assets.errors import CivitasError, FetchError, HttpStatusError, Problem, SecretMissing
from civitas_assets.records import Note
from civitas_assets.report.findings import find_gaps
from civitas_assets.report.page_summary import PageSummary, build_page_summary
from civitas_assets.report.quality import Covered
from civitas_assets.store.nights import Night, NightBook, SourceNight, StepFailure
from tests.report.conftest import Town

NOW = datetime(2026, 8, 22, 4, 30, tzinfo=UTC)


def kinds(morning: Any) -> list[tuple[str, str]]:
    return [(finding.kind, finding.source) for finding in morning.findings]


def test_a_tenant_that_never_ran_is_told_how_to_begin(empty_town: Town) -> None:
    morning = empty_town.morning()
    assert morning.state == "failed"
    assert kinds(morning) == [("never_run", "")]
    assert morning.findings[0].command == "civitas run --tenant beispielstadt"
    assert morning.figures is None


def test_a_failed_source_is_an_error_with_the_time_since_when(town: Town) -> None:
    morning = town.morning()
    assert morning.state == "errors"
    first = morning.findings[0]
    assert (first.kind, first.source) == ("server_down", "counters")
    assert first.values["since"] == NOW - timedelta(days=2)
    assert first.command == "civitas run --tenant beispielstadt --sources counters"
    assert [standing.state for standing in morning.standings] == ["ok", "failing"]
    assert set(kinds(morning)[1:]) == {("silent", ""), ("unmapped", "air"), ("gaps", "air")}


def test_what_was_rejected_long_ago_is_no_news(town: Town) -> None:
    assert "rejected" not in {finding.kind for finding in town.morning().findings}


def test_a_gap_is_filled_by_a_run_of_its_days(town: Town) -> None:
    (gap,) = [finding for finding in town.morning().findings if finding.kind == "gaps"]
    assert gap.values["first"] == date(2026, 8, 11)
    assert gap.command.endswith("--sources air --from 2026-08-11 --to 2026-08-13")


def test_a_night_without_run_is_the_worst_of_all(town: Town) -> None:
    later = NOW + timedelta(days=2)
    morning = town.morning(later)
    assert (morning.state, morning.findings[0].kind) == ("failed", "no_run")
    told = build_page_summary(town.morning())
    assert told.as_of(NOW + timedelta(hours=1)) is told
    assert told.as_of(later).state == "failed"
    assert told.as_of(later).topics[0].kind == "no_run"


@pytest.mark.parametrize(
    ("error", "kind", "command"),
    [
        (SecretMissing("AIR_TOKEN"), "secret_missing", "export AIR_TOKEN=… && civitas run"),
        (HttpStatusError(403, "https://x.example"), "not_allowed", "civitas run"),
        (HttpStatusError(404, "https://x.example"), "not_there", "civitas run"),
        (HttpStatusError(429, "https://x.example"), "server_down", "civitas run"),
        (FetchError("no answer within 30 s; the other side said HTTP 503 once"), "fetch_failed", "civitas run"),
        (FetchError("two addresses", HttpStatusError(410, "https://x.example")), "not_there", "civitas run"),
    ],
)  # fmt: skip
def test_the_kind_of_failure_decides_what_helps(
    empty_town: Town, error: CivitasError, kind: str, command: str
) -> None:
    empty_town.run_at(NOW, sources={"air": SourceNight(fetch_error=error.to_problem())})
    (failure,) = [f for f in empty_town.morning().findings if f.source == "air" and f.severity == "error"]
    assert failure.kind == kind
    assert failure.command.startswith(command)


def test_a_source_whose_answers_became_empty_is_no_less_wrong_than_its_status_says(empty_town: Town) -> None:
    empty_town.run_at(
        NOW, sources={"air": SourceNight(read_error=Problem("1 payload(s) without a single row"))}
    )
    morning = empty_town.morning()
    (found,) = [f for f in morning.findings if f.source == "air"]
    assert (found.kind, found.severity, found.detail) == (
        "unusable",
        "error",
        "1 payload(s) without a single row",
    )
    assert [standing.state for standing in morning.standings] == ["unread", "never"]


def test_notes_stand_on_the_page_as_long_as_they_hold(empty_town: Town) -> None:
    empty_town.run_at(NOW)
    empty_town.summarise("air", read_notes=(Note("unknown_fields", "unknown field(s), not mapped: neu"),))
    (found,) = [f for f in empty_town.morning().findings if f.kind == "noted"]
    assert (found.severity, found.source, found.detail) == (
        "note",
        "air",
        "unknown field(s), not mapped: neu",
    )


def test_a_broken_test_says_that_readers_keep_the_old_state(empty_town: Town) -> None:
    empty_town.run_at(
        NOW, published=False, failures=(StepFailure("a_station_is_there_once", "Got 2 results"),)
    )
    empty_town.stores.journal.note("x", [date(2026, 8, 1), date(2026, 8, 2)])
    morning = empty_town.morning()
    assert morning.state == "failed"
    told = build_page_summary(morning)
    assert msgspec.json.decode(msgspec.json.encode(told), type=PageSummary) == told
    assert morning.findings[0].values == {"step": "a_station_is_there_once", "days": 2}


def test_tables_of_another_version_do_not_keep_the_page_from_being_made(empty_town: Town) -> None:
    empty_town.publish()
    empty_town.ask("drop table observation_daily")
    empty_town.run_at(NOW)
    morning = empty_town.morning()
    assert morning.findings[0].kind == "unreadable"
    assert morning.figures is None


def test_days_before_the_first_record_are_no_gap() -> None:
    there = Covered(1, 1.0)
    days = {date(2026, 8, 3): there, date(2026, 8, 6): there}
    assert find_gaps(days, date(2026, 8, 22), 28) == [date(2026, 8, 4), date(2026, 8, 5)]
    assert find_gaps({}, date(2026, 8, 22), 28) == []


def test_the_night_book_keeps_the_newest_runs_also_where_the_clock_went_back(empty_town: Town) -> None:
    for hours in range(70):
        empty_town.run_at(NOW - timedelta(hours=hours))
    kept = NightBook(empty_town.files, "beispielstadt").read_last(100)
    assert len(kept) == 60
    assert kept[0].started_at == NOW - timedelta(hours=69)


def test_nights_that_older_versions_have_named_by_a_clock_come_first(empty_town: Town) -> None:
    old = Night("old", NOW, NOW)
    empty_town.files.write("nights/beispielstadt/20991231T000000000000-old.json", msgspec.json.encode(old))
    empty_town.run_at(NOW - timedelta(days=1))
    kept = NightBook(empty_town.files, "beispielstadt").read_last(2)
    assert [night.started_at for night in kept] == [NOW - timedelta(days=1), NOW]

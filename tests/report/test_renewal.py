"""Between nights a page is made anew when something else is wrong than it tells, or when it has become old."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from civitas_assets.errors import Problem
from civitas_assets.report.kept_pages import Pages
from civitas_assets.report.page import read_summary, write_tenant_page
from civitas_assets.report.page_summary import PageSummary
from civitas_assets.report.renewal import is_old, is_told
from civitas_assets.store.files import LocalFiles
from civitas_assets.store.nights import Night, SourceNight, StepFailure
from tests.report.conftest import NOW, Town


def written(town: Town, folder: Path, now: datetime = NOW) -> PageSummary:
    pages = Pages(LocalFiles(folder))
    write_tenant_page(town.settings, town.tenant, town.stores, town.contracts, now, pages)
    found = read_summary(pages, town.tenant.slug)
    assert found is not None
    return found


def told(town: Town, last: PageSummary, now: datetime = NOW, **run: Any) -> bool:
    return is_told(last, town.tenant, town.stores, Night.from_summary("quarter", now, now, **run), now)


def test_a_page_becomes_old_within_an_hour(town: Town, tmp_path: Path) -> None:
    last = written(town, tmp_path)
    assert not is_old(last, NOW + timedelta(minutes=59))
    assert is_old(last, NOW + timedelta(hours=1))


def test_a_page_of_yesterday_tells_nothing_from_midnight_of_its_town_on(town: Town, tmp_path: Path) -> None:
    midnight = datetime.fromisoformat("2026-08-22T22:00:00+00:00")
    last = written(town, tmp_path, midnight - timedelta(minutes=10))
    assert told(town, last, midnight - timedelta(minutes=1))
    assert not told(town, last, midnight)


def test_each_new_fault_and_each_that_is_over_is_to_be_told(empty_town: Town, tmp_path: Path) -> None:
    town = empty_town
    town.run_at(NOW)
    last = written(town, tmp_path)
    assert told(town, last)
    town.summarise("air", error=Problem("HTTP 503 from https://air.example"))
    assert not told(town, last), "a source fails"
    last = written(town, tmp_path)
    assert told(town, last)
    town.summarise("air", error=Problem("HTTP 403 from https://air.example"))
    assert not told(town, last), "it fails for another reason"
    last = written(town, tmp_path)
    town.summarise("air", error=None)
    assert not told(town, last), "it is well again"
    last = written(town, tmp_path)
    failures = (StepFailure("publish", "full"),)
    assert not told(town, last, failures=failures), "a step fails"
    town.run_at(NOW, failures=failures)
    last = written(town, tmp_path)
    assert told(town, last, failures=failures)
    assert not told(town, last), "it no longer does"


def test_what_a_run_remarks_is_told_once(town: Town, empty_town: Town, tmp_path: Path) -> None:
    last = written(town, tmp_path)
    assert told(town, last, sources={"air": SourceNight(rejected=3)})
    assert not told(town, last, sources={"counters": SourceNight(rejected=1)})

    empty_town.run_at(NOW, warnings=(StepFailure("keys_are_unique", "1 row"),), unfilled=("place",))
    last = written(empty_town, tmp_path)
    assert told(empty_town, last), "a run that has nothing to test warns of nothing"
    assert told(empty_town, last, warnings=(StepFailure("keys_are_unique", "2 rows"),))
    assert not told(empty_town, last, warnings=(StepFailure("values_are_known", "1 row"),))
    assert not told(empty_town, last, unfilled=("station",))

"""What is kept of errors: their text for people, and a code for programs; files of older versions are read as well."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from civitas_assets.errors import HttpStatusError, Problem
from civitas_assets.store.files import LocalFiles
from civitas_assets.store.nights import Night, NightBook, SourceNight, StepFailure
from civitas_assets.store.summary import SummaryStore

NOW = datetime(2026, 8, 2, 6, tzinfo=UTC)
DOWN = HttpStatusError(503, "https://air.example", "fetch later").to_problem()


def test_a_summary_keeps_what_a_source_failed_by_with_its_code(tmp_path: Path) -> None:
    store = SummaryStore(LocalFiles(tmp_path), "town")
    store.change_sources({"air": lambda known: msgspec.structs.replace(known, error=DOWN)})
    found = store.read().get_source("air").error
    assert found == Problem("HTTP 503 from https://air.example: fetch later", "http_status", {"status": 503})


def test_a_summary_of_a_version_that_kept_texts_alone_is_read(tmp_path: Path) -> None:
    store = SummaryStore(LocalFiles(tmp_path), "town")
    store.change_sources({"air": lambda known: msgspec.structs.replace(known, asked_at=NOW, error=DOWN)})
    (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    held = msgspec.json.decode(file.read_bytes())
    held["sources"]["air"]["error"] = "HTTP 503"
    held["sources"]["air"]["read_error"] = ""
    file.write_bytes(msgspec.json.encode(held))
    found = store.read().get_source("air")
    assert (found.asked_at, found.error, found.read_error) == (NOW, Problem("HTTP 503"), None)


def test_a_night_of_a_version_that_kept_texts_alone_is_read(tmp_path: Path) -> None:
    book = NightBook(LocalFiles(tmp_path), "town")
    book.write(Night.from_summary("run", NOW, NOW, {"air": SourceNight(fetch_error=DOWN, requests=1)}))
    (file,) = [path for path in tmp_path.rglob("*.json") if path.is_file()]
    (night,) = book.read_last(1)
    assert night.sources["air"] == SourceNight(fetch_error=DOWN, requests=1)
    older = {
        "run_id": "run",
        "started_at": "2026-08-02T06:00:00Z",
        "ended_at": "2026-08-02T06:00:00Z",
        "sources": {"air": {"fetch_error": "HTTP 503", "requests": 1}, "b": {"new": 3, "remarks": ["late"]}},
        "failures": [{"name": "publish", "message": "full"}],
        "warnings": [{"name": "keys_are_unique", "message": "1 row"}],
        "published": True,
        "days": 2,
        "unfilled": ["place"],
    }
    file.write_bytes(msgspec.json.encode(older))
    (night,) = book.read_last(1)
    assert night.sources["air"] == SourceNight(fetch_error=Problem("HTTP 503"), requests=1)
    assert night.sources["b"] == SourceNight(new=3, remarks=("late",))
    assert night.failures == (StepFailure("publish", "full"),)
    assert night.warnings == (StepFailure("keys_are_unique", "1 row"),)
    assert (night.ok, night.published, night.days, night.unfilled) == (False, True, 2, ("place",))

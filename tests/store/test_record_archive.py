"""Records that are put aside are gone from the store and still there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
from msgspec.structs import replace

from civitas_assets.errors import Problem
from civitas_assets.records import RECORD_TYPES
from civitas_assets.store.files import Files, LocalFiles
from civitas_assets.store.journal import Progress
from civitas_assets.store.landing import SourceLanding
from civitas_assets.store.record_archive import archive_records
from civitas_assets.store.stores import Stores
from civitas_assets.store.summary import SummaryStore


def test_records_quarantine_and_journal_move_and_landing_stays(
    files: Files, observations: Callable[..., pl.DataFrame]
) -> None:
    stores, contract = Stores.for_tenant(files, "town"), RECORD_TYPES["observation"]
    stores.records.append(stores.records.find_changes(contract, observations((0, 1))))
    stores.journal.note("run", [date(2026, 7, 1)])
    stores.journal.advance("s", Progress("m1"))
    SummaryStore(files, "town").change_sources({"s": lambda known: replace(known, error=Problem("HTTP 503"))})
    digest = SourceLanding(files, "town", "s").store(b"x")
    files.write("quarantine/town/s.parquet", b"rejected")
    aside = archive_records(files, "town")
    assert aside is not None
    assert files.exists(f"{aside}/records/observation/2026-07-01.parquet")
    assert files.read(f"{aside}/quarantine/s.parquet") == b"rejected"
    assert len(files.list_keys(f"{aside}/records/journal/")) == 2
    assert (stores.records.list_days(contract), stores.journal.read_progress("s")) == ([], Progress())
    assert not stores.journal.read_pending()
    assert SourceLanding(files, "town", "s").holds(digest)
    assert SummaryStore(files, "town").read().get_source("s").error == Problem("HTTP 503"), (
        "what was answered stays known"
    )
    assert archive_records(files, "town") is None


def test_a_tenant_without_records_has_nothing_to_put_aside(tmp_path: Path) -> None:
    assert archive_records(LocalFiles(tmp_path), "town") is None
    assert not (tmp_path / "aside").exists()

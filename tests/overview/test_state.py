"""How sources are found to be fresh, late, failing or unread, and what of it a monitoring system gets."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from civitas_assets.catalog.outline import TenantOutline
from civitas_assets.errors import Problem
from civitas_assets.overview.prometheus import write_metrics
from civitas_assets.overview.state import SourceState, read_states, select_troubled
from civitas_assets.store.files import LocalFiles
from civitas_assets.store.journal import Journal
from civitas_assets.store.layout import RecordKeys, summary_key
from civitas_assets.store.summary import SourceSummary, SummaryStore, TenantSummary

NOW = datetime(2026, 8, 2, 12, tzinfo=UTC)


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def state_of(tmp_path: Path, summary: SourceSummary, cadence: str = "nightly") -> SourceState:
    files = LocalFiles(tmp_path)
    SummaryStore(files, "town").change(lambda _: TenantSummary({"s": summary}))
    (found,) = read_states(files, {"town": TenantOutline("Town", {"s": cadence})}, NOW)
    (source,) = found.sources
    return source


@pytest.mark.parametrize(
    ("summary", "state"),
    [
        (SourceSummary(), "never"),
        (SourceSummary(asked_at=ago(hours=10), answered_at=ago(hours=10)), "ok"),
        (SourceSummary(asked_at=ago(hours=31), answered_at=ago(hours=31)), "late"),
        (
            SourceSummary(asked_at=ago(hours=10), answered_at=ago(hours=34), error=Problem("HTTP 503")),
            "failing",
        ),
        (SourceSummary(asked_at=ago(hours=10), answered_at=ago(hours=10), unread=1), "unread"),
    ],
)
def test_a_source_is_as_its_last_run_left_it(tmp_path: Path, summary: SourceSummary, state: str) -> None:
    found = state_of(tmp_path, summary)
    assert (found.state, found.is_fine) == (state, state == "ok")


@pytest.mark.parametrize(
    ("cadence", "fresh", "late"),
    [
        ("nightly", timedelta(hours=29), timedelta(hours=31)),
        ("hourly", timedelta(minutes=170), timedelta(minutes=190)),
        ("every_15_minutes", timedelta(minutes=45), timedelta(minutes=55)),
    ],
)
def test_what_is_late_depends_on_the_cadence(
    tmp_path: Path, cadence: str, fresh: timedelta, late: timedelta
) -> None:
    for age, state in ((fresh, "ok"), (late, "late")):
        summary = SourceSummary(asked_at=NOW - age, answered_at=NOW - age)
        assert state_of(tmp_path, summary, cadence).state == state


def test_tenants_are_told_apart_and_pending_days_are_counted(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path)
    Journal(files, "b").note("run", [date(2026, 8, 1), date(2026, 8, 2)])
    SummaryStore(files, "a").change_sources(
        {"s": lambda s: SourceSummary(ago(hours=1), ago(hours=1), rejected=3)}
    )
    outlined = {
        "a": TenantOutline("A", {"s": "nightly"}),
        "b": TenantOutline("B", {"s": "nightly"}),
        "c": TenantOutline("c", {}, readable=False),
    }
    a, b, c = read_states(files, outlined, NOW)
    assert (a.is_fine, b.is_fine, c.is_fine) == (True, False, False)
    assert (len(a.pending.days), len(b.pending.days)) == (0, 2)
    assert [source.tenant for source in select_troubled([a, b, c])] == ["b"]


def test_metrics_replace_the_file_in_one_step(tmp_path: Path) -> None:
    files, file = LocalFiles(tmp_path / "home"), tmp_path / "metrics" / "civitas.prom"
    SummaryStore(files, "town").change(
        lambda _: TenantSummary(
            {"s": SourceSummary(ago(hours=1), ago(hours=1), rejected=3, landing_bytes=2048)},
            512,
            ago(hours=1),
            100,
        )
    )
    outlined = {"town": TenantOutline("Town", {"s": "nightly", "new": "hourly"})}
    for _ in range(2):
        write_metrics(file, read_states(files, outlined, NOW), NOW)
    lines = file.read_text().splitlines()
    assert 'civitas_source_rejected_rows{cadence="nightly",source="s",tenant="town"} 3.0' in lines
    assert 'civitas_source_ok{cadence="hourly",source="new",tenant="town"} 0.0' in lines
    assert 'civitas_tenant_record_bytes{tenant="town"} 512.0' in lines
    assert not [x for x in lines if x.startswith("civitas_source_last_success") and 'source="new"' in x]
    assert [path.name for path in file.parent.iterdir()] == ["civitas.prom"], "no half of a file is left"


@pytest.mark.parametrize(
    "damage", [b"", b'{"sources"', b"\xff\xfe", b"[]"], ids=["empty", "cut", "bytes", "other"]
)
def test_a_tenant_whose_files_are_damaged_is_named_and_the_others_are_as_they_are(
    tmp_path: Path, damage: bytes
) -> None:
    files = LocalFiles(tmp_path)
    towns = {name: TenantOutline(name.title(), {"s": "nightly"}) for name in ("summary", "pending", "whole")}
    for name in towns:
        SummaryStore(files, name).change(
            lambda _: TenantSummary({"s": SourceSummary(asked_at=NOW, answered_at=NOW)})
        )
        Journal(files, name).note("run", [date(2026, 8, 1)])
    broken = summary_key("summary"), f"{RecordKeys.for_tenant('pending').pending}/run.json"
    for key in broken:
        files.write(key, damage)
    *damaged, whole = read_states(files, towns, NOW)
    assert whole.is_fine
    for state, key in zip(damaged, broken, strict=True):
        (failure,) = state.failures
        assert failure.message.startswith(f"{files.locate(key)} is damaged (")
        assert "backup" in failure.message
        assert (state.is_fine, state.sources) == (False, ())

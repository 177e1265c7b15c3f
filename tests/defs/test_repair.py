"""Repairs from the UI: jobs with a configuration that touches nothing at first, and what their reading step does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.defs.repair import REPLAY, RETRY
from civitas_assets.errors import ScopeError
from civitas_assets.ingest.read_all import read_sources
from civitas_assets.pipeline.read_step import read_tenant
from civitas_assets.pipeline.results import Checked
from civitas_assets.pipeline.turn_scope import Scope
from civitas_assets.pipeline.work import Work
from civitas_assets.store.addresses import Line
from civitas_assets.store.landing import SourceLanding
from tests.defs.conftest import Define, Deploy

AT = datetime(2026, 8, 21, 2, tzinfo=UTC)
TOWN = """
name: Stadt
ags: "99000001"
bbox: [9.0, 50.0, 9.2, 50.2]
sources:
  s:
    title: Zähler
    connector: csv
    licence: CC0-1.0
    url: "http://127.0.0.1:9/a.csv"
    record_type: observation
    time: {column: t, zone: utc}
    fields: {datastream_id: id, value: MAPPED}
"""
BODY = b"id,v,w,t\nd,1,7,2026-08-20T10:00\nd,x,8,2026-08-20T11:00\n"


@pytest.fixture
def mended(deployed: Deploy) -> Callable[..., list[Any]]:
    """A town whose payload was read by a first mapping: what the reading step says with the second."""
    first = deployed(stadt=TOWN.replace("MAPPED", "v"))
    tenant = first.catalog.get_tenant("stadt")
    landing = SourceLanding(first.files, "stadt", "s")
    line = Line("http://127.0.0.1:9/a.csv", "stored", 200, AT, "", landing.store(BODY), len(BODY))
    landing.write_manifest([line])
    read_sources(tenant, tenant.sources, CONNECTORS, first.make_stores(tenant), "first")
    journal = first.make_stores(tenant).journal
    journal.acknowledge(journal.read_pending().entries)
    second = deployed(stadt=TOWN.replace("MAPPED", "w"))

    def read(**scope: Any) -> list[Any]:
        work = Work(second, second.catalog.get_tenant("stadt"), Scope(**scope), "repair")
        return [work, *read_tenant(work)]

    return read


DAYS = {"first": "2026-08-20", "last": "2026-08-20"}


def check_of(results: list[Any], record_type: str) -> Any:
    (found,) = (r for r in results if isinstance(r, Checked) and r.asset == f"records/{record_type}")
    return found


def test_the_jobs_begin_with_what_touches_nothing(deployed: Deploy, definitions_of: Define) -> None:
    definitions = definitions_of(deployed(stadt=TOWN.replace("MAPPED", "v")))
    for name, repair in ((REPLAY, "show_replay"), (RETRY, "retry_quarantine")):
        job = definitions.resolve_job_def(name)
        assert job.description
        config = job.partitioned_config.get_run_config_for_partition_key("stadt")
        assert config["resources"]["scope"]["config"]["repair"] == repair
        assert not [key for key in job.asset_layer.executable_asset_keys if key.path[0] == "landing"]


def test_a_replay_is_shown_and_changes_nothing(mended: Callable[..., list[Any]]) -> None:
    work, *results = mended(repair="show_replay", **DAYS)
    assert "1 changed" in check_of(results, "observation").description
    assert "columns: value (1)" in check_of(results, "observation").description
    assert not work.stores.journal.read_pending()


def test_a_replay_is_appended(mended: Callable[..., list[Any]]) -> None:
    work, *results = mended(repair="replay", **DAYS)
    assert check_of(results, "observation").metadata["changed"] == 1
    assert work.stores.journal.read_pending().days


def test_rejected_rows_are_tried_again(mended: Callable[..., list[Any]]) -> None:
    work, *results = mended(repair="retry_quarantine")
    assert "1 of 1 row(s) are accepted now" in check_of(results, "observation").description
    assert work.stores.quarantine.read_rows().is_empty()


def test_a_replay_without_days_is_refused(mended: Callable[..., list[Any]]) -> None:
    with pytest.raises(ScopeError, match="a replay is of days"):
        mended(repair="replay")

"""The overview in the shell: a screen for people, JSON and metrics for machines, and an exit code for scripts."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from civitas_assets.cli import app
from civitas_assets.errors import Problem
from civitas_assets.store.files import LocalFiles
from civitas_assets.store.summary import SourceSummary, SummaryStore, TenantSummary


@pytest.fixture
def status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command, for a town with a source that is fine and one that fails."""
    tenants, now = tmp_path / "tenants", datetime.now(UTC)
    tenants.mkdir()
    (tenants / "town.yaml").write_text("name: Town\nsources: {a: {}, b: {}}\n", encoding="utf-8")
    fine = SourceSummary(now, now, now, landing_bytes=1500, rejected=7)
    failing = SourceSummary(
        now, now - timedelta(hours=50), error=Problem("HTTP 503 from https://data.example")
    )
    SummaryStore(LocalFiles(tmp_path / "home"), "town").change(
        lambda _: TenantSummary({"a": fine, "b": failing}, 10**6, now, 2 * 10**6)
    )
    monkeypatch.setenv("CIVITAS_TENANTS_DIR", str(tenants))
    monkeypatch.setenv("CIVITAS_HOME", str(tmp_path / "home"))
    return lambda *arguments: CliRunner().invoke(app, ["status", *arguments])


def test_the_screen_has_every_source_and_the_error(status: Callable[..., Result]) -> None:
    shown = status()
    assert shown.exit_code == 0
    assert "failing" in shown.output
    assert "1 tenant(s), 1 of 2 source(s) ok" in shown.output
    assert "3.0 MB in all" in shown.output


def test_scripts_get_json_and_an_exit_code(status: Callable[..., Result], tmp_path: Path) -> None:
    town = json.loads(status("--json").stdout)["tenants"]["town"]
    assert town["sources"]["a"]["rejected"] == 7
    assert (town["sources"]["b"]["state"], town["pending_days"]) == ("failing", [])
    assert status("town", "--check").exit_code == 1
    assert status("village").exit_code == 2
    assert status("--prometheus", str(tmp_path / "m.prom")).exit_code == 0
    assert "civitas_source_ok" in (tmp_path / "m.prom").read_text()


def test_many_sources_are_summed_up_by_tenant(status: Callable[..., Result], tmp_path: Path) -> None:
    many = ", ".join(f"s{n}: {{}}" for n in range(50))
    (tmp_path / "tenants" / "city.yaml").write_text(f"name: City\nsources: {{{many}}}\n", encoding="utf-8")
    (tmp_path / "tenants" / "broken.yaml").write_text("a: [", encoding="utf-8")
    shown = status()
    assert "0/50" in shown.output
    assert "more that need somebody" in shown.output

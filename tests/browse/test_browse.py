"""A town's tables are seen in a browser by whoever has the token, and nothing is asked of anybody else."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import duckdb
import pytest
from playwright.sync_api import Browser, expect

from civitas_assets.browse.drawings import write_csv
from civitas_assets.browse.server import serve
from civitas_assets.browse.views import draw_rows, read_models
from civitas_assets.errors import PublishError
from civitas_assets.harmonise.project import Project
from civitas_assets.settings import Settings
from testbed.output_file import write_output

NOW = datetime(2026, 8, 22, 4, 30, tzinfo=UTC)
EVIL = "<img src='https://elsewhere.example/x.png'>"


@pytest.fixture
def settings(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A deployment with a town that has published a station whose name is markup, and a row that is not for others."""
    made = Settings(home=tmp_path, tenants_dir=tmp_path / "tenants")
    with duckdb.connect(str(write_output(made, "town", project))) as connection:
        connection.execute(
            "insert into source (source, licence) values ('air', 'CC0-1.0'), ('internal', 'proprietary')"
        )
        row = "insert into station (station_key, name, lon, lat, source) values ('k', ?, 10.01, 51.01, ?)"
        connection.execute(row, [EVIL, "air"])
        connection.execute(row, ["closed", "internal"])
    monkeypatch.setenv("CIVITAS_HOME", str(tmp_path))
    monkeypatch.setenv("CIVITAS_TENANTS_DIR", str(made.tenants_dir))
    return made


def test_a_town_is_looked_at_and_nobody_else_is_asked(settings: Settings, browser: Browser) -> None:
    with serve(settings, "town") as (address, process):
        parts = urlsplit(address)
        assert parts.hostname == "127.0.0.1"
        with urlopen(f"http://{parts.netloc}/") as answer:
            assert "/auth/login" in answer.url, "without the token nothing is shown"
        page = browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        page.get_by_label("Table").select_option("station", timeout=60_000)
        shown = page.locator("iframe:visible").first.content_frame  # marimo keeps another one out of sight
        expect(shown.get_by_text(EVIL)).to_be_visible(timeout=60_000)
        page.get_by_role("tab", name="Dictionary").click()
        expect(shown.get_by_text("One row per station.")).to_be_visible()
        page.get_by_role("tab", name="Map and series").click()
        expect(shown.locator("svg").first).to_be_visible(timeout=60_000)
        page.get_by_role("tab", name="Download").click()
        with page.expect_download(timeout=60_000) as loaded:
            page.get_by_text("CSV of the last 31 days").click()
        assert b"10.01" in Path(loaded.value.path()).read_bytes()
        page.close()
        hosts = {urlsplit(url).netloc for url in asked if url.startswith(("http", "ws"))}
        assert hosts == {parts.netloc}
        assert process.poll() is None
    assert process.poll() is not None


def test_the_first_page_waits_for_no_library_of_drawings() -> None:
    code = "import sys, civitas_assets.browse.views; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    late = {"polars", "pyarrow", "numpy", "shapely", "pyproj"}
    assert not late & {*done.stdout.split()}


def test_a_query_has_no_other_rights_than_that_of_the_command(settings: Settings) -> None:
    told = draw_rows(settings, "town", "select * from read_text('/etc/hostname')")
    assert "<table" not in told
    assert "disabled" in told
    assert EVIL not in draw_rows(settings, "town", "select name from station")


def test_a_download_holds_what_others_may_have(settings: Settings) -> None:
    assert [*read_models(settings, "town")] == sorted(read_models(settings, "town"))
    rows = write_csv(settings, "town", "station", NOW).decode()
    assert "10.01" in rows
    assert "internal" not in rows


def test_what_tenants_share_is_not_browsed(settings: Settings) -> None:
    with pytest.raises(PublishError, match="commons"):
        read_models(settings, "commons")


def test_without_marimo_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_name: str) -> Any:
        return None

    monkeypatch.setattr("importlib.util.find_spec", nothing)
    with pytest.raises(PublishError, match=r"civitas-assets\[browse\]"), serve(settings, "town"):
        raise AssertionError("nothing is served")

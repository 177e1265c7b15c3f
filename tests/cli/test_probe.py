"""Probing a file in the shell: the YAML on standard output, so that it can be put into a tenant's file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from civitas_assets.cli import app

TOWN = 'name: Town\nags: "05515000"\nbbox: [7.4, 51.8, 7.8, 52.1]\n'


@pytest.fixture
def probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command, in a deployment with one town."""
    (tmp_path / "tenants").mkdir()
    (tmp_path / "tenants" / "town.yaml").write_text(TOWN, encoding="utf-8")
    monkeypatch.setenv("CIVITAS_TENANTS_DIR", str(tmp_path / "tenants"))
    monkeypatch.setenv("CIVITAS_HOME", str(tmp_path / "home"))
    return lambda *arguments: CliRunner().invoke(app, ["probe", *arguments])


def test_a_file_is_proposed_as_a_source(probe: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "brunnen.csv"
    file.write_text(
        "Nr;Name;Längengrad;Breitengrad\n1;Markt;7,62;51,96\n2;Dom;7,63;51,97\n", encoding="utf-8"
    )
    shown = probe(str(file), "--tenant", "town")
    assert shown.exit_code == 0, shown.output
    block = yaml.safe_load(shown.stdout.split("\n\n")[0])["sources"]["brunnen"]
    assert (block["record_type"], block["decimal"]) == ("place", ",")
    assert "2 row(s) give 2 records of place" in shown.output
    assert not [path for path in (tmp_path / "home").rglob("*") if path.is_file()]


def test_what_is_neither_tenant_file_nor_address_is_refused(
    probe: Callable[..., Result], tmp_path: Path
) -> None:
    assert probe("town").exit_code == 2
    assert probe("town", "nowhere").exit_code == 2
    (tmp_path / "page.html").write_text("<html>", encoding="utf-8")
    failed = probe(str(tmp_path / "page.html"))
    assert "is a web page" in str(failed.exception)


def test_files_that_wait_are_shown_and_go_on_waiting(probe: Callable[..., Result], tmp_path: Path) -> None:
    source = (
        'sources:\n  baths: {connector: csv, title: B, licence: proprietary, url: "drop:*.csv", record_type: place, '
        "fields: {place_id: Nr, name: Name}}\n"
    )
    (tmp_path / "tenants" / "town.yaml").write_text(TOWN + source, encoding="utf-8")
    folder = tmp_path / "home" / "drop" / "town" / "baths"
    folder.mkdir(parents=True)
    assert "put one there" in probe("town", "baths").output
    (folder / "a.csv").write_text("Nr,Name\n1,Nord\n", encoding="utf-8")
    shown = probe("town", "baths")
    assert (shown.exit_code, "place: 1 record(s)" in shown.output) == (0, True)
    assert [file.name for file in folder.iterdir()] == ["a.csv"]


def test_positions_that_are_nowhere_near_are_left_out_and_told(
    probe: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "orte.csv"
    file.write_text("Nr;Name;lat;lon\n1;Nord;11.5;19.5\n2;Dom;11.6;19.6\n", encoding="utf-8")
    shown = probe(str(file), "--tenant", "town")
    assert "# unsure: position: no reference system brings the positions near the tenant" in shown.stdout
    file.write_bytes(b"")
    assert "is empty" in str(probe(str(file)).exception)


def test_validate_names_what_a_wrong_property_may_mean(probe: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "tenants" / "town.yaml").write_text(
        TOWN + "properties:\n  Temp: weather.temprature\n", encoding="utf-8"
    )
    failed = CliRunner().invoke(app, ["validate"])
    assert "town.yaml:5: properties.Temp: is 'weather.temprature'" in str(failed.exception)
    assert "perhaps weather.temperature" in str(failed.exception)

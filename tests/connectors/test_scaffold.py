"""A package for a connector of a deployment is whole as it is written: it installs, and its own test passes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from civitas_assets.cli import app
from civitas_assets.connectors.scaffold import write_connector_package
from civitas_assets.errors import SettingsError


def run(*command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **variables}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_package_installs_and_passes_its_own_test(tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["connector", "new", "gauge_lines2", str(tmp_path / "new")])
    assert said.exit_code == 0, said.output
    package = tmp_path / "new/civitas-gauge-lines2"
    site = tmp_path / "site"
    uv = str(Path(sys.executable).parent / "uv")
    options = ("--offline", "--no-deps", "--no-build-isolation", "--python", sys.executable)
    cache = str(tmp_path / "cache")
    built = run(
        uv, "pip", "install", *options, "--target", str(site), ".", folder=package, UV_CACHE_DIR=cache
    )
    assert built.returncode == 0, built.stderr
    tested = run(
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", folder=package, PYTHONPATH=str(site)
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "19 passed" in tested.stdout
    assert run(sys.executable, "-m", "ruff", "check", "--select", "E,F,I,UP,B", "--isolated", "--line-length=120", ".",
               folder=package).returncode == 0  # fmt: skip


def test_what_is_written_says_the_name_everywhere(tmp_path: Path) -> None:
    package = write_connector_package(tmp_path, "gauge_lines")
    texts = [path.read_text(encoding="utf-8") for path in package.rglob("*") if path.is_file()]
    assert len(texts) == 6
    assert not [text for text in texts if "$" in text]
    assert sum("gauge_lines" in text for text in texts) == 5  # not the sample


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("csv", "there is a connector csv"),
        ("Gauge-Lines", "is no name: lower-case"),
        ("../lines", "is no name: lower-case"),
        ("public", "is no name"),
        ("taken", "civitas-taken cannot be written: File exists"),
    ],
)
def test_what_cannot_be_written_is_said(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "civitas-taken").mkdir()
    with pytest.raises(SettingsError, match=said):
        write_connector_package(tmp_path, name)
    assert [path.name for path in tmp_path.iterdir()] == ["civitas-taken"]

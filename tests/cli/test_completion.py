"""A shell completes tenants and their sources without reading more than names."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from civitas_assets.cli import app


@pytest.fixture(autouse=True)
def towns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for slug in ("jena", "jever", "kassel"):
        text = f"name: {slug}\nsources: {{air: {{}}, area: {{}}, water: {{}}}}\n"
        (tmp_path / f"{slug}.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("CIVITAS_TENANTS_DIR", str(tmp_path))


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("civitas query je", ["jena", "jever"]),
        ("civitas status k", ["kassel"]),
        ("civitas probe jena a", ["air", "area"]),
        ("civitas replay jena --source w", ["water"]),
        ("civitas quarantine li", ["list"]),
    ],
)
def test_what_is_offered(line: str, offered: list[str]) -> None:
    words = {
        "_CIVITAS_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split()) - 1),
    }
    shown = CliRunner().invoke(app, [], prog_name="civitas", env=words)
    assert shown.output.split() == offered

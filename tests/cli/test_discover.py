"""Discovering in the shell: YAML on standard output, the rest beside it, and a report to compare the next time with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from civitas_assets.cli import app
from testbed.serving import Request, answer, serving

TOWN = 'name: Neustadt\nags: "99000009"\nbbox: [9.95, 50.95, 10.1, 51.1]\n'
TABLE = "Nr;Name;Längengrad;Breitengrad\n1;Linde;10,01;51,01\n2;Eiche;10,02;51,02\n".encode()


def test_what_is_found_is_printed_as_a_file_that_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tenants").mkdir()
    file = tmp_path / "tenants" / "neustadt.yaml"
    file.write_text(TOWN, encoding="utf-8")
    monkeypatch.setenv("CIVITAS_TENANTS_DIR", str(tmp_path / "tenants"))
    monkeypatch.setenv("CIVITAS_HOME", str(tmp_path / "home"))
    titles = ["Bäume\x1b[31m", "Karten"]

    def get(request: Request) -> None:
        root = f"http://{request.headers['Host']}"
        if request.path == "/baum.csv":
            answer(request, TABLE)
            return
        sets = [
            {"id": title, "title": title, "resources": [{"url": f"{root}/{place}", "format": form}],
             "license_id": "cc-zero", "organization": {"title": "Neustadt"}}
            for title, place, form in zip(titles, ("baum.csv", "karte"), ("CSV", "WMS"), strict=False)
        ]  # fmt: skip
        result = {"count": len(sets), "results": sets}
        answer(
            request, json.dumps({"result": result}).encode(), 200 if "package_search" in request.path else 404
        )

    with serving(get) as port:
        arguments = [
            "discover",
            "neustadt",
            "--no-national",
            "-c",
            f"http://127.0.0.1:{port}",
            "--report",
            str(tmp_path / "r.json"),
        ]
        first = CliRunner().invoke(app, arguments)
        titles.pop()
        second = CliRunner().invoke(app, arguments)
    assert first.exit_code == second.exit_code == 0, first.output
    blocks = yaml.safe_load(first.stdout)["sources"]
    assert [(block["connector"], block["licence"]) for block in blocks.values()] == [("csv", "CC0-1.0")]
    assert "1 proposed" in first.stderr
    assert "is a map service" in first.stderr
    assert "\x1b[31m" not in first.output
    assert "new since the last report: 0" in second.stderr
    assert "gone since the last report: 1: Karten" in second.stderr
    assert file.read_text(encoding="utf-8") == TOWN

"""Each night ends with the folder of open data as it should be, also where nothing was published; a fault is told."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from civitas_assets.store.files import LocalFiles
from civitas_assets.store.open_folder import OpenFolder
from tests.integration.conftest import CivitasIn, Workplace

OPEN = """
share: [parking_site, parking_status]
open_data:
  publisher: {name: Kleinstadt}
  contact: {name: Amt, email: amt@kleinstadt.example}
  landing_page: https://kleinstadt.example/daten
  folder: {}
"""
# Nobody listens on this port.
SINK = """
sinks:
  frost: {kind: sensorthings, url: "http://127.0.0.1:9/v1.1", http: {attempts: 1}}
"""


def test_the_folder_follows_the_nights(kleinstadt: Workplace, tmp_path: Path, command_in: CivitasIn) -> None:
    file = kleinstadt.settings.tenants_dir / "kleinstadt.yaml"
    text = file.read_text(encoding="utf-8") + OPEN
    file.write_text(text, encoding="utf-8")
    folder = OpenFolder(LocalFiles(kleinstadt.settings.home), "kleinstadt")
    assert kleinstadt.run("kleinstadt").ok
    first = folder.read_index()
    assert first is not None
    assert {"parking_site.geojson", "parking_status.csv", "catalogue.ttl", "datapackage.json"} <= set(
        first.files
    )

    place = tmp_path / "www"
    done = command_in(kleinstadt)("opendata", "kleinstadt", "--output", str(place))
    assert done.exit_code == 0, done.output
    assert json.loads((place / "datapackage.json").read_text())["name"] == "kleinstadt"
    assert {path.name for path in place.iterdir()} == {*first.files, ".civitas-files"}

    # Nothing new comes, and the source is not open any more: what it gave goes all the same.
    file.write_text(
        text.replace("title: Parkhaus", "title: Parkhaus\n    shareable: false"), encoding="utf-8"
    )
    kleinstadt.clock += timedelta(hours=1)
    kleinstadt.run("kleinstadt")
    index = folder.read_index()
    assert index is not None
    assert not [name for name in index.files if name.startswith("parking")]

    # What the file lacks is an error of the night.
    file.write_text(text.replace("  contact:", "  #contact:"), encoding="utf-8")
    with file.open("a", encoding="utf-8") as more:
        more.write(SINK)
    outcome = kleinstadt.run("kleinstadt")
    assert any(
        "sink frost: GET http://127.0.0.1:9/v1.1/ was not answered" in error for error in outcome.errors
    )
    assert any("a folder of open data needs open_data.contact" in error for error in outcome.errors)
    assert "open_data.contact" in (kleinstadt.settings.reports / "kleinstadt" / "index.html").read_text()

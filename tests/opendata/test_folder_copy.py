"""A copy of a folder is plain files: those that stay the same are not touched, those of others are left alone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from civitas_assets.errors import ExportError
from civitas_assets.opendata.folder_copy import copy_folder
from tests.opendata.conftest import NOW, OfferingTown


def test_a_copy_follows_the_folder_and_touches_only_what_has_changed(
    offering: OfferingTown, tmp_path: Path
) -> None:
    place = tmp_path / "www" / "data"
    index = offering.offer().index
    assert copy_folder(offering.folder, index, place) == len(index.files)
    for name, file in index.files.items():
        assert (place / name).read_bytes() == offering.read(name)
        assert (place / name).stat().st_mtime == file.changed_at.timestamp()
    assert copy_folder(offering.folder, index, place) == 0
    before = {path.name: path.stat().st_mtime_ns for path in place.glob("event.*")}
    (place / "of-others.txt").write_text("stays")
    offering.say("{formats: [csv]}")
    index = offering.offer(NOW + timedelta(days=1)).index
    assert copy_folder(offering.folder, index, place) > 0
    assert {path.name for path in place.iterdir()} == {*index.files, "of-others.txt", ".civitas-files"}
    assert (place / "event.csv").stat().st_mtime_ns == before["event.csv"]


def test_a_folder_that_has_changed_meanwhile_is_told(offering: OfferingTown, tmp_path: Path) -> None:
    index = offering.offer().index
    offering.folder.clear()
    with pytest.raises(ExportError, match="has changed meanwhile; start again"):
        copy_folder(offering.folder, index, tmp_path / "www")

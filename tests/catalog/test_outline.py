"""The outline of tenants' files is had quickly, and also of files with faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from civitas_assets.catalog.outline import TenantOutline, read_outlines
from civitas_assets.errors import CatalogError


def test_sources_and_their_cadences_are_told(tmp_path: Path) -> None:
    (tmp_path / "town.yaml").write_text(
        "name: Town\nsources:\n  a: {connector: csv}\n  b: {cadence: hourly, unknown: 1}\n", encoding="utf-8"
    )
    (tmp_path / "bare.yml").write_text("name: Bare\n", encoding="utf-8")
    assert read_outlines(tmp_path) == {
        "bare": TenantOutline("Bare", {}),
        "town": TenantOutline("Town", {"a": "nightly", "b": "hourly"}),
    }


@pytest.mark.parametrize("text", ["a: [", "just text", "sources: [1, 2]", "\x00"])
def test_a_file_that_is_no_tenants_is_told_apart(tmp_path: Path, text: str) -> None:
    (tmp_path / "town.yaml").write_text(text, encoding="utf-8")
    assert read_outlines(tmp_path) == {"town": TenantOutline("town", {}, readable=False)}


def test_no_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="no such folder"):
        read_outlines(tmp_path / "none")

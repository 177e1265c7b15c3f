"""What a publication notes: where something of a tenant is, and which of these places fall behind."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from civitas_assets.ingest.summarise import note_cleared, note_published
from civitas_assets.publish.duckdb.published_file import find_published_file
from civitas_assets.publish.noted import list_held_destinations
from civitas_assets.settings import Settings
from civitas_assets.store.files import LocalFiles
from civitas_assets.store.summary import SummaryStore

AT = datetime(2026, 8, 22, 5, tzinfo=UTC)


def test_a_destination_that_is_not_listed_falls_behind_with_what_is_published_elsewhere(
    tmp_path: Path,
) -> None:
    files = LocalFiles(tmp_path)
    for kind, listed in (("duckdb", ["duckdb", "postgres"]), ("postgres", ["postgres"])):
        note_published(files, "town", kind, listed=listed, at=AT, bytes_=7, unmapped={})
    assert SummaryStore(files, "town").read().outdated == {"duckdb"}
    note_published(files, "town", "duckdb", listed=["duckdb", "postgres"], at=AT, bytes_=7, unmapped={})
    assert not SummaryStore(files, "town").read().outdated
    note_cleared(files, "town", "postgres")
    found = SummaryStore(files, "town").read()
    assert (found.destinations, found.published_bytes) == ({"duckdb": 7}, 7)


def test_a_file_is_held_also_where_nobody_has_noted_it(tmp_path: Path) -> None:
    files, settings = LocalFiles(tmp_path), Settings(home=tmp_path)
    assert not list_held_destinations(settings, files, "town")
    file = find_published_file(settings.published, "town")
    file.parent.mkdir(parents=True)
    file.touch()
    assert list_held_destinations(settings, files, "town") == {"duckdb"}

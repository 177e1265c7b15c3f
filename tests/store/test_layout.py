"""Keys of objects: whose they are, where they go when records are put aside, and that one module alone builds them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

import civitas_assets
from civitas_assets.store.files import LocalFiles
from civitas_assets.store.layout import (
    TENANT_FOLDERS,
    RecordKeys,
    archive_key,
    list_archives,
    list_landed_sources,
    list_record_keys,
    parse_stem,
    unfinished_archive_key,
)

PACKAGE = Path(civitas_assets.__file__).parent
OWN, ARCHIVED = RecordKeys.for_tenant("jena"), RecordKeys.for_archive("aside/jena-1")


@pytest.mark.parametrize(
    ("key", "moved"),
    [
        ("records/jena/place/things.parquet", "aside/jena-1/records/place/things.parquet"),
        ("records/jena/journal/read/s.json", "aside/jena-1/records/journal/read/s.json"),
        ("quarantine/jena/discarded/s.parquet", "aside/jena-1/quarantine/discarded/s.parquet"),
    ],
)
def test_what_is_put_aside_finds_its_way_back(key: str, moved: str) -> None:
    assert OWN.move_key(key, ARCHIVED) == moved
    assert ARCHIVED.move_key(moved, OWN) == key


def test_another_tenants_object_is_not_moved() -> None:
    with pytest.raises(ValueError, match="records/jena_nord/"):
        OWN.move_key("records/jena_nord/place/things.parquet", ARCHIVED)


def test_archives_are_those_of_the_tenant_alone(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path)
    mine = archive_key("jena", datetime(2026, 7, 1, tzinfo=UTC))
    for key in (mine, archive_key("jena_nord", datetime(2026, 7, 1, tzinfo=UTC))):
        files.write(f"{key}/records/place/things.parquet", b"")
    files.write(unfinished_archive_key("jena"), mine.encode())
    assert list_archives(files, "jena") == [mine]
    assert list_record_keys(files, "jena") == [OWN, RecordKeys.for_archive(mine)]


def test_sources_that_have_landed_are_listed_whoever_configures_them(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path)
    assert list_landed_sources(files, "jena") == []
    files.write("landing/jena/former/answered.json", b"{}")
    assert list_landed_sources(files, "jena") == ["former"]


def test_a_stem_is_what_an_object_is_of() -> None:
    assert parse_stem("records/jena/observation/2026-07-01.parquet") == "2026-07-01"
    assert parse_stem("landing/jena/s/bodies/ab/abc.zst") == "abc"


def test_keys_of_a_tenant_are_built_in_one_place() -> None:
    built = re.compile(
        rf'f"(?:{"|".join((*TENANT_FOLDERS, "aside", "locks"))})/\{{(?:self\._?)?(?:tenant|slug)'
    )
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if built.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"store/layout.py"}

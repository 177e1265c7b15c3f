"""An erasure that is cut short anywhere is gone on with, though what has led from one thing to another is half gone."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import zstandard

from civitas_assets.lifecycle.erasure import Erasure
from civitas_assets.lifecycle.erasure_scope import order_record_types
from civitas_assets.records import RECORD_TYPES
from civitas_assets.settings import Settings
from civitas_assets.store.files import Files, LocalFiles
from civitas_assets.store.record_archive import archive_records
from civitas_assets.store.stores import Stores
from civitas_assets.store.tombstones import Tombstones
from tests.ingest.conftest import HOST, Publisher, Town

NOW = datetime(2026, 7, 20, tzinfo=UTC)
WHERE = [("name", "Haus Ada")]
CHANGING = ("write", "write_once", "delete", "delete_all")
CAR_PARKS = {
    "connector": "csv", "record_type": "parking_status", "url": HOST + "{file}.csv", "each": {"file": ("a", "b")},
    "fields": {"site_id": "id", "name": "name", "free": "n"}, "time": {"column": "t", "zone": "utc"},
}  # fmt: skip


class Crash(Exception):
    """The machine went down."""


class Crashing:
    """The same files; before the n-th change everything ends."""

    def __init__(self, files: Files, nth: int) -> None:
        self._files, self._left = files, nth

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._files, name)
        if name not in CHANGING:
            return found

        def changing(*arguments: Any) -> Any:
            self._left -= 1
            if self._left < 0:
                raise Crash
            return found(*arguments)

        return changing


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A town in which two car parks are known by id and name; of one, only the id is in what is told of it later."""
    publisher = Publisher()
    town = Town(tmp_path / "home", publisher)
    town.with_sources(s=CAR_PARKS)
    publisher.bodies["a.csv"] = (
        b"id,name,n,t\np-4711,Haus Ada,1,2026-07-01T10:00\np-4712,Markt,2,2026-07-01T10:00\n"
    )
    publisher.bodies["b.csv"] = (
        b"id,name,n,t\np-4711,,3,2026-07-02T10:00\nx-9,,oops p-4711,2026-07-02T10:00\n"
    )
    with town.client:
        town.night()
        archive_records(town.files, "town")
        town.read()
        yield town.home


def _erasure(settings: Settings, files: Any) -> Erasure:
    town = Town(settings.home, Publisher())
    return Erasure(settings, Stores.for_tenant(files, "town"), town.with_sources(s=CAR_PARKS), WHERE)


def _look(home: Path, told: list[str]) -> None:
    told += telling(home)


def telling(home: Path) -> list[str]:
    found = []
    for file in (file for file in home.rglob("*") if file.is_file()):
        body = file.read_bytes()
        if file.suffix == ".zst":
            body = zstandard.ZstdDecompressor().decompress(body)
        elif file.suffix == ".parquet":
            body = pl.read_parquet(io.BytesIO(body)).cast(pl.String, strict=False).write_csv().encode()
        if b"p-4711" in body or b"Haus Ada" in body:
            found.append(file.relative_to(home).as_posix())
    return sorted(found)


def test_what_is_told_of_things_goes_before_them() -> None:
    order = [*order_record_types()]
    assert {*order} == {*RECORD_TYPES}
    for name, kind in RECORD_TYPES.items():
        if kind.event_time is None:
            others = [
                n for n, other in RECORD_TYPES.items() if kind.key[0] in {*other.schema} - {other.key[0]}
            ]
            assert all(order.index(other) < order.index(name) for other in others), name


def test_the_folder_of_open_data_goes_although_nobody_can_look_into_what_is_compressed(home: Path) -> None:
    files = LocalFiles(home)
    for name in ("index.html", "open/index.json", "open/objects/0a"):
        files.write(f"reports/town/{name}", b"packed")
    erasure = _erasure(Settings(home=home), files)
    erasure.find()
    assert len(files.list_keys("reports/town/")) == 3
    erasure.erase(NOW)
    assert files.list_keys("reports/town/") == ["reports/town/index.html"]


def test_an_erasure_that_is_cut_short_anywhere_is_gone_on_with(home: Path, tmp_path: Path) -> None:
    """What is found by a name leads to an id, by which the rest is found; so the name goes last."""
    assert {file.split("/")[0] for file in telling(home)} == {"landing", "records", "quarantine", "aside"}
    settings = Settings(home=home)
    for nth in range(100):
        copy = shutil.copytree(home, tmp_path / f"copy{nth}")
        files, crashing = LocalFiles(copy), Crashing(LocalFiles(copy), nth)
        told, was_cut = list[str](), False
        try:
            _erasure(settings, crashing).erase(NOW, partial(_look, copy, told))
        except Crash:
            was_cut = True
        assert Tombstones(files, "town") or telling(copy) == telling(home), "marks come first"
        if not was_cut:
            assert told == telling(home), "what is elsewhere goes while all leads there"
        if was_cut:
            _erasure(settings, files).erase(NOW)
        assert telling(copy) == [], nth
        assert {day.isoformat() for day in Stores.for_tenant(files, "town").journal.read_pending().days} >= {
            "2026-07-01"
        }
        left = pl.concat(
            [pl.read_parquet(file) for file in copy.glob("records/town/parking_status/*.parquet")]
        )
        assert left["site_id"].to_list() == ["p-4712"]
        shutil.rmtree(copy)
        if not was_cut:
            break
    assert nth > 8
    assert not was_cut

"""Which answer came later is told by its number, not by a clock: that of a machine may go back, those of two differ."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from civitas_assets.store.files import LocalFiles
from civitas_assets.store.objects import ObjectFiles
from tests.ingest.conftest import Publisher, Town

BACK = timedelta(days=9)


@pytest.fixture(params=["folder", "objects"])
def machines(
    town: Town, publisher: Publisher, tmp_path: Path, request: pytest.FixtureRequest
) -> tuple[Any, Any]:
    """Two machines that share a store; the clock of the second is days behind."""
    if request.param == "objects":
        town.files = ObjectFiles(request.getfixturevalue("storage_url"))
    else:
        town.files = LocalFiles(tmp_path / "shared")
    other = type(town)(tmp_path, publisher)
    other.with_sources(s={})
    other.files, other.now = town.files, town.now - BACK
    return town, other


def test_a_correction_counts_that_comes_by_a_clock_that_is_behind(
    machines: tuple[Any, Any], publisher: Publisher, csv: Callable[..., bytes]
) -> None:
    ahead, behind = machines
    for number, machine in enumerate([ahead, behind, behind, ahead, behind]):
        publisher.bodies["a.csv"] = csv(number)
        report = machine.night()
        assert report.ok
    newest = max(ahead.values("revision", "value"))
    assert newest == (5, 4.0)


def test_an_earlier_answer_that_comes_again_counts_again(
    machines: tuple[Any, Any], publisher: Publisher, csv: Callable[..., bytes]
) -> None:
    ahead, behind = machines
    for machine, value in ((ahead, 1), (behind, 2), (ahead, 1)):
        publisher.bodies["a.csv"] = csv(value)
        machine.night()
    assert max(ahead.values("revision", "value")) == (3, 1.0)


def test_what_is_gone_is_closed_although_the_clock_went_back(town: Town, publisher: Publisher) -> None:
    place = {
        "record_type": "place",
        "fields": {"place_id": "id", "name": "n"},
        "time": None,
        "snapshot": True,
    }
    town.with_sources(s={**place, "url": "https://data.example/{file}.csv"})
    deleted = []
    for rows in ("1,one\n2,two\n3,three\n", "1,one\n2,two\n3,III\n", "1,one\n2,two\n"):
        publisher.bodies["a.csv"] = f"id,n\n{rows}".encode()
        (counts,) = town.night().counts.values()
        deleted.append(counts.deleted)
        town.now -= BACK
    assert deleted == [0, 0, 1]

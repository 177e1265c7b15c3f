"""A source that stays as it is costs the same after many quiet fetches as after few, whatever lies in landing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from civitas_assets.catalog import Tenant
from civitas_assets.catalog.outline import TenantOutline
from civitas_assets.overview.state import read_states
from civitas_assets.store.files import Files, LocalFiles
from civitas_assets.store.objects import ObjectFiles
from civitas_assets.store.retention import apply_retention
from tests.ingest.conftest import Publisher, Town

PLACE = {"record_type": "place", "fields": {"place_id": "id", "name": "v"}, "time": None}


class Counting(LocalFiles):
    """A folder that counts what is read of it, by kind of object."""

    def __init__(self, root: Path, asked: Counter[str]) -> None:
        super().__init__(root)
        self._asked = asked

    def read(self, key: str) -> bytes | None:
        self._asked["manifests" if "/manifests/" in key else "others"] += 1
        return super().read(key)

    def read_all(self, keys: Sequence[str]) -> list[bytes | None]:
        return [self.read(key) for key in keys]


class Counted:
    """Files, and what was asked of them since the last time."""

    def __init__(self, files: Files, asked: Callable[[], Counter[str]]) -> None:
        self.files, self._asked, self._before = files, asked, Counter[str]()

    def asked(self) -> Counter[str]:
        now = self._asked()
        found, self._before = now - self._before, now
        return found


@pytest.fixture(params=["folder", "objects"])
def counted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Counted]:
    """A folder, and object storage, of which requests are counted as they arrive there."""
    if request.param == "folder":
        seen = Counter[str]()
        yield Counted(Counting(tmp_path / "counted", seen), lambda: Counter(seen))
        return
    url, server = request.getfixturevalue("storage_url"), request.getfixturevalue("object_store")
    start = len(server.asked)

    def kinds() -> Counter[str]:
        asked = [one.partition(" ") for one in server.asked[start:]]
        return Counter(
            "manifests"
            if "/manifests/" in path and method == "GET"
            else "lists"
            if path.count("/") < 2
            else method
            for method, _, path in asked
        )

    yield Counted(ObjectFiles(url), kinds)


def test_what_a_quiet_run_asks_for_does_not_grow(
    town: Town, publisher: Publisher, csv: Callable[..., bytes], counted: Counted
) -> None:
    town.files = counted.files
    town.with_sources(s=PLACE)
    publisher.bodies["a.csv"] = csv(1)

    def quiet() -> Counter[str]:
        counted.asked()
        assert town.night().ok
        # As a run does that publishes something else of the tenant.
        assert town.stores.seen.read_last_seen("s", town.landing().read_addresses).height
        return counted.asked()

    town.night()
    few = quiet()
    for _ in range(30):
        town.night()
    assert quiet() == few
    assert few["manifests"] == 1, "the one that the fetch itself has written"
    assert few["lists"] <= 8
    assert len([*town.landing().list_manifests()]) == 33


def test_what_retention_and_status_ask_for_does_not_grow(
    town: Town, publisher: Publisher, csv: Callable[..., bytes], counted: Counted
) -> None:
    town.files = counted.files
    town.with_sources(s=PLACE)
    publisher.bodies["a.csv"] = csv(1)
    content = {
        "name": "Town",
        "ags": "99000001",
        "bbox": (9.0, 50.0, 9.2, 50.2),
        "retention": {"landing": "1 day"},
    }
    keeping = Tenant.model_validate(content).with_key("town")
    outline = TenantOutline("Town", {"s": "nightly"})

    def night() -> tuple[Counter[str], Counter[str]]:
        town.night()
        counted.asked()
        apply_retention(keeping, town.stores, town.now)
        kept = counted.asked()
        assert read_states(town.files, {"town": outline}, town.now)[0].sources[0].summary.answered_at
        return kept, counted.asked()

    # In the first of them the landing is looked through for what nothing names.
    few, *_, many = [night() for _ in range(30)][4:]
    assert many == few
    assert few[0]["manifests"] <= 3
    assert not few[1]["manifests"]

"""A source that stays as it is costs the same after many quiet fetches as after few, whatever lies in landing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from civitas_assets.store.files import LocalFiles


class Counting(LocalFiles):
    """A folder that counts what is read of it, by kind of object."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked = Counter[str]()

    def read(self, key: str) -> bytes | None:
        self.asked["manifests" if "/manifests/" in key else "others"] += 1
        return super().read(key)

    def read_all(self, keys: Sequence[str]) -> list[bytes | None]:
        return [self.read(key) for key in keys]


def test_what_a_quiet_fetch_reads_does_not_grow(
    town: Any, publisher: Any, csv: Callable[..., bytes], tmp_path: Path
) -> None:
    town.files = files = Counting(tmp_path / "counted")
    place = {"record_type": "place", "fields": {"place_id": "id", "name": "v"}, "time": None}
    town.with_sources(s=place)
    publisher.bodies["a.csv"] = csv(1)

    def quiet() -> Counter[str]:
        files.asked.clear()
        assert town.night().ok
        # As a run does that publishes something else of the tenant, and whoever looks at its state.
        assert town.stores.seen.last_seen("s", town.landing().addresses).height
        assert town.summary().answered_at
        return Counter(files.asked)

    town.night()
    few = quiet()
    for _ in range(60):
        town.night()
    assert quiet() == few
    assert few["manifests"] == 1, "the one that the fetch itself has written"
    assert len([*town.landing().manifests()]) == 63

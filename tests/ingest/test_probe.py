"""A little of a source is asked for and read like every night, and nothing of it is left."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from civitas_assets.catalog import Window
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.errors import FetchError
from civitas_assets.ingest.probe import Probe, probe_source, read_sample
from tests.ingest.conftest import Publisher, Town

Csv = Callable[..., bytes]


@pytest.fixture
def looked(town: Town, tmp_path: Path) -> Callable[..., Probe]:
    def look(pages: int = 2) -> Probe:
        source = town.tenant.sources["s"]
        connector = CONNECTORS[source.connector]
        days = Window(town.now.date(), town.now.date())
        return probe_source(
            town.tenant, source, connector, town.client, days, tmp_path / "work", lambda: town.now, pages=pages
        )  # fmt: skip

    return look


def test_records_and_rejected_rows_are_told_and_nothing_is_kept(
    town: Town, publisher: Publisher, csv: Csv, looked: Callable[..., Probe], tmp_path: Path
) -> None:
    publisher.bodies["a.csv"] = csv(1, "x")
    found = looked()
    assert found.asked == ("https://data.example/a.csv",)
    assert found.records["observation"]["value"].to_list() == [1.0]
    assert found.rejected["rule"].to_list() == ["not_a_number"]
    assert (found.cut, found.error) == (False, "")
    assert (
        town.files.list_keys("landing/")
        == town.files.list_keys("records/")
        == town.files.list_keys("quarantine/")
        == []
    )
    assert list((tmp_path / "work").iterdir()) == []


def test_no_more_is_asked_for_than_was_said(
    town: Town, publisher: Publisher, csv: Csv, looked: Callable[..., Probe]
) -> None:
    names = tuple(f"f{n}" for n in range(9))
    town.with_sources(s={"each": {"file": names}})
    publisher.bodies |= {f"{name}.csv": csv(1) for name in names}
    found = looked(3)
    assert len(publisher.asked) == len(found.asked) == 3
    assert (found.cut, found.error) == (True, "")


def test_links_to_further_pages_are_followed_no_further(
    town: Town, publisher: Publisher, looked: Callable[..., Probe]
) -> None:
    town.with_sources(
        s={
            "connector": "ogc_features", "url": "https://data.example", "each": None, "time": None,
            "collection": "sites", "record_type": "station", "fields": {"station_id": "id"},
        }
    )  # fmt: skip
    page = {
        "type": "FeatureCollection",
        "features": [],
        "links": [{"rel": "next", "href": "https://data.example/more"}],
    }
    publisher.bodies |= dict.fromkeys(("more", ""), json.dumps(page).encode())
    looked(1)
    assert len(publisher.asked) == 1


def test_what_fails_is_said(town: Town, publisher: Publisher, looked: Callable[..., Probe]) -> None:
    publisher.bodies["a.csv"] = 500
    assert "HTTP 500" in looked().error
    assert len(publisher.asked) == 1, "a probe does not insist"


def test_messages_of_a_queue_are_left_where_they_are(town: Town, looked: Callable[..., Probe]) -> None:
    town.with_sources(
        s={
            "connector": "lorawan", "url": "mqtt://broker.example:1883", "each": None, "time": None, "fields": None,
            "record_type": None, "queue": {"client_id": "x", "topics": ("application/#",)},
        }
    )  # fmt: skip
    with pytest.raises(FetchError, match="is a queue"):
        looked()


def test_a_body_can_be_read_without_asking_anybody(town: Town, csv: Csv, tmp_path: Path) -> None:
    found = read_sample(
        town.tenant, town.tenant.sources["s"], CONNECTORS["csv"], csv(1, 2), tmp_path / "work"
    )
    assert found.records["observation"].height == 2

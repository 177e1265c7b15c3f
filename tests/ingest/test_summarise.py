"""What runs leave in the summary is what can be found out from the stores."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from civitas_assets.store.summary import SummaryStore
from tests.ingest.conftest import Publisher, Town

Csv = Callable[..., bytes]


def test_a_night_leaves_when_it_was_and_what_is_rejected(town: Town, publisher: Publisher, csv: Csv) -> None:
    publisher.bodies["a.csv"] = csv(1, "x")
    town.night()
    summary = SummaryStore(town.files, "town").read()
    source, night = summary.get_source("s"), datetime(2026, 7, 4, tzinfo=UTC)
    assert (source.asked_at, source.answered_at, source.brought_at) == (night, night, night)
    assert (source.error, source.rejected, source.unread) == (None, 1, 0)
    assert summary.record_bytes > 0


def test_a_failed_night_leaves_the_last_good_one(town: Town, publisher: Publisher, csv: Csv) -> None:
    publisher.bodies["a.csv"] = csv(1)
    town.night()
    publisher.bodies["a.csv"] = 500
    town.fetch()
    source = SummaryStore(town.files, "town").read().get_source("s")
    assert source.asked_at > source.answered_at
    assert source.error is not None
    assert (source.error.code, source.error.params) == ("http_status", {"status": 500})
    publisher.bodies["a.csv"] = csv(1)
    town.fetch()
    source = SummaryStore(town.files, "town").read().get_source("s")
    assert (source.error, source.asked_at == source.answered_at) == (None, True)
    assert source.brought_at < source.answered_at, "nothing was new"


def test_landing_is_added_up_to_what_is_there(town: Town, publisher: Publisher, csv: Csv) -> None:
    for night in range(3):
        publisher.bodies["a.csv"] = csv(*range(night + 1))
        town.night()
        if night == 0:  # as in a deployment from before there were summaries
            town.files.delete("records/town/journal/summary.json")
    there = sum(stamp.size for stamp in town.files.list_stamps("landing/town/s/bodies/").values())
    assert SummaryStore(town.files, "town").read().get_source("s").landing_bytes == there


def test_payloads_that_cannot_be_read_are_counted(town: Town, publisher: Publisher, csv: Csv) -> None:
    publisher.bodies["a.csv"] = csv(1, header="ID,v,t")
    town.night()
    assert SummaryStore(town.files, "town").read().get_source("s").unread == 1

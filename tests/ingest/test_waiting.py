"""Records that wait come back as they were read: all of them, each day's in their order, in turns of bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from civitas_assets.ingest.waiting import WaitingRecords
from civitas_assets.records import RECORD_TYPES
from civitas_assets.records.contract import UTC_TIME

OBSERVATION, STATION, EVENT = (RECORD_TYPES[name] for name in ("observation", "station", "event"))
START = datetime(2026, 3, 28, 22, 30, tzinfo=UTC)  # half past eleven in Berlin


def observations(*hours: int) -> pl.DataFrame:
    """Records of these hours after the start, numbered by hour."""
    times = pl.Series([START + timedelta(hours=hour) for hour in hours], dtype=UTC_TIME)
    return pl.DataFrame({"phenomenon_start": times, "value": [float(hour) for hour in hours]})


def turns(waiting: WaitingRecords) -> Iterator[list[float]]:
    """The values of each turn."""
    for _, frames in waiting.take_all():
        yield pl.concat(frames)["value"].to_list()


def test_few_records_come_back_as_they_are() -> None:
    waiting = WaitingRecords("Europe/Berlin", 10)
    waiting.add(OBSERVATION, observations(30, 2))
    waiting.add(OBSERVATION, observations(1))
    assert [*turns(waiting)] == [[30, 2, 1]]
    assert [*turns(waiting)] == []


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (1, [[0, 0], [1, 2, 1], [30, 25]]),
        (4, [[0, 0], [1, 2, 1], [30, 25]]),
        (5, [[0, 0, 1, 2, 1], [30, 25]]),
    ],
)
def test_many_records_come_back_by_local_days_in_the_order_of_each_day(
    most: int, expected: list[list[float]]
) -> None:
    waiting = WaitingRecords("Europe/Berlin", most)
    for hours in ((30, 0, 1), (2, 0), (25, 1)):
        waiting.add(OBSERVATION, observations(*hours))
    assert [*turns(waiting)] == expected
    assert [*turns(waiting)] == []


def test_what_was_typed_in_one_go_waits_in_memory_until_more_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    written, write = list[Path](), pl.DataFrame.write_parquet

    def write_noted(frame: pl.DataFrame, file: Path, **options: Any) -> None:
        written.append(file)
        write(frame, file, **options)

    monkeypatch.setattr(pl.DataFrame, "write_parquet", write_noted)
    waiting = WaitingRecords("Europe/Berlin", 1)
    waiting.add(OBSERVATION, observations(30, 0))
    assert ([*turns(waiting)], written) == ([[30, 0]], [])
    for hours in ((30, 0), (1,)):
        waiting.add(OBSERVATION, observations(*hours))
    assert [*turns(waiting)] == [[0], [1], [30]]
    assert len(written) == 1


@pytest.mark.parametrize("at_once", [1, 20_000])
def test_things_come_first_and_what_is_said_of_them_counts_as_a_whole(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("civitas_assets.ingest.waiting._SAID_AT_ONCE", at_once)
    at = pl.Series([START], dtype=UTC_TIME)
    schema = {name: dtype for name, dtype in STATION.schema.items() if name not in {"station_id", "name"}}
    said = [
        pl.DataFrame({"station_id": ["1"], "name": [name], "received_at": at, **{n: [None] for n in schema}})
        for name in "ABA"
    ]
    waiting = WaitingRecords("Europe/Berlin", 1)
    for hour in (0, 30):
        waiting.add(OBSERVATION, observations(hour))
    for frame in said:
        waiting.add(STATION, frame, is_said=True)
    taken = [(record_type.name, frames) for record_type, frames in waiting.take_all()]
    assert [name for name, _ in taken] == ["station", "observation", "observation"]
    assert taken[0][1][0]["name"].to_list() == ["B", "A"]


def test_events_whose_key_says_no_time_stay_together() -> None:
    waiting = WaitingRecords("Europe/Berlin", 1)
    for text in "ab":
        waiting.add(EVENT, pl.DataFrame({"title": [text, text]}))
    assert [pl.concat(frames)["title"].to_list() for _, frames in waiting.take_all()] == [
        ["a", "a", "b", "b"]
    ]

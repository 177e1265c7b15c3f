"""Ceilings of the operator where work is done: rows of a payload, bytes on disk, and the time of a fetch."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from civitas_assets.catalog.frame import Frame
from civitas_assets.ingest.session import LandingSession
from tests.ingest.conftest import Publisher, Town


@pytest.fixture
def within(town: Town) -> Any:
    """Lets the operator's frame hold for the town's source."""

    def set_frame(frame: Frame) -> None:
        source = town.tenant.sources["s"].limit_to(frame)
        town.tenant = town.tenant.model_copy(update={"sources": {"s": source}})

    return set_frame


def test_a_payload_with_too_many_rows_is_not_read_and_the_next_one_is(
    town: Town, publisher: Publisher, csv: Callable[..., bytes], within: Any
) -> None:
    within(Frame(max_rows=3))
    publisher.bodies["a.csv"] = csv(1, 2, 3, 4)
    report = town.night()
    assert not report.ok
    assert "over 3 rows" in report.errors[0]
    assert town.values("value") == []
    publisher.bodies["a.csv"] = csv(1, 2, 3)
    assert town.night().ok
    assert len(town.values("value")) == 3


def test_nothing_more_lands_of_a_tenant_whose_share_of_the_disk_is_used(
    town: Town, publisher: Publisher, csv: Callable[..., bytes], within: Any
) -> None:
    publisher.bodies["a.csv"] = csv(1)
    assert town.fetch()["s"].ok
    within(Frame(max_disk=200))
    publisher.bodies["a.csv"] = csv(*range(20))
    report = town.fetch()["s"]
    assert "CIVITAS_MAX_DISK" in report.error
    assert report.stored == 0
    within(Frame(max_disk=100_000))
    assert town.fetch()["s"].ok


def test_the_time_of_a_fetch_is_the_operators_at_most(
    town: Town, publisher: Publisher, within: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    times: list[timedelta] = []
    begin = LandingSession.begin

    def noted(self: LandingSession, time: timedelta, *rest: Any) -> None:
        times.append(time)
        begin(self, time, *rest)

    monkeypatch.setattr(LandingSession, "begin", noted)
    publisher.bodies["a.csv"] = b"1"
    within(Frame(max_time=timedelta(minutes=1)))
    assert town.fetch()["s"].ok
    assert times == [timedelta(minutes=1)]

"""Rejected rows that today's mapping accepts become records, unless something newer is known, and leave quarantine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.ingest.retry import Retry, retry_rows
from tests.ingest.conftest import Publisher, Town


@pytest.fixture
def retried(town: Town, tmp_path: Path) -> Callable[..., Retry]:
    """What became of the rows of the one source, or of those of a rule."""

    def again(rule: str | None = None) -> Retry:
        rows = town.stores.quarantine.read_rows()
        rows = rows if rule is None else rows.filter(pl.col("rule") == rule)
        return retry_rows(
            town.tenant, town.tenant.sources["s"], CONNECTORS["csv"], town.stores, rows, tmp_path / "work", "again"
        )  # fmt: skip

    return again


def rows(*lines: str) -> bytes:
    return "\n".join(["id,v,t", *lines, ""]).encode()


def test_rows_that_are_accepted_now_leave_and_become_records(
    town: Town, publisher: Publisher, retried: Callable[..., Retry]
) -> None:
    publisher.bodies["a.csv"] = rows(
        "d,1,2026-07-01T10:00", "d,k.A.,2026-07-01T11:00", "d,x,2026-07-01T12:00", "d,9,2026-07-01T1x"
    )
    town.night()
    assert town.stores.quarantine.read_rows().height == 3
    journal = town.stores.journal
    journal.acknowledge(journal.read_pending().entries)
    town.with_sources(
        s={"nulls": ("k.A.",), "time": {"column": "t", "zone": "utc", "format": "%Y-%m-%dT%H:%M"}}
    )
    result = retried()
    assert (result.accepted, result.rejected, result.unread) == (1, 2, 0)
    assert town.stores.quarantine.read_rows()["rule"].to_list() == ["not_a_number", "time_is_unreadable"]
    assert journal.read_pending().days, "the day on which they were received is published anew"


def test_a_newer_record_is_not_replaced(
    town: Town, publisher: Publisher, retried: Callable[..., Retry]
) -> None:
    publisher.bodies["a.csv"] = rows('d,"2,5",2026-07-01T11:00', 'd,"3,5",2026-07-01T12:00')
    town.night()
    publisher.bodies["a.csv"] = rows("d,7,2026-07-01T11:00")
    town.night()
    town.with_sources(s={"decimal": ","})
    result = retried()
    assert result.accepted == 2
    assert town.stores.quarantine.read_rows().is_empty()
    assert [
        (at.hour, value, run) for at, value, run in town.values("phenomenon_start", "value", "run_id")
    ] == [
        (11, 7.0, "run"),
        (12, 3.5, "again"),
    ]


def test_a_row_that_is_rejected_by_another_rule_stays_with_that(
    town: Town, publisher: Publisher, retried: Callable[..., Retry]
) -> None:
    publisher.bodies["a.csv"] = rows("d,x,2026-07-01T10:00")
    town.night()
    town.with_sources(s={"time": {"column": "t", "zone": "utc", "format": "%d.%m.%Y"}})
    result = retried()
    assert (result.accepted, result.rejected) == (0, 1)
    assert town.stores.quarantine.read_rows().height == 1


def test_rows_whose_payload_is_gone_stay(
    town: Town, publisher: Publisher, retried: Callable[..., Retry]
) -> None:
    publisher.bodies["a.csv"] = rows("d,x,2026-07-01T10:00")
    town.night()
    for key in town.files.list_keys("landing/town/s/bodies/"):
        town.files.delete(key)
    result = retried()
    assert (result.accepted, result.rejected, result.unread) == (0, 0, 1)
    assert town.stores.quarantine.read_rows().height == 1


def test_only_the_payloads_of_the_chosen_rows_are_read(
    town: Town, publisher: Publisher, retried: Callable[..., Retry]
) -> None:
    publisher.bodies["a.csv"] = rows("d,x,2026-07-01T10:00")
    town.night()
    publisher.bodies["a.csv"] = rows("d,1,10")
    town.night()
    assert retried("time_is_unreadable").report.payloads == 1
    assert town.stores.quarantine.read_rows().height == 2

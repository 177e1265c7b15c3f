"""Quarantine keeps each rejected row once, with its reason."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from civitas_assets.store.files import Files
from civitas_assets.store.quarantine import SCHEMA, Decision, Quarantine, make_row_ids


@pytest.fixture
def quarantine(files: Files) -> Quarantine:
    return Quarantine(files, "town")


def rejected(*raws: str, **more: Any) -> pl.DataFrame:
    basics = {
        "source": "s",
        "record_type": "observation",
        "rule": "not_a_number",
        "field": "value",
        "day": date(2026, 8, 1),
        "received_at": datetime(2026, 8, 1, tzinfo=UTC),
        **more,
    }
    return pl.DataFrame([{**dict.fromkeys(SCHEMA), **basics, "raw": raw} for raw in raws], schema=SCHEMA)


def test_rows_are_kept_and_those_that_were_not_there_are_told(quarantine: Quarantine) -> None:
    assert quarantine.add("s", rejected("a", "b", "a"))["raw"].to_list() == ["a", "b"]
    assert quarantine.add("s", rejected("b", "c", row=9, payload="later"))["raw"].to_list() == ["c"]
    assert quarantine.read_rows()["raw"].to_list() == ["a", "b", "c"]


def test_rows_that_another_run_has_put_there_since_stay(
    quarantine: Quarantine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of one that slept with its lease after it had looked."""
    quarantine.add("s", rejected("a"))
    look = quarantine.select_unknown

    def look_and_sleep(source: str, rows: pl.DataFrame) -> pl.DataFrame:
        found = look(source, rows)
        monkeypatch.undo()
        quarantine.add("s", rejected("b", "c"))
        return found

    monkeypatch.setattr(quarantine, "select_unknown", look_and_sleep)
    quarantine.add("s", rejected("b", "d"))
    assert quarantine.read_rows()["raw"].to_list() == ["a", "b", "c", "d"]


def test_another_rule_or_field_is_another_row_and_no_field_equals_no_field(quarantine: Quarantine) -> None:
    quarantine.add("s", rejected("a", field=None))
    assert quarantine.add("s", rejected("a", field=None)).is_empty()
    assert quarantine.add("s", rejected("a", rule="out_of_range")).height == 1
    assert quarantine.add("s", rejected("a")).height == 1


def test_rows_can_be_asked_for_by_the_day_of_their_reception(quarantine: Quarantine) -> None:
    quarantine.add("s", rejected("a"))
    quarantine.add("t", rejected("b", day=date(2026, 8, 2)))
    assert quarantine.read_rows([date(2026, 8, 2)])["raw"].to_list() == ["b"]
    assert quarantine.read_rows([]).is_empty()


def test_nothing_rejected_writes_nothing(quarantine: Quarantine, files: Files) -> None:
    assert quarantine.add("s", rejected()).is_empty()
    assert files.list_keys("quarantine/") == []
    assert dict(quarantine.read_rows().schema) == SCHEMA


DECISION = Decision(datetime(2026, 8, 2, tzinfo=UTC), "lena", "Testbetrieb")


def test_discarded_rows_are_kept_with_the_decision_and_do_not_come_back(quarantine: Quarantine) -> None:
    quarantine.add("s", rejected("a", "b"))
    quarantine.discard("s", rejected("a"), DECISION)
    assert quarantine.read_rows()["raw"].to_list() == ["b"]
    kept = quarantine.read_discarded().select("raw", "discarded_at", "discarded_by", "reason").rows()
    assert kept == [("a", DECISION.at, "lena", "Testbetrieb")]
    assert quarantine.add("s", rejected("a", "b", "c"))["raw"].to_list() == ["c"]
    assert len(quarantine.list_stamps()) == 1, "decisions are not what tables are made of"


def test_a_decision_can_be_taken_back(quarantine: Quarantine, files: Files) -> None:
    quarantine.add("s", rejected("a", "b"))
    before = quarantine.read_rows().sort("raw")
    quarantine.discard("s", before, DECISION)
    assert quarantine.read_rows().is_empty()
    quarantine.restore("s", quarantine.read_discarded())
    assert quarantine.read_rows().sort("raw").equals(before)
    assert quarantine.read_discarded().is_empty()
    assert files.list_keys("quarantine/") == ["quarantine/town/s.parquet"]


def test_discarding_that_was_cut_short_is_made_up_for(quarantine: Quarantine) -> None:
    """The decision was written, but the row had not left yet."""
    quarantine.add("s", rejected("a"))
    quarantine.discard("s", rejected("a"), DECISION)
    quarantine.restore("t", rejected("z"))
    quarantine.discard("s", rejected("a"), DECISION)
    assert quarantine.read_discarded().height == 1


def test_a_row_has_a_name_that_stays(quarantine: Quarantine) -> None:
    quarantine.add("s", rejected("a", "b", field=None))
    first = make_row_ids(quarantine.read_rows()).to_list()
    assert len({*first}) == 2
    quarantine.add("s", rejected("c"))
    assert make_row_ids(quarantine.read_rows()).to_list()[:2] == first

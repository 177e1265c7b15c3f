"""Runs that told of a value are found however it is written in what they said."""

from __future__ import annotations

import dagster as dg
import pytest
from dagster._core.events.log import EventLogEntry

from civitas_assets.defs.history_words import build_words_part
from civitas_assets.lifecycle.needles import Needles
from testbed.history import History


def say(history: History, text: str) -> str:
    """A run that says so; its id."""

    @dg.job
    def job() -> None:
        pass

    run_id: str = history.instance.create_run_for_job(job).run_id
    entry = EventLogEntry(None, 30, text, run_id, 1.7e9)
    history.instance.event_log_storage.store_event(entry)
    return run_id


@pytest.mark.parametrize(
    "text", ["Tür-17 is late", "HTTP 503 from /v1?id=T%C3%BCr-17", '{"id": "T\\u00fcr-17", "n": 1}']
)
def test_a_value_is_found_as_it_was_written(history: History, text: str) -> None:
    telling, silent = say(history, text), say(history, "Tür-18 is late")
    part = build_words_part(history.instance, Needles(["Tür-17"]))
    assert part.measure().rows == 1
    part.remove()
    assert silent in (left := history.instance.get_run_ids())
    assert telling not in left
    assert not history.instance.all_logs(telling)
    assert part.measure().rows == 0

"""A fault of one source is recorded and goes no further; being told to stop is no fault."""

from __future__ import annotations

import logging

import pytest

from civitas_assets.errors import FetchError
from civitas_assets.ingest.isolation import isolated


def test_work_that_succeeds_gives_its_result() -> None:
    assert isolated("work", lambda: 7) == (7, "")


def test_a_foreseen_error_is_its_text_and_an_unforeseen_one_says_so_with_its_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def foreseen() -> None:
        raise FetchError("nobody answers")

    def unforeseen() -> None:
        raise KeyError("x")

    with caplog.at_level(logging.ERROR):
        assert isolated("town · fetch · s", foreseen) == (None, "nobody answers")
        assert isolated("town · fetch · s", unforeseen) == (None, "unforeseen KeyError: 'x'")
    assert [record.exc_info is not None for record in caplog.records] == [False, True]
    assert "town · fetch · s: nobody answers" in caplog.text


def test_an_interruption_is_not_held_up() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        isolated("work", interrupted)

"""A fault of one source is recorded and goes no further; being told to stop is no fault."""

from __future__ import annotations

import logging

import pytest
from polars.exceptions import PanicException

from civitas_assets.errors import FetchError, Problem
from civitas_assets.ingest.isolation import capture_errors


def test_work_that_succeeds_gives_its_result() -> None:
    assert capture_errors("work", lambda: 7) == (7, None)


def test_a_foreseen_error_is_its_text_and_an_unforeseen_one_says_so_with_its_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def foreseen() -> None:
        raise FetchError("nobody answers")

    def unforeseen() -> None:
        raise KeyError("x")

    with caplog.at_level(logging.ERROR):
        assert capture_errors("town · fetch · s", foreseen) == (
            None,
            Problem("nobody answers", "fetch_failed"),
        )
        assert capture_errors("town · fetch · s", unforeseen) == (
            None,
            Problem("unforeseen KeyError: 'x'", "unforeseen", {"kind": "KeyError"}),
        )
    assert [record.exc_info is not None for record in caplog.records] == [False, True]
    assert "town · fetch · s: nobody answers" in caplog.text


class Cancelled(BaseException):
    """As Dagster cancels a run."""


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, Cancelled])
def test_an_interruption_is_not_held_up(kind: type[BaseException]) -> None:
    def interrupted() -> None:
        raise kind

    with pytest.raises(kind):
        capture_errors("work", interrupted)


def test_what_native_code_panics_with_is_a_fault_although_it_is_no_exception() -> None:
    def panics() -> None:
        raise PanicException("index out of bounds")

    assert not issubclass(PanicException, Exception)
    problem = capture_errors("work", panics)[1]
    assert str(problem) == "unforeseen PanicException: index out of bounds"

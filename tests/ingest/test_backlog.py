"""What is still to be read of an address is told by answers, not by when a clock says that they came."""

from __future__ import annotations

from datetime import UTC, datetime

from civitas_assets.ingest.backlog import select_unsuperseded
from civitas_assets.store.addresses import Line

URL = "https://town.example/parking.json"
NOON = datetime(2026, 8, 20, 12, tzinfo=UTC)


def answer(body: str) -> Line:
    """One that came at noon, by a clock that stands or was set back."""
    return Line(URL, "stored", 200, NOON, "config", body)


def test_an_answer_that_was_read_supersedes_one_of_the_same_moment_that_was_not() -> None:
    page, good = answer("page"), answer("good")
    assert select_unsuperseded([], [page, good], [page]) == []
    assert select_unsuperseded([page], [good], []) == []
    assert select_unsuperseded([], [good, page], [page]) == [page]

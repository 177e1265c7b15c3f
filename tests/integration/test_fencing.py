"""Of two runs that overlap, the one that made its rows from older records never publishes them over the other's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from typing import Any

import pytest

from civitas_assets.pipeline.fetch_step import fetch_tenant
from civitas_assets.pipeline.harmonise_step import harmonise_tenant
from civitas_assets.pipeline.publish_step import publish_tenant
from civitas_assets.pipeline.read_step import read_tenant
from civitas_assets.pipeline.runner import Order
from civitas_assets.pipeline.turn_scope import Scope
from civitas_assets.pipeline.work import Work
from tests.integration.conftest import MakeCounts, Server, Workplace

SUM = "select sum(value)::int from observation"


@pytest.fixture(params=["duckdb", "postgres"])
def destination(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def steps(kleinstadt: Workplace) -> Callable[..., Iterator[str]]:
    """A run that stops after each step until it is told to go on."""

    def begin(run_id: str, **scope: Any) -> Iterator[str]:
        deployment = kleinstadt.deployment
        work = Work(deployment, deployment.catalog.get_tenant("kleinstadt"), Scope(**scope), run_id)
        with deployment.make_http_client() as client:
            for _ in fetch_tenant(work, client):
                pass
        (kind,) = work.tenant.destinations
        for name, step in (
            ("read", read_tenant),
            ("harmonise", harmonise_tenant),
            ("publish", partial(publish_tenant, kind=kind)),
        ):
            made = [*step(work)]
            yield f"{name} {len(made)}"

    return begin


def pages(counts: MakeCounts, value: int) -> bytes:
    return counts({"2026-08-20T10:00:00Z": value, "2026-08-21T10:00:00Z": 1})


@pytest.mark.parametrize("rebuild", [False, True], ids=["night", "rebuild"])
def test_rows_of_a_run_that_was_overtaken_are_made_again(
    kleinstadt: Workplace,
    town: Server,
    counts: MakeCounts,
    steps: Callable[..., Iterator[str]],
    *,
    rebuild: bool,
) -> None:
    town.pages["/counter.csv"] = pages(counts, 5)
    assert kleinstadt.run("kleinstadt").ok
    for number in range(1 if rebuild else 2):  # what is made again a second time is so by the same way
        town.pages["/counter.csv"] = pages(counts, 10 * number)
        slow = steps(f"slow-{number}", rebuild=rebuild)
        assert [next(slow), next(slow)]
        town.pages["/counter.csv"] = pages(counts, 10 * number + 5)
        assert kleinstadt.run("kleinstadt").ok
        assert kleinstadt.ask("kleinstadt", SUM) == [(10 * number + 6,)]
        assert [*slow]
        assert kleinstadt.ask("kleinstadt", SUM) == [(10 * number + 6,)]
    assert not kleinstadt.deployment.make_stores(
        kleinstadt.deployment.catalog.get_tenant("kleinstadt")
    ).journal.read_pending()


def test_a_run_whose_days_others_have_published_leaves_it_at_that(
    kleinstadt: Workplace, town: Server, counts: MakeCounts, steps: Callable[..., Iterator[str]]
) -> None:
    slow = steps("slow")
    assert [next(slow), next(slow)]
    assert kleinstadt.run("kleinstadt", Order(fetch=False)).days
    before = kleinstadt.state("kleinstadt")
    assert [*slow] == ["publish 0"]
    assert kleinstadt.state("kleinstadt") == before
    assert not [*kleinstadt.settings.workspaces.iterdir()]


def test_records_that_have_moved_without_being_published_are_published_by_whoever_comes_first(
    kleinstadt: Workplace, town: Server, counts: MakeCounts, steps: Callable[..., Iterator[str]]
) -> None:
    slow = steps("slow")
    assert [next(slow), next(slow)]
    town.pages["/counter.csv"] = pages(counts, 50)
    killed = steps("killed")
    next(killed)
    assert [*slow]
    assert kleinstadt.ask("kleinstadt", SUM) == [(58,)]


def test_a_note_that_was_added_to_since_is_not_struck_out(
    kleinstadt: Workplace, town: Server, counts: MakeCounts, steps: Callable[..., Iterator[str]]
) -> None:
    assert kleinstadt.run("kleinstadt").ok
    town.pages["/counter.csv"] = pages(counts, 50)
    slow = steps("slow")
    assert [next(slow), next(slow)]
    stores = kleinstadt.deployment.make_stores(kleinstadt.deployment.catalog.get_tenant("kleinstadt"))
    stores.journal.note("slow-bicycle_counters", [date(2026, 8, 1)])
    assert [*slow]
    assert stores.journal.read_pending().days == {date(2026, 8, 1), date(2026, 8, 20), date(2026, 8, 21)}


def test_two_rebuilds_that_overlap_publish_what_the_records_hold(
    kleinstadt: Workplace,
    town: Server,
    counts: MakeCounts,
    steps: Callable[..., Iterator[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CIVITAS_REBUILD_PORTION", "1")
    town.pages["/counter.csv"] = pages(counts, 5)
    assert kleinstadt.run("kleinstadt").ok
    first, second = steps("first", rebuild=True), steps("second", rebuild=True)
    assert [next(first), next(first)]
    town.pages["/counter.csv"] = pages(counts, 7)
    assert [next(second), next(second)]
    town.pages["/counter.csv"] = pages(counts, 9)
    assert [next(third := steps("third")), *third]
    assert [*first]
    assert [*second]
    assert kleinstadt.ask("kleinstadt", SUM) == [(10,)]
    assert kleinstadt.run("kleinstadt").ok
    assert kleinstadt.ask("kleinstadt", SUM) == [(10,)]

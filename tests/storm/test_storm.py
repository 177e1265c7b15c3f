"""Whatever is done to runs, what is published in the end is what it would be had nothing been done, bit for bit.

`make storm` does more of it: `STORM_STEPS` steps from the seed `STORM_SEED`, which a failure names.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.storm.homes import Home
from tests.storm.town import Publisher, now_of, pages

SEED, STEPS = int(os.environ.get("STORM_SEED", "20")), int(os.environ.get("STORM_STEPS", "3"))
# Where a run is hit: before what is written there comes into being, or is removed.
POINTS = (
    *(
        "/bodies/",
        "/manifests/",
        "/addresses.json",
        "/answered.json",
        "/summary",
        "/pending/",
        "/journal/read/",
    ),
    *(
        "/observation/",
        "/parking_status/",
        "/parking_site/",
        "/place/",
        "/quarantine/",
        "/seen/",
        "/workspaces/",
    ),
    *("task.json", "/published/", "_db.duckdb", "/commons/", "/nights/", "/reports/"),
)
STEPS_OF_A_RUN = 5  # each of which takes the tenant's lock
Step = Callable[[Home, int, random.Random, Publisher], None]


def killed_at_a_point(home: Home, step: int, dice: random.Random, _: Publisher) -> None:
    hit = {"signal": "SIGKILL", "at": dice.choice(POINTS), "nth": dice.choice((1, 1, 2, 3))}
    home.run(now_of(step), hit)


def killed_anywhere(home: Home, step: int, dice: random.Random, _: Publisher) -> None:
    home.run(now_of(step), {"signal": "SIGKILL", "at": "", "nth": dice.randrange(1, 160)})


def stopped(home: Home, step: int, dice: random.Random) -> int | None:
    """A run that stands still between two of its steps, once it has fetched; None if it was through before."""
    lock = {"at": "/locks/stadt.lock", "opens": True, "nth": dice.randrange(2, STEPS_OF_A_RUN + 1)}
    pid = home.begin(now_of(step), {"signal": "SIGSTOP", **lock}, rebuild=dice.random() < 0.3)
    if home.is_stopped(pid):
        return pid
    home.nursery.wait(pid)
    return None


def badly_served(home: Home, step: int, dice: random.Random, publisher: Publisher) -> None:
    kinds = {number: dice.choice(("error", "torn")) for number in range(1, 9) if dice.random() < 0.5}
    publisher.asked, publisher.fault = 0, kinds.get
    home.run(now_of(step))
    publisher.fault = lambda number: None


KINDS: tuple[Step, ...] = (killed_at_a_point, killed_at_a_point, killed_anywhere, badly_served)


def differences(calm: dict[str, list[Any]], stormy: dict[str, list[Any]]) -> dict[str, Any]:
    """The tables that differ, with rows that only one of the two has."""
    return {
        name: {
            "lost": [row for row in calm.get(name, []) if row not in stormy.get(name, [])][:3],
            "made up": [row for row in stormy.get(name, []) if row not in calm.get(name, [])][:3],
        }
        for name in calm.keys() | stormy.keys()
        if calm.get(name) != stormy.get(name)
    }


def test_what_is_published_is_as_if_nothing_had_happened(
    new_home: Callable[[str], Home], publisher: Publisher
) -> None:
    calm, stormy = new_home("calm"), new_home("stormy")
    dice = random.Random(SEED)  # noqa: S311 - to be thrown again
    overtaken: int | None = None
    for step in range(STEPS):
        publisher.held = pages(SEED, step)
        assert calm.run(now_of(step)) == 0
        if overtaken is None and step + 1 < STEPS and dice.random() < 0.3:
            overtaken = stopped(stormy, step, dice)
            if overtaken is not None:
                continue
        for _ in range(dice.randrange(1, 3)):
            kind = dice.choice(KINDS)
            kind(stormy, step, dice, publisher)
        assert stormy.run(now_of(step)) == 0
        if overtaken is not None:
            assert stormy.go_on(overtaken) == 0
            overtaken = None
        assert not differences(calm.tables(), stormy.tables()), f"seed {SEED}, step {step}"
    assert not [*calm.orphans()]
    assert not [*stormy.orphans()]


def test_clocks_that_step_lose_nothing(new_home: Callable[[str], Home], publisher: Publisher) -> None:
    """They are ahead by hours, and by others the next time; what lay in the future would be told as such."""
    calm, stormy = new_home("calm"), new_home("stormy")
    dice = random.Random(SEED)  # noqa: S311 - to be thrown again
    for step in range(max(2, STEPS // 3)):
        publisher.held = pages(SEED, step)
        assert calm.run(now_of(step)) == 0
        assert stormy.run(now_of(step) + timedelta(hours=dice.randrange(200))) == 0
    found = differences(calm.tables(by_clock=False), stormy.tables(by_clock=False))
    assert not {name: rows for name, rows in found.items() if name in COUNTED}, f"seed {SEED}"


# What is counted of rejected rows is counted by the day on which they came, and by nothing else that a clock says.
COUNTED = (
    "observation",
    "observation_revision",
    "parking_status",
    "place",
    "parking_site",
    "station",
    "datastream",
)

"""Whatever is done to runs, what is published in the end is what it would be had nothing been done, bit for bit.

`make storm` does more of it: `STORM_STEPS` steps from each of the seeds `STORM_SEEDS`, one of which a failure names.
Each night that was equal is a line in the file `STORM_DIARY`, for a storm that is cut short.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from tests.storm.conftest import Calm
from tests.storm.faults import Standing, Weather, small_disk
from tests.storm.homes import Home, Tables
from tests.storm.town import Publisher, now_of

STEPS = int(os.environ.get("STORM_STEPS", "2"))
SEEDS = [int(seed) for seed in os.environ.get("STORM_SEEDS", "20").split()]
PLACES = ["folder, duckdb", "objects, postgres", "folder, postgres", "objects, duckdb"]
# In the tests of every day each kind of storage and of destination comes once.
CHOSEN = PLACES if "STORM_STEPS" in os.environ else PLACES[:2]


def differences(calm: Tables, stormy: Tables) -> list[str]:
    """The tables that differ, each with some rows that only one of the two has."""
    found = []
    for name in sorted(calm.keys() | stormy.keys()):
        expected, got = calm.get(name, [()]), stormy.get(name, [()])
        if expected != got:
            lost, made_up = ([r for r in a if r not in b] for a, b in ((expected, got), (got, expected)))
            found.append(f"{name} {expected[0]}: {len(expected)} and {len(got)} rows")
            found += [f"  lost {row}" for row in lost[:4]] + [f"  made up {row}" for row in made_up[:4]]
    return found


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("place", CHOSEN)
def test_what_is_published_is_as_if_nothing_had_happened(  # noqa: PLR0917 - fixtures
    place: str,
    seed: int,
    calm: Callable[[int], Calm],
    new_home: Callable[[str], Home],
    publisher: Publisher,
    record_property: Callable[[str, object], None],
) -> None:
    quiet, home = calm(seed), new_home(place)
    dice = random.Random(f"{seed} {place}")  # noqa: S311 - to be thrown again
    overtaken: Standing | None = None
    with ExitStack() as stack:
        has_disk = stack.enter_context(small_disk(home.folder / "home"))
        weather = Weather(home, publisher, dice, has_disk)
        try:
            for step in range(STEPS):
                expected = quiet.after(step)
                if overtaken is None and step + 1 < STEPS and dice.random() < 0.3:
                    overtaken = weather.held_up(step)
                    if overtaken is not None and not overtaken.is_asleep:
                        continue  # it has fetched what there was, which others read
                for _ in range(dice.randrange(1, 3)):
                    dice.choice(weather.kinds)(step)
                home.run_well(now_of(step))
                if overtaken is not None:
                    weather.let_go(overtaken)
                    overtaken = None
                    home.run_well(now_of(step))
                found = differences(expected, home.tables())
                assert not found, "\n".join([f"seed {seed}", *weather.told[-9:], *found])
                write_diary(place, seed, step, home, weather)
            assert not [*home.orphans(quiet.home.places())], weather.told
        finally:
            record_property("runs", home.runs)
            record_property("fallen", dict(weather.fallen))  # which workers of xdist can send
    assert not [*quiet.home.orphans(quiet.home.places())]


def write_diary(place: str, seed: int, step: int, home: Home, weather: Weather) -> None:
    """A line for a night after which all was equal: where, which, with how many runs and faults until then."""
    if "STORM_DIARY" not in os.environ:
        return
    line = {"place": place, "seed": seed, "step": step, "runs": home.runs, "fallen": dict(weather.fallen)}
    with Path(os.environ["STORM_DIARY"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def test_clocks_that_step_lose_nothing(calm: Callable[[int], Calm], new_home: Callable[[str], Home]) -> None:
    """They are ahead by hours, and by others the next time; what lay in the future would be told as such."""
    for place in CHOSEN:
        quiet, home = calm(SEEDS[0]), new_home(place)
        dice = random.Random(SEEDS[0])  # noqa: S311 - to be thrown again
        for step in range(max(2, STEPS // 3)):
            expected = quiet.after(step, by_clock=False)
            home.run_well(now_of(step) + timedelta(hours=dice.randrange(200)))
        found = differences(expected, home.tables(by_clock=False))
        assert not [line for line in found if line.split()[0] in COUNTED], place


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

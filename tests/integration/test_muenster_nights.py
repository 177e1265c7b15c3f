"""Thirteen nights that the city of Münster really published, replayed in order through the whole chain."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from civitas_assets.pipeline.runner import Order, Outcome
from tests.integration.conftest import Replay, Workplace

VALUES = """
    select datastream_id, phenomenon_start_at, phenomenon_end_at, day, value, unit, value_native, station_id,
           observed_property, quality_code, time_flag
    from observation order by 1, 2
"""
REVISIONS = """
    select datastream_id, phenomenon_start_at, previous_value, value, received_at
    from observation_revision order by 1, 2
"""


@dataclass
class Replayed:
    """The workplace after all nights, and what each night did."""

    workplace: Workplace
    nights: list[str]
    outcomes: list[Outcome]


def counters(replay: Replay) -> dict[str, str]:
    """Where the source of the city's tenant is replayed."""
    return {"bicycle_counters": f"{replay.url}/counters/{{counter}}/{{month:%Y-%m}}.csv"}


@pytest.fixture(scope="module")
def replayed(replay: Replay, new_workplace: Callable[[], Workplace]) -> Replayed:
    workplace = new_workplace()
    workplace.write_packaged_tenant("muenster", counters(replay))
    outcomes = []
    for night in replay.nights():
        workplace.clock = replay.move(night)
        outcomes.append(workplace.run("muenster"))
    return Replayed(workplace, replay.nights(), outcomes)


def test_every_night_succeeds_and_touches_only_the_days_that_changed(replayed: Replayed) -> None:
    assert [outcome.errors for outcome in replayed.outcomes] == [[] for _ in replayed.nights]
    # From the fourth night on the city added one day a night and corrected nothing.
    assert {outcome.days for outcome in replayed.outcomes[3:]} == {1}
    assert sum(outcome.changed for outcome in replayed.outcomes) == 76


def test_all_counts_of_all_stations_are_there(replayed: Replayed) -> None:
    rows = replayed.workplace.ask(
        "muenster", "select station_id, count(*), sum(value)::bigint from observation group by 1 order by 1"
    )
    assert rows == [
        ("100031297", 55_104, 2_808_682),
        ("100034978", 23_616, 448_378),
        ("300037936", 23_616, 197_534),
        ("300038855", 23_616, 753_036),
    ]
    assert replayed.workplace.ask("muenster", "select count(value) from observation") == [(125_952,)]


def test_exactly_the_corrected_values_are_revisions(replayed: Replayed) -> None:
    assert replayed.workplace.ask("muenster", "select count(*) from observation_revision") == [(76,)]
    unlike = "select count(*) from observation_revision where value is distinct from previous_value"
    assert replayed.workplace.ask("muenster", unlike) == [(76,)]
    current = """
        select count(*) from observation_revision r join observation o using (datastream_key, phenomenon_start_at)
        where o.value = r.value and o.is_corrected
    """
    assert replayed.workplace.ask("muenster", current) == [(76,)]


def test_the_last_night_again_fetches_only_304_and_changes_nothing(
    replayed: Replayed, replay: Replay
) -> None:
    replay.move(replayed.nights[-1])
    file = replayed.workplace.published("muenster")
    before = file.read_bytes()
    again = replayed.workplace.run("muenster")
    assert again.ok
    assert again.requests == again.not_modified == 12
    assert (again.new, again.changed, again.days) == (0, 0, 0)
    assert file.read_bytes() == before


def test_the_last_night_alone_gives_the_same_keys_and_values(
    replayed: Replayed, replay: Replay, new_workplace: Callable[[], Workplace]
) -> None:
    alone = new_workplace()
    alone.write_packaged_tenant("muenster", counters(replay))
    alone.clock = replay.move(replayed.nights[-1])
    assert alone.run("muenster").ok
    assert alone.ask("muenster", VALUES) == replayed.workplace.ask("muenster", VALUES)


def test_a_deleted_destination_is_rebuilt_from_the_record_store(replayed: Replayed) -> None:
    place = replayed.workplace
    values, revisions = place.ask("muenster", VALUES), place.ask("muenster", REVISIONS)
    place.published("muenster").unlink()
    outcome = place.run("muenster", Order(fetch=False))
    assert outcome.ok
    assert outcome.new == 0
    assert place.ask("muenster", VALUES) == values
    assert place.ask("muenster", REVISIONS) == revisions


def test_a_deleted_record_store_is_read_again_from_landing(replayed: Replayed) -> None:
    place = replayed.workplace
    values, revisions = place.ask("muenster", VALUES), place.ask("muenster", REVISIONS)
    shutil.rmtree(place.settings.home / "records" / "muenster")
    outcome = place.run("muenster", Order(fetch=False, rebuild=True))
    assert outcome.ok
    assert (outcome.new, outcome.changed) == (125_952 + 20 + 4, 76)
    assert place.ask("muenster", VALUES) == values
    assert place.ask("muenster", REVISIONS) == revisions


def test_total_channel_counts_once_in_traffic_flow(replayed: Replayed) -> None:
    # What the newest files hold in the column of the station itself, which is the sum of its directions.
    flow = "select station_id, sum(bicycle_count)::bigint from traffic_flow_observed group by 1"
    rows = dict(replayed.workplace.ask("muenster", flow))
    assert rows == {"100031297": 1_404_341, "100034978": 224_189, "300037936": 98_767, "300038855": 376_518}

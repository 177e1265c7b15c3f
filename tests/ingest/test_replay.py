"""Landing read again with today's mapping: the difference is shown first, and appended as revisions, never more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from civitas_assets.catalog import Window
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.errors import StoreError
from civitas_assets.ingest.rehearse import Rehearsal, rehearse_source
from civitas_assets.ingest.replay import Example, ReplayPlan, plan_replay, replay_source
from civitas_assets.records import RECORD_TYPES
from tests.ingest.conftest import Publisher, Town

Csv = Callable[..., bytes]
FIRST = date(2026, 7, 1)
WEEK = Window(date(2026, 6, 28), date(2026, 7, 5))

Propose = Callable[..., ReplayPlan]


@pytest.fixture
def rehearse(town: Town, tmp_path: Path) -> Callable[..., Any]:
    """What reading the town's one source again brings."""

    @contextmanager
    def begun(days: Window = WEEK) -> Iterator[Rehearsal]:
        source = town.tenant.sources["s"]
        with rehearse_source(
            town.tenant,
            source,
            CONNECTORS[source.connector],
            town.stores,
            tmp_path / "work",
            "again",
            days=days,
        ) as rehearsal:
            yield rehearsal

    return begun


@pytest.fixture
def proposal(town: Town, rehearse: Callable[..., Any]) -> Propose:
    """What replaying would change."""

    def proposed(days: Window = WEEK) -> ReplayPlan:
        with rehearse(days) as rehearsal:
            return plan_replay(rehearsal, town.stores, days)

    return proposed


@pytest.fixture
def replayed(town: Town, rehearse: Callable[..., Any]) -> Callable[..., Any]:
    """The report of a replay that was applied."""

    def applied(days: Window = WEEK) -> Any:
        with rehearse(days) as rehearsal:
            return replay_source(rehearsal, town.tenant, town.stores, days)

    return applied


def everything(town: Town) -> dict[str, bytes | None]:
    """All objects but the throw-away ones, by key."""
    keys = [key for part in ("landing", "records", "quarantine") for key in town.files.list_keys(f"{part}/")]
    return {key: town.files.read(key) for key in keys}


def mapped(town: Town, **settings: Any) -> None:
    town.with_sources(s=settings)


def test_with_the_same_mapping_nothing_would_change(
    town: Town, publisher: Publisher, csv: Csv, proposal: Propose, replayed: Callable[..., Any]
) -> None:
    """Neither corrections nor values that came back nor those taken back are told twice."""
    for values in ((1, 2, 3), (1, 5, ""), (1, 2, "")):
        publisher.bodies["a.csv"] = csv(*values)
        town.night()
    stored = everything(town)
    found = proposal()
    assert not found
    (difference,) = found.differences
    assert (difference.total().identical, difference.total().changed) == (3, 0)
    assert found.payloads == 3
    report = replayed()
    assert (report.counts["observation"].read, report.counts["observation"].changed) == (3, 0)
    assert everything(town) == stored


def test_what_would_change_is_told_by_day_and_column_and_nothing_is_touched(
    town: Town, publisher: Publisher, proposal: Propose
) -> None:
    publisher.bodies["a.csv"] = (
        b"id,v,w,t\nd,1,7,2026-07-01T10:00\nd,2,2,2026-07-01T11:00\nd,3,9,2026-07-02T10:00\n"
    )
    town.night()
    mapped(town, fields={"datastream_id": "id", "value": "w"})
    stored = everything(town)
    (difference,) = proposal().differences
    assert {day: (t.changed, t.identical) for day, t in difference.days.items()} == {
        FIRST: (1, 1),
        date(2026, 7, 2): (1, 0),
    }
    assert difference.columns.keys() == {"value"}
    assert difference.columns["value"].changed == 2
    assert Example("d, 2026-07-01 10:00:00+00:00", "1.0", "7.0") in difference.columns["value"].examples
    assert everything(town) == stored
    assert list((town.home / "work").iterdir()) == [], "the throw-away stores are gone"


def test_it_is_appended_as_revisions_and_the_former_mapping_brings_the_former_state_back(
    town: Town, publisher: Publisher, replayed: Callable[..., Any]
) -> None:
    publisher.bodies["a.csv"] = b"id,v,w,t\nd,1,7,2026-07-01T10:00\nd,2,2,2026-07-01T11:00\n"
    town.night()
    journal = town.stores.journal
    journal.acknowledge(journal.read_pending().entries)
    mapped(town, fields={"datastream_id": "id", "value": "w"})
    counts = replayed().counts["observation"]
    assert (counts.new, counts.changed, counts.days) == (0, 1, {FIRST})
    assert journal.read_pending().days == {FIRST}
    assert town.values("value", "revision", "run_id") == [(1.0, 1, "run"), (2.0, 1, "run"), (7.0, 2, "again")]
    mapped(town)
    assert replayed().counts["observation"].changed == 1
    assert town.values("value", "revision")[-1] == (7.0, 2)
    assert (1.0, 3) in town.values("value", "revision")


def test_only_events_of_the_days_change(
    town: Town, publisher: Publisher, replayed: Callable[..., Any]
) -> None:
    publisher.bodies["a.csv"] = b"id,v,w,t\nd,1,7,2026-07-01T10:00\nd,3,9,2026-07-02T10:00\n"
    town.night()
    mapped(town, fields={"datastream_id": "id", "value": "w"})
    replayed(Window(FIRST, FIRST))
    assert town.values("value", "revision") == [(1.0, 1), (3.0, 1), (7.0, 2)]


def test_a_mended_time_takes_the_wrong_times_away(
    town: Town, publisher: Publisher, proposal: Propose, replayed: Callable[..., Any]
) -> None:
    """The usual mistake: local times were taken for UTC."""
    publisher.bodies["a.csv"] = b"id,v,t\nd,1,2026-07-01T10:00\n"
    town.night()
    mapped(town, time={"column": "t", "zone": "local_wall"})
    (difference,) = proposal().differences
    assert (difference.total().new, difference.total().vanished) == (1, 1)
    replayed()
    stored = town.values("phenomenon_start", "revision", "deleted")
    assert {(at.hour, revision, deleted) for at, revision, deleted in stored} == {
        (8, 1, False),
        (10, 1, False),
        (10, 2, True),
    }
    assert not proposal(), "a second replay finds nothing to do"


def test_what_landing_has_no_more_or_nobody_can_read_any_more_stays(
    town: Town, publisher: Publisher, proposal: Propose
) -> None:
    town.with_sources(s={"each": {"file": ("a", "b")}})
    publisher.bodies |= {
        "a.csv": b"id,v,t\nd,1,2026-07-01T10:00\n",
        "b.csv": b"id,v,t\ne,2,2026-07-01T10:00\n",
    }
    town.night()
    lost = next(
        line for m in town.landing().list_manifests() for line in m.lines if line.url.endswith("b.csv")
    )
    town.files.delete(town.landing()._key(lost.sha256))
    town.with_sources(s={"each": {"file": ("a", "b")}, "fields": {"datastream_id": "ID", "value": "v"}})
    found = proposal()
    assert (found.missing, len(found.problems)) == (1, 1)
    assert "lacks the column(s) ID" in str(found.problems[0])
    assert not found, "nothing vanishes"


def test_rows_that_are_rejected_now_go_to_quarantine(
    town: Town, publisher: Publisher, proposal: Propose, replayed: Callable[..., Any]
) -> None:
    publisher.bodies["a.csv"] = b"id,v,w,t\nd,1,7,2026-07-01T10:00\nd,2,x,2026-07-01T11:00\n"
    town.night()
    mapped(town, fields={"datastream_id": "id", "value": "w"})
    (difference,) = proposal().differences
    assert (difference.total().changed, difference.total().vanished, difference.rejected) == (1, 1, 1)
    replayed()
    assert town.stores.quarantine.read_rows()["rule"].to_list() == ["not_a_number"]


def test_things_are_replayed_whatever_the_days(
    town: Town, publisher: Publisher, replayed: Callable[..., Any], proposal: Propose
) -> None:
    mapped(town, record_type="station", fields={"station_id": "id", "name": "v"}, time=None)
    publisher.bodies["a.csv"] = b"id,v,w\ns1,Nord,North\n"
    town.night()
    mapped(town, record_type="station", fields={"station_id": "id", "name": "w"}, time=None)
    (difference,) = proposal().differences
    assert difference.days[None].changed == 1
    assert replayed().counts["station"].changed == 1
    assert town.stores.journal.read_pending().things


def test_what_a_later_snapshot_has_no_more_is_not_brought_back(
    town: Town, publisher: Publisher, replayed: Callable[..., Any], proposal: Propose
) -> None:
    register = {"record_type": "station", "fields": {"station_id": "id", "name": "v"}, "snapshot": True}
    mapped(town, **register, time=None)
    for body in (b"id,v\ns1,Nord\ns2,West\n", b"id,v\ns1,Nord\n"):
        publisher.bodies["a.csv"] = body
        town.night()
    assert not proposal()
    mapped(town, **{**register, "fields": {"station_id": "id", "description": "v"}}, time=None)
    assert replayed().counts["station"].changed == 1
    rows = town.stores.records.read_current(RECORD_TYPES["station"], "s", []).sort("station_id")
    assert rows.select("station_id", "deleted").rows() == [("s1", False), ("s2", True)]


def test_a_payload_that_failed_is_no_more_to_be_tried_again(
    town: Town, publisher: Publisher, csv: Csv, replayed: Callable[..., Any]
) -> None:
    publisher.bodies["a.csv"] = csv(1, header="ID,v,t")
    town.night()
    mapped(town, fields={"datastream_id": "ID", "value": "v"})
    assert replayed().counts["observation"].new == 1
    assert town.stores.journal.read_progress("s").failed == ()


def test_what_was_never_read_is_left_to_the_next_run(
    town: Town, publisher: Publisher, csv: Csv, proposal: Propose
) -> None:
    publisher.bodies["a.csv"] = csv(1)
    town.night()
    publisher.bodies["a.csv"] = csv(2)
    town.fetch()
    assert not proposal()


def test_a_run_in_between_makes_the_replay_refuse(
    town: Town, publisher: Publisher, csv: Csv, rehearse: Callable[..., Any]
) -> None:
    publisher.bodies["a.csv"] = csv(1)
    town.night()
    with rehearse() as rehearsal:
        publisher.bodies["a.csv"] = csv(2)
        town.night()
        with pytest.raises(StoreError, match="s was read by a run in the meantime"):
            replay_source(rehearsal, town.tenant, town.stores, WEEK)

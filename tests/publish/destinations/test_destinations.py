"""What every destination promises: days are replaced, contracts followed, and rebuilds not seen until they are done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import msgspec
import pytest

from civitas_assets.errors import OutdatedError, PublishError
from civitas_assets.harmonise.project import Project
from civitas_assets.publish.rebuild import Rebuild
from tests.publish.destinations.conftest import MakeRow, Town

D1, D2, D3 = date(2026, 7, 31), date(2026, 8, 1), date(2026, 8, 2)
# The columns as the project of these tests has them.
DAILY = {"site_key": "varchar!", "rule": "varchar", "day": "date!", "visits": "bigint"}
STATUS = {
    "site_key": "varchar!", "observed_at": "timestamptz!", "day": "date!", "free": "integer", "share": "double",
    "is_open": "boolean", "note": "varchar",
}  # fmt: skip
FREE = "select day::varchar, site_key, free from status order by all"


@pytest.fixture
def published(town: Town, site: MakeRow, status: MakeRow) -> Town:
    """A town with two days."""
    town.publish(
        [D1, D2],
        rebuild=True,
        site=[site("a"), site("b")],
        status=[status("a", D1, 1), status("b", D1, 2), status("a", D2, 3)],
        daily=[{"site_key": "a", "rule": None, "day": D1, "visits": 5_000_000_000}],
    )
    return town


def test_a_first_publication_has_everything_and_then_nothing_is_lacking(published: Town) -> None:
    assert published.ask(FREE) == [("2026-07-31", "a", 1), ("2026-07-31", "b", 2), ("2026-08-01", "a", 3)]
    assert published.ask("select * from daily") == [("a", None, D1, 5_000_000_000)]
    assert not published.destination.plan_migration(published.project)


def test_without_any_publication_the_output_is_to_be_made_and_says_so_to_readers(town: Town) -> None:
    assert town.destination.plan_migration(town.project).reasons == ("there is no output yet",)
    with pytest.raises(PublishError, match=r"town has no output .*civitas run --tenant town"):
        town.ask("select 1")


def test_values_arrive_exactly(town: Town, status: MakeRow) -> None:
    row = status("ä'\"\\\n\t;😀", D2, -(2**31), share=float("inf"), is_open=False, note="")
    row["observed_at"] = "2026-08-01T23:59:59.999999+02:00"
    town.publish([D2], rebuild=True, status=[row, status("b", D2, None, share=0.1)])
    found = town.ask("select * from status order by site_key desc")
    at = datetime(2026, 8, 1, 21, 59, 59, 999999, UTC)
    assert found[0] == (row["site_key"], at, D2, -(2**31), float("inf"), False, "")
    assert found[1][3:] == (None, 0.1, None, None)


def test_affected_days_are_replaced_also_by_nothing_and_things_as_a_whole(
    published: Town, site: MakeRow, status: MakeRow
) -> None:
    publication = published.publish([D2, D3], site=[site("c")], status=[status("c", D3, 9)])
    assert published.ask(FREE) == [("2026-07-31", "a", 1), ("2026-07-31", "b", 2), ("2026-08-02", "c", 9)]
    assert published.ask("select site_key from site") == [("c",)]
    assert publication.rows == {"site": 1, "status": 1, "daily": 0}
    assert publication.bytes > 0


def test_publishing_again_changes_nothing(published: Town, site: MakeRow, status: MakeRow) -> None:
    for _ in range(2):
        published.publish([D2], site=[site("a")], status=[status("a", D2, 4)])
        assert published.ask(FREE)[2:] == [("2026-08-01", "a", 4)]


def test_rows_of_other_days_stop_everything(published: Town, site: MakeRow, status: MakeRow) -> None:
    before = published.ask(FREE)
    with pytest.raises(PublishError, match="status has 1 rows outside the affected days"):
        published.publish([D2], site=[site("z")], status=[status("a", D3, 1)])
    assert published.ask(FREE) == before
    assert published.ask("select site_key from site order by 1") == [("a",), ("b",)]


def test_a_text_with_the_character_zero_does_not_stop_the_rest(town: Town, status: MakeRow) -> None:
    town.publish([D2], rebuild=True, status=[status("a", D2, 1, note="x\0y"), status("b", D2, 2)])
    ((note,), (none,)) = town.ask("select note from status order by site_key")
    assert (note.replace("\0", "\ufffd"), none) == ("x\ufffdy", None)


def test_columns_come_go_widen_and_are_renamed_and_what_is_new_lacks_its_past(
    published: Town, site: MakeRow, status: MakeRow, changed: Callable[..., Project]
) -> None:
    columns = {"site_key": "varchar!", "observed_at": "timestamptz!", "day": "date!", "free": "bigint",
               "ratio": "double", "is_open": "boolean", "extra": "varchar"}  # fmt: skip
    site_columns = {"site_key": "varchar!", "title": "varchar", "lon": "double", "lat": "double"}
    published.project = changed(
        status=columns, site=site_columns, renamed={"ratio": "share", "title": "name"}
    )
    assert published.destination.plan_migration(published.project).steps
    row = {**status("a", D3, 2**40), "ratio": 0.5, "extra": "new"}
    publication = published.publish([D3], status=[row], site=[{"site_key": "a", "title": "A"}])
    assert publication.unfilled == ("status.extra",)
    assert published.ask("select free, ratio, extra from status order by day, free") == [
        (1, None, None), (2, None, None), (3, None, None), (2**40, 0.5, "new"),
    ]  # fmt: skip
    assert published.ask("select * from site") == [("a", "A", None, None)]
    assert not published.destination.plan_migration(published.project)
    again = published.publish([D3], status=[row])
    assert again.unfilled == ("status.extra",)
    rebuilt = published.publish([D1], rebuild=True, status=[{**status("a", D1, 1), "extra": "filled"}])
    assert rebuilt.unfilled == ()
    assert published.ask("select extra from status") == [("filled",)]


def test_a_model_is_renamed_and_keeps_its_rows(published: Town, changed: Callable[..., Project]) -> None:
    published.project = changed(daily_is="per_day")
    published.publish([D3], per_day=[{"site_key": "b", "rule": "r", "day": D3, "visits": 1}])
    assert published.ask("select site_key, visits from per_day order by day") == [
        ("a", 5_000_000_000),
        ("b", 1),
    ]
    with pytest.raises(PublishError, match="daily"):
        published.ask("select * from daily")


def test_a_renamed_large_model_keeps_its_months(
    published: Town, status: MakeRow, changed: Callable[..., Project]
) -> None:
    published.project = changed(
        daily_is="per_day", daily={**DAILY, "at": "timestamptz!"}, daily_key=("site_key", "at")
    )
    reasons = published.destination.plan_migration(published.project).reasons
    assert reasons == ("per_day: another key",)
    row = {"site_key": "a", "day": D1, "at": f"{D1}T00:00:00Z", "visits": 1}
    with pytest.raises(PublishError, match="has to be rebuilt: per_day: another key"):
        published.publish([D1], per_day=[row])
    published.publish([D1], rebuild=True, status=[status("a", D1, 1)], per_day=[row])
    assert published.ask("select visits, rule from per_day") == [(1, None)]


def test_a_rebuild_is_unseen_until_its_last_portion_and_goes_on_where_it_was(
    published: Town, site: MakeRow, status: MakeRow
) -> None:
    before = published.ask(FREE)
    published.destination.discard_rebuild()
    published.collect({D1: "v1"}, status=[status("x", D1, 10)], site=[site("x")])
    published.collect({D2: "v1"}, status=[status("x", D2, 20)])
    published.collect({D2: "v2"}, status=[status("x", D2, 21)])
    assert published.ask(FREE) == before
    assert Rebuild.start(published.destination, published.project, [D1, D2, D3]).made == {D1: "v1", D2: "v2"}
    published.publish([D3], status=[status("y", D3, 5)])  # a night between the portions
    publication = published.publish([D3], rebuild=True, status=[status("x", D3, 30)], site=[site("x")])
    assert published.ask(FREE) == [("2026-07-31", "x", 10), ("2026-08-01", "x", 21), ("2026-08-02", "x", 30)]
    assert publication.rows == {"site": 1, "status": 3, "daily": 0}
    assert not published.destination.read_collected(published.project)


def test_what_another_version_has_collected_is_of_no_use(
    published: Town, status: MakeRow, changed: Callable[..., Project]
) -> None:
    published.collect({D1: "v1"}, status=[status("x", D1, 10)])
    published.project = changed(status={**STATUS, "extra": "varchar"})
    assert published.destination.read_collected(published.project) is None, "looking at it takes nothing away"
    assert published.destination.read_collected(published.project) is None
    assert Rebuild.start(published.destination, published.project, [D1]).made == {}
    assert not published.destination.read_collected(published.project)
    published.publish([D1], rebuild=True, status=[status("x", D1, 11)])
    assert published.ask("select free, extra from status") == [(11, None)]


def test_a_rebuild_of_what_means_something_else_makes_the_tables_anew(
    published: Town, status: MakeRow, changed: Callable[..., Project]
) -> None:
    published.project = changed(status={**STATUS, "free": "varchar"})
    assert published.destination.plan_migration(published.project).reasons == (
        "status: free is varchar, not integer",
    )
    published.publish([D1], rebuild=True, status=[status("x", D1, "many")])
    assert published.ask("select free from status") == [("many",)]
    assert not published.destination.plan_migration(published.project)


def test_no_address_holds_a_password(published: Town) -> None:
    assert "@" not in published.destination.address
    assert published.slug in published.destination.address


@pytest.mark.parametrize("rebuild", [False, True])
def test_rows_that_were_made_before_others_published_are_refused_every_time(
    town: Town, site: MakeRow, status: MakeRow, *, rebuild: bool
) -> None:
    town.publish([D1], rebuild=True, run_id="first", site=[site("a")], status=[status("a", D1, 0)])
    for number in range(1, 5):
        basis = town.destination.read_publication()
        town.publish([D1], run_id=f"other-{number}", site=[site("a")], status=[status("a", D1, number)])
        late = town.workspace([D1], {"site": [site("a")], "status": [status("a", D1, -1)]}, rebuild=rebuild)
        file = late.folder / "task.json"
        task = msgspec.structs.replace(late.read_task(), basis={town.kind: basis})
        file.write_bytes(msgspec.json.encode(task))
        with pytest.raises(OutdatedError, match="another run has published since the rows were made"):
            town.destination.publish(town.project, late, f"late-{number}")
        assert town.ask("select free from status") == [(number,)]
        file.write_bytes(
            msgspec.json.encode(
                msgspec.structs.replace(task, basis={town.kind: town.destination.read_publication()})
            )
        )
    town.destination.publish(town.project, late, "late")
    assert town.ask("select free from status") == [(-1,)]

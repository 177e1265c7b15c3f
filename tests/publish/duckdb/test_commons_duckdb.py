"""The commons hold what is shared and nothing else, follow each night by its days, and lose no town's update."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from civitas_assets.catalog.licence import CHANGED
from civitas_assets.dictionary.contracts import Contract, ModelColumn
from civitas_assets.errors import PublishError
from civitas_assets.publish.commons import Member
from tests.publish.conftest import Towns

DAY, NEXT = date(2026, 8, 1), date(2026, 8, 2)
STATUS = "select tenant, day::varchar, free from commons.status order by all"
Make = Callable[..., Member]


def test_rows_come_with_tenant_name_licence_and_attribution(towns: Towns, member: Make) -> None:
    anton, berta = member("anton", "status"), member("berta", "status", "source")
    towns.publish("anton", {DAY: 3})
    towns.publish("berta", {DAY: 5}, licence="dl-de/by-2-0")
    report = towns.refresh("anton", anton, berta)
    assert (dict(report.rows), report.failed) == ({"status": 1}, {})
    towns.refresh("berta", anton, berta)
    said = [
        ("https://creativecommons.org/publicdomain/zero/1.0/", CHANGED),
        ("https://www.govdata.de/dl-de/by-2-0", CHANGED),
    ]
    assert towns.ask("from commons.status order by tenant") == [
        ("anton", "Anton", "s", "P1", DAY, 3, "CC0-1.0", "Town anton", *said[0]),
        ("berta", "Berta", "s", "P1", DAY, 5, "dl-de/by-2-0", "Town berta", *said[1]),
    ]
    assert towns.ask("from commons.source") == [
        ("berta", "Berta", "s", "dl-de/by-2-0", "Town berta", *said[1])
    ]
    assert towns.ask(
        "select comment from duckdb_columns() where schema_name = 'commons' and column_name = 'free'"
    )[0] == ("The free.",)


def test_what_is_not_shared_or_withheld_is_nowhere_in_the_file(towns: Towns, member: Make) -> None:
    towns.publish("anton", {DAY: 3}, operator="Geheimrat-Betriebe")
    towns.refresh("anton", member("anton", "status", site={"operator"}))
    assert towns.ask("select site_key, operator from commons.site") == [("P1", None)]
    assert towns.ask("select count(*) from duckdb_tables() where schema_name = 'rows'") == [(2,)]
    assert b"Geheimrat" not in towns.file.read_bytes()


def test_only_the_days_of_a_night_are_read_again(towns: Towns, member: Make) -> None:
    anton = member("anton", "status")
    towns.night(anton, {DAY: 3}, [DAY])
    towns.refresh("anton", anton)
    towns.night(anton, {DAY: 77, NEXT: 4}, [NEXT])  # a day that nobody announced has not changed
    assert not towns.is_current("anton", anton)
    assert dict(towns.refresh("anton", anton).rows) == {"status": 1}
    assert towns.ask(STATUS) == [("anton", "2026-08-01", 3), ("anton", "2026-08-02", 4)]
    assert towns.is_current("anton", anton)


def test_a_day_that_is_empty_now_goes(towns: Towns, member: Make) -> None:
    anton = member("anton", "status")
    towns.night(anton, {DAY: 3, NEXT: 4}, [DAY, NEXT])
    towns.refresh("anton", anton)
    towns.night(anton, {NEXT: 4}, [DAY])
    towns.refresh("anton", anton)
    assert towns.ask(STATUS) == [("anton", "2026-08-02", 4)]


def test_an_output_that_was_rebuilt_is_read_whole(towns: Towns, member: Make) -> None:
    anton = member("anton", "status")
    towns.night(anton, {DAY: 3}, [DAY])
    towns.refresh("anton", anton)
    towns.commons.announce("anton", "rebuild", [], {}, whole=True)
    towns.publish("anton", {NEXT: 9})
    towns.commons.confirm("anton", "rebuild")
    towns.refresh("anton", anton)
    assert towns.ask(STATUS) == [("anton", "2026-08-02", 9)]


def test_a_new_licence_and_a_new_name_hold_for_all_days(towns: Towns, member: Make) -> None:
    anton = member("anton", "status")
    towns.night(anton, {DAY: 3}, [DAY])
    towns.refresh("anton", anton)
    towns.night(anton, {DAY: 3, NEXT: 4}, [NEXT], licence="CC-BY-4.0")
    towns.refresh("anton", replace(anton, name="Antonstadt"))
    assert towns.ask("select distinct tenant_name, licence from commons.status") == [
        ("Antonstadt", "CC-BY-4.0")
    ]


@pytest.mark.parametrize("how", ["table", "tenant"])
def test_consent_withdrawn_takes_the_rows_out_of_the_file_itself(
    towns: Towns, member: Make, how: str
) -> None:
    anton, berta = member("anton", "status", "site"), member("berta", "status")
    towns.publish("anton", {DAY: 3}, operator="Stadtwerke Antonstadt am Fluss")
    towns.publish("berta", {DAY: 5})
    towns.refresh("anton", anton, berta)
    towns.refresh("berta", anton, berta)
    assert b"Antonstadt am Fluss" in towns.file.read_bytes()
    left = [berta] if how == "tenant" else [member("anton", "status"), berta]
    assert not towns.is_current("berta", *left), "whoever runs next takes the rows out"
    assert towns.unshare(*left) == (2 if how == "tenant" else 1)
    assert towns.is_current("berta", *left)
    assert b"Antonstadt am Fluss" not in towns.file.read_bytes()
    assert towns.ask(
        "select count(*) from duckdb_views() where schema_name = 'commons' and view_name = 'site'"
    ) == [(0,)]
    expected = [("berta", "2026-08-01", 5)]
    assert towns.ask(STATUS) == ([] if how == "tenant" else [("anton", "2026-08-01", 3)]) + expected


def test_a_column_withheld_later_is_emptied_and_comes_back_when_shared_again(
    towns: Towns, member: Make
) -> None:
    anton, berta = member("anton", "site"), member("berta", "site")
    for town in (anton, berta):
        towns.publish(town.slug, {}, operator=f"Stadtwerke {town.name}")
        towns.refresh(town.slug, anton, berta)
    discreet = member("anton", site={"operator"})
    assert towns.unshare(discreet, berta) == 1
    sites = "select tenant, operator from commons.site order by all"
    assert towns.ask(sites) == [("anton", None), ("berta", "Stadtwerke Berta")]
    assert b"Stadtwerke Anton" not in towns.file.read_bytes()
    assert not towns.is_current("anton", anton, berta)
    towns.refresh("anton", anton, berta)
    assert towns.ask(sites) == [("anton", "Stadtwerke Anton"), ("berta", "Stadtwerke Berta")]


def test_one_who_holds_the_lock_brings_in_what_others_have_published(towns: Towns, member: Make) -> None:
    towns_ = [member(name, "status") for name in ("anton", "berta", "caesar")]
    for town in towns_:
        towns.publish(town.slug, {})
        towns.refresh(town.slug, *towns_)
    towns.night(towns_[0], {DAY: 1}, [DAY])
    towns.night(towns_[1], {DAY: 2}, [DAY])
    towns.commons.announce("caesar", "r", [DAY], {}, whole=False)  # and is still publishing
    towns.refresh("anton", *towns_)
    assert [row[0] for row in towns.ask(STATUS)] == ["anton", "berta"]
    before = towns.file.stat().st_ino
    towns.refresh("berta", *towns_)
    assert towns.file.stat().st_ino == before, "nothing was left to do"
    towns.publish("caesar", {DAY: 3})
    towns.commons.confirm("caesar", "r")
    towns.refresh("caesar", *towns_)
    assert [row[0] for row in towns.ask(STATUS)] == ["anton", "berta", "caesar"]


def test_many_towns_at_once_lose_nothing(towns: Towns, member: Make) -> None:
    members = [member(f"town_{number:03d}", "status") for number in range(24)]
    waiting = list(members)
    failures: list[BaseException] = []

    def work() -> None:
        while waiting:
            town = waiting.pop()
            try:
                towns.night(town, {DAY: 1, NEXT: 2}, [DAY, NEXT])
                towns.refresh(town.slug, *members)
            except BaseException as error:  # noqa: BLE001 - a thread's error is the test's
                failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert towns.ask("select count(distinct tenant), sum(free) from commons.status") == [(24, 72)]
    assert all(towns.is_current(town.slug, *members) for town in members)


def test_a_reader_keeps_its_state_while_the_file_is_replaced(towns: Towns, member: Make) -> None:
    anton = member("anton", "status")
    towns.night(anton, {DAY: 3}, [DAY])
    towns.refresh("anton", anton)
    held = towns.file.open("rb")
    before = held.read()
    towns.night(anton, {DAY: 4}, [DAY])
    towns.refresh("anton", anton)
    held.seek(0)
    assert held.read() == before
    held.close()
    assert towns.file.stat().st_mode & 0o777 == 0o640


def test_a_failure_leaves_the_file_and_the_notes_and_the_next_run_makes_up_for_it(
    towns: Towns, member: Make
) -> None:
    anton = member("anton", "status")
    towns.night(anton, {DAY: 3}, [DAY])
    towns.refresh("anton", anton)
    towns.night(anton, {DAY: 4}, [DAY])
    good = (towns.folder / "published" / "anton" / "anton_db.duckdb").read_bytes()
    file = towns.folder / "published" / "anton" / "anton_db.duckdb"
    file.write_bytes(b"damaged" * 1000)
    with pytest.raises(PublishError, match="was left as it was"):
        towns.refresh("anton", anton)
    assert towns.ask(STATUS) == [("anton", "2026-08-01", 3)]
    assert not [*towns.file.parent.glob(".publish-*")]
    file.write_bytes(good)
    assert not towns.is_current("anton", anton)
    towns.refresh("anton", anton)
    assert towns.ask(STATUS) == [("anton", "2026-08-01", 4)]


def test_the_fault_of_one_town_is_not_that_of_another(towns: Towns, member: Make) -> None:
    anton, berta = member("anton", "status"), member("berta", "status")
    for town in (anton, berta):
        towns.night(town, {DAY: 1}, [DAY])
        towns.refresh(town.slug, anton, berta)
    for town in (anton, berta):
        towns.night(town, {DAY: 2}, [DAY])
    (towns.folder / "published" / "berta" / "berta_db.duckdb").write_bytes(b"damaged" * 1000)
    report = towns.refresh("anton", anton, berta)
    assert [*report.failed] == ["berta"]
    assert towns.ask(STATUS) == [("anton", "2026-08-01", 2), ("berta", "2026-08-01", 1)]
    assert not towns.is_current("berta", anton, berta)


def test_damaged_commons_are_made_anew_once_they_are_removed(towns: Towns, member: Make) -> None:
    anton = member("anton", "status")
    towns.publish("anton", {DAY: 3})
    towns.refresh("anton", anton)
    towns.file.write_bytes(b"damaged" * 1000)
    assert not towns.is_current("anton", anton)
    with pytest.raises(PublishError, match="remove it to have it made anew"):
        towns.refresh("anton", anton)
    towns.file.unlink()
    towns.refresh("anton", anton)
    assert towns.ask(STATUS) == [("anton", "2026-08-01", 3)]


def test_towns_of_two_versions_are_together_by_name(
    towns: Towns, member: Make, widened: dict[str, Contract]
) -> None:
    anton, berta = member("anton", "status", "site"), member("berta", "status", "site")
    for town in (anton, berta):
        towns.publish(town.slug, {DAY: 1}, operator=f"Stadtwerke {town.name}")
        towns.refresh(town.slug, anton, berta)
    towns.night(anton, {DAY: 1, NEXT: 2}, [NEXT], contracts=widened)
    towns.refresh("anton", anton, berta, contracts=widened)
    assert towns.ask("select tenant, run_by, level_count from commons.site order by all") == [
        ("anton", None, None),
        ("berta", "Stadtwerke Berta", None),  # whose file still calls it operator
    ]
    assert towns.ask("select tenant, sum(free)::int from commons.status group by all order by all") == [
        ("anton", 3),
        ("berta", 1),
    ]


def test_rows_that_mean_something_else_are_left_out_until_they_are_made_anew(
    towns: Towns, member: Make, contracts: dict[str, Contract]
) -> None:
    anton, berta = member("anton", "status"), member("berta", "status")
    for town in (anton, berta):
        towns.publish(town.slug, {DAY: 1})
        towns.refresh(town.slug, anton, berta)
    columns = {
        **contracts["status"].columns,
        "free": ModelColumn("integer", "Free, in dozens.", unit="{dozen}"),
    }
    now = {**contracts, "status": replace(contracts["status"], columns=columns)}
    towns.commons.announce("anton", "r", [], {}, whole=True)
    towns.publish("anton", {DAY: 12}, contracts=now)
    towns.refresh("anton", anton, berta, contracts=now)
    assert towns.ask(STATUS) == [("anton", "2026-08-01", 12)]
    assert not towns.is_current("berta", anton, berta)
    towns.publish("berta", {DAY: 24}, contracts=now)
    towns.refresh("berta", anton, berta, contracts=now)
    assert towns.ask(STATUS) == [("anton", "2026-08-01", 12), ("berta", "2026-08-01", 24)]


def test_nobody_shares_and_nothing_is_made(towns: Towns) -> None:
    towns.commons.announce("anton", "r", [DAY], {}, whole=False)
    towns.publish("anton", {DAY: 3})
    towns.commons.confirm("anton", "r")
    towns.refresh("anton")
    assert towns.is_current("anton")
    assert towns.unshare() == 0
    assert not towns.file.exists()


def test_a_town_that_is_forgotten_leaves_neither_rows_nor_notes(towns: Towns, member: Make) -> None:
    anton, berta = member("anton", "status"), member("berta", "status")
    for town in (anton, berta):
        towns.night(town, {DAY: 3}, [DAY])
        towns.refresh(town.slug, anton, berta)
    towns.night(anton, {DAY: 4}, [DAY])
    assert towns.commons.forget("anton") == 1
    assert towns.commons.forget("anton") == 0
    assert towns.ask("select distinct tenant from commons.status") == [("berta",)]
    assert b"Town anton" not in towns.file.read_bytes()
    assert not [*Path(towns.folder, "home").rglob("anton/*.json")]


def test_what_analysts_open_is_read_only_one_file(towns: Towns, member: Make) -> None:
    towns.publish("anton", {DAY: 3})
    towns.refresh("anton", member("anton", "status"))
    with duckdb.connect(str(towns.file), read_only=True) as connection:
        assert connection.execute("select count(*) from commons_db.commons.status").fetchone() == (1,)
        assert connection.execute(
            "select count(*) from duckdb_databases() where not internal"
        ).fetchone() == (1,)


def test_who_is_left_out_for_faults_keeps_what_is_there_until_the_file_is_mended(
    towns: Towns, member: Make, widened: dict[str, Contract]
) -> None:
    anton, berta = member("anton", site={"operator"}), member("berta", "site", "status")
    for town in (anton, berta):
        towns.night(town, {DAY: 3}, [DAY], operator=f"Stadtwerke {town.name}")
        towns.refresh(town.slug, anton, berta)
    sites = "select tenant, tenant_name, operator from commons.site order by all"
    held = [("anton", "Anton", None), ("berta", "Berta", "Stadtwerke Berta")]
    assert towns.ask(sites) == held
    left_out = Member("anton", "anton", {}, left_out=True)
    towns.night(anton, {DAY: 4}, [DAY], run_id="before")  # was under way when the file was changed
    assert towns.unshare(left_out, berta) == 0
    assert towns.is_current("berta", left_out, berta)
    towns.night(berta, {DAY: 5}, [DAY], operator="Stadtwerke Berta")
    assert towns.refresh("berta", left_out, berta).withdrawn == 0
    assert towns.ask(sites) == held
    assert not towns.is_current("anton", anton, berta), "its news wait"
    towns.refresh("berta", left_out, berta, contracts=widened)
    assert towns.ask("select tenant, tenant_name, run_by from commons.site order by all") == held, "made anew"
    towns.refresh("anton", anton, berta, contracts=widened)
    assert towns.is_current("anton", anton, berta)
    assert towns.unshare(berta) == 1, "whose file is gone"

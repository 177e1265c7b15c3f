"""What licences do not let be shared, and small counts, are not in the commons, nor in any block of their file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import duckdb

from civitas_assets.dictionary.contracts import Contract, ModelColumn
from civitas_assets.publish.commons import Member
from tests.publish.conftest import Towns

DAY, NEXT = date(2026, 8, 1), date(2026, 8, 2)
Make = Callable[..., Member]


def test_a_source_that_is_not_open_is_nowhere_in_the_file(towns: Towns, member: Make) -> None:
    towns.publish("anton", {DAY: 3}, operator="Geheimrat-Betriebe")
    towns.refresh("anton", member("anton", "status", site={"source=s"}))
    assert towns.ask("select * from commons.site") == []
    assert b"Geheimrat" not in towns.file.read_bytes()
    assert len(towns.ask("from commons.status")) == 1


def test_a_source_that_is_closed_leaves_at_once_and_comes_back(towns: Towns, member: Make) -> None:
    towns.publish("anton", {DAY: 3}, operator="Geheimrat-Betriebe")
    towns.refresh("anton", member("anton", "site"))
    closed = member("anton", site={"source=s"})
    assert not towns.is_current("anton", closed)
    assert towns.unshare(closed) == 1
    assert b"Geheimrat" not in towns.file.read_bytes()
    assert towns.is_current("anton", closed)
    towns.refresh("anton", member("anton", "site"))
    assert len(towns.ask("from commons.site")) == 1


def test_rows_of_a_source_that_the_town_does_not_name_are_not_shared(
    towns: Towns, member: Make, contracts: dict[str, Contract]
) -> None:
    towns.publish("anton", {DAY: 3})
    file = towns.folder / "published" / "anton" / "anton_db.duckdb"
    towns.refresh("anton", member("anton", "status"))
    assert len(towns.ask("from commons.status")) == 1
    with duckdb.connect(str(file)) as connection:
        connection.execute("delete from source")
    towns.commons.announce("anton", "r", [], contracts, whole=False)
    towns.commons.confirm("anton", "r")
    towns.refresh("anton", member("anton", "status"))
    assert towns.ask("from commons.status") == []


def test_small_counts_are_left_out(towns: Towns, member: Make, contracts: dict[str, Contract]) -> None:
    status = contracts["status"]
    free = ModelColumn("integer", "The free.", counts="true")
    counting = {**contracts, "status": replace(status, columns={**status.columns, "free": free})}
    towns.publish("anton", {DAY: 4, NEXT: 5}, contracts=counting)
    towns.refresh("anton", member("anton", "status"), contracts=counting)
    few = member("anton", status={"k=5"})
    assert towns.unshare(few) == 2, "which are brought in anew"
    towns.refresh("anton", few, contracts=counting)
    assert towns.ask("select day, free from commons.status order by day") == [(DAY, None), (NEXT, 5)]
    assert towns.is_current("anton", few)
    towns.refresh("anton", member("anton", "status"), contracts=counting)
    assert towns.ask("select free from commons.status order by day") == [(4,), (5,)]

"""What a tenant decides beyond its sources: what it shares, what it withholds, how long things are kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from civitas_assets.catalog import Catalog
from civitas_assets.catalog.share import KeptSpan, Withheld
from civitas_assets.errors import CatalogError

Load = Callable[..., Catalog]


def test_tables_are_shared_whole_or_without_some_columns(load: Load, right: str) -> None:
    share = "share: [parking_site, {table: parking_status, withhold: [occupied, free]}]\n"
    tenant = load(muster=right + share).get_tenant("muster")
    assert tenant.shared == {
        "parking_site": Withheld(),
        "parking_status": Withheld(frozenset({"occupied", "free"})),
    }


def test_what_is_withheld_is_noted_by_codes_and_compared_by_what_they_mean() -> None:
    withheld = Withheld(frozenset({"note"}), frozenset({"s"}), 5)
    assert withheld.to_entries() == ["k=5", "note", "source=s"]
    assert Withheld.from_entries([*withheld.to_entries(), "k=3"]) == withheld, "the larger count hides more"
    assert not Withheld(below=3) - withheld, "of which nothing is shown that was not before"
    assert (withheld - Withheld(frozenset({"note"}), below=3)).to_entries() == ["k=5", "source=s"]
    assert Withheld(below=3) | Withheld(sources=frozenset({"s"}), below=5) == Withheld(
        sources=frozenset({"s"}), below=5
    )


def test_nothing_is_shared_and_all_is_kept_unless_said(load: Load, right: str) -> None:
    tenant = load(muster=right).get_tenant("muster")
    assert tenant.shared == {}
    assert (tenant.retention.landing, tenant.retention.records, tenant.archived) == (None, None, False)


@pytest.mark.parametrize(
    ("line", "field", "hint"),
    [
        ("share: [parking_site, parking_site]", "share", "parking_site twice"),
        ("share: [{tabel: parking_site}]", "share.0.tabel", "did you mean table?"),
        ("share: [{table: parking_site, withold: [a]}]", "share.0.withold", "did you mean withhold?"),
        ("share: ['a; drop']", "share.0.table", "pattern"),
        ("retention: {landing: 90 dogs}", "retention.landing", "such as '90 days'"),
        ("retention: {records: 0 days}", "retention.records", "such as '90 days'"),
        ("retention: {bodies: 1 day}", "retention.bodies", "allowed: landing, records"),
        ("archived: maybe", "archived", "boolean"),
    ],
)
def test_a_fault_is_named_with_its_place(load: Load, right: str, line: str, field: str, hint: str) -> None:
    with pytest.raises(CatalogError) as caught:
        load(muster=right + line + "\n")
    fault = next(fault for fault in caught.value.faults if fault.field == field)
    assert hint in fault.message
    assert fault.line == len(right.splitlines()) + 1


def test_no_tenant_takes_the_place_of_the_commons(load: Load, right: str) -> None:
    with pytest.raises(CatalogError, match="must not be one of commons"):
        load(commons=right)


@pytest.mark.parametrize(
    ("count", "unit", "first"),
    [
        (90, "day", date(2026, 8, 28)),
        (2, "week", date(2026, 11, 12)),
        (9, "month", date(2026, 2, 26)),
        (3, "year", date(2023, 11, 26)),
        (9999, "year", date.min),
    ],
)
def test_a_span_reaches_back_by_the_calendar(count: int, unit: str, first: date) -> None:
    assert KeptSpan(count, unit).find_first_kept(date(2026, 11, 26)) == first


def test_a_month_that_is_too_short_ends_with_its_last_day() -> None:
    assert KeptSpan(1, "month").find_first_kept(date(2026, 3, 31)) == date(2026, 2, 28)
    assert (
        KeptSpan(10**9, "day").find_first_kept(date(2026, 3, 31))
        == KeptSpan(10**9, "year").find_first_kept(date(2026, 3, 31))
        == date.min
    )


def test_archived_tenants_are_known_but_not_active(load: Load, right: str) -> None:
    catalog = load(anton=right, berta=right + "archived: true\n")
    assert (catalog.active, sorted(catalog.tenants)) == (["anton"], ["anton", "berta"])

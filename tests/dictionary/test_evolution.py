"""Tables follow their contracts without losing rows, and are made anew only where rows would mean something else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from civitas_assets.dictionary.contracts import Contract, ModelColumn
from civitas_assets.dictionary.evolution import Evolution, Step, plan_evolution

COLUMNS = {
    "site_key": ModelColumn("varchar", "Key.", nullable=False),
    "free": ModelColumn("integer", "Free spaces.", unit="1"),
    "status": ModelColumn("varchar", "State.", codes=("open", "closed")),
}
BEFORE = Contract(
    name="parking",
    version="1.0.0",
    grain="One row per site.",
    description="One row per site.",
    standard="Own model",
    example="select 1",
    replaced="replace_days",
    key=("site_key",),
    columns=COLUMNS,
)


def led_to(now: Contract) -> Evolution:
    """What leads from the contract before to this one."""
    return plan_evolution({"parking": BEFORE}, {now.name: now})


def with_columns(**changed: ModelColumn) -> Contract:
    return replace(BEFORE, columns={**COLUMNS, **changed})


def test_nothing_is_done_where_only_words_changed() -> None:
    now = replace(with_columns(free=replace(COLUMNS["free"], description="Spaces.")), version="1.0.1")
    assert not led_to(replace(now, standard="DATEX II", example="select 2"))


def test_columns_come_widen_and_go_in_place() -> None:
    now = with_columns(
        free=replace(COLUMNS["free"], type="bigint"), capacity=ModelColumn("bigint", "Spaces.")
    )
    kept = replace(now, columns={name: c for name, c in now.columns.items() if name != "status"})
    assert led_to(kept).reasons == ()
    assert led_to(kept).steps == (
        Step("drop_column", "parking", "status"),
        Step("widen_column", "parking", "free", type="bigint"),
        Step("add_column", "parking", "capacity", type="bigint"),
    )


def test_a_declared_rename_keeps_the_values_and_an_undeclared_one_does_not() -> None:
    columns = {"site_key": COLUMNS["site_key"], "spaces": COLUMNS["free"], "status": COLUMNS["status"]}
    assert [step.kind for step in led_to(replace(BEFORE, columns=columns)).steps] == [
        "drop_column",
        "add_column",
    ]
    columns["spaces"] = replace(columns["spaces"], renamed_from="free", type="bigint")
    assert led_to(replace(BEFORE, columns=columns)).steps == (
        Step("rename_column", "parking", "spaces", before="free"),
        Step("widen_column", "parking", "spaces", type="bigint"),
    )


def test_a_key_that_is_renamed_is_the_same_key() -> None:
    columns = {"site": replace(COLUMNS["site_key"], renamed_from="site_key"), "free": COLUMNS["free"]}
    assert led_to(replace(BEFORE, key=("site",), columns=columns)).reasons == ()


def test_models_come_go_and_are_renamed() -> None:
    other = replace(BEFORE, name="site")
    assert plan_evolution({"parking": BEFORE}, {"site": other}).steps == (
        Step("drop_model", "parking"),
        Step("add_model", "site"),
    )
    renamed = replace(other, renamed_from="parking")
    assert plan_evolution({"parking": BEFORE}, {"site": renamed}).steps == (
        Step("rename_model", "site", before="parking"),
    )
    assert not plan_evolution({"site": renamed}, {"site": renamed})


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (replace(BEFORE, grain="One row per space."), "another grain"),
        (replace(BEFORE, key=("site_key", "free")), "another key"),
        (replace(BEFORE, replaced="replace_all"), "rows are replaced by replace_all"),
        (with_columns(free=replace(COLUMNS["free"], unit="%")), "free is in %, not in 1"),
        (with_columns(free=ModelColumn("varchar", "Free.", unit="1")), "free is varchar, not integer"),
        (with_columns(status=replace(COLUMNS["status"], codes=("open",))), "status no longer holds closed"),
    ],
)
def test_another_meaning_asks_for_new_rows(now: Contract, reason: str) -> None:
    assert led_to(now).reasons == (f"parking: {reason}",)


def test_narrower_types_ask_for_new_rows() -> None:
    wide = with_columns(free=ModelColumn("bigint", "Free.", unit="1"))
    assert plan_evolution({"parking": wide}, {"parking": BEFORE}).reasons == (
        "parking: free is integer, not bigint",
    )

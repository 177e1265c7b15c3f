"""A contract's changes are told apart: breaking ones need a major version, additions a minor one, words a patch."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from civitas_assets.dictionary.compare import Bump, compare_contracts, find_bump, find_version_faults
from civitas_assets.dictionary.contracts import Contract, ForeignKey, ModelColumn, parse_version
from civitas_assets.errors import DictionaryError

COLUMNS = {
    "site_key": ModelColumn("varchar", "Key.", nullable=False),
    "free": ModelColumn("integer", "Free spaces.", unit="1"),
    "status": ModelColumn("varchar", "State.", codes=("open", "closed")),
    "value": ModelColumn("double", "Value.", unit_column="unit"),
    "unit": ModelColumn("varchar", "Unit."),
}
BEFORE = Contract(
    name="parking",
    version="1.2.3",
    grain="One row per site.",
    description="One row per site. More.",
    standard="Own model",
    example="select 1",
    replaced="replace_days",
    key=("site_key",),
    columns=COLUMNS,
    relations=(ForeignKey("site_key", "site", "site_key"),),
)


def with_column(name: str, **changed: object) -> Contract:
    return replace(BEFORE, columns={**COLUMNS, name: replace(COLUMNS[name], **changed)})  # type: ignore[arg-type]


def without(name: str) -> Contract:
    return replace(BEFORE, columns={key: column for key, column in COLUMNS.items() if key != name})


CHANGES = {
    "column free removed": (Bump.MAJOR, without("free")),
    "column new added, date": (
        Bump.MINOR,
        replace(BEFORE, columns={**COLUMNS, "new": ModelColumn("date", "New.")}),
    ),
    "free: type widened from integer to bigint": (Bump.MINOR, with_column("free", type="bigint")),
    "free: type changed from integer to varchar": (Bump.MAJOR, with_column("free", type="varchar")),
    "value: type narrowed from double to integer": (Bump.MAJOR, with_column("value", type="integer")),
    "free: unit changed from 1 to %": (Bump.MAJOR, with_column("free", unit="%")),
    "free: unit changed from 1 to none": (Bump.MAJOR, with_column("free", unit=None)),
    "value: column of the unit changed from unit to none": (
        Bump.MAJOR,
        with_column("value", unit_column=None),
    ),
    "site_key: may be null now": (Bump.MAJOR, with_column("site_key", nullable=True)),
    "free: is never null now": (Bump.MINOR, with_column("free", nullable=False)),
    "status: codes removed: closed": (Bump.MAJOR, with_column("status", codes=("open",))),
    "status: codes added: full": (Bump.MINOR, with_column("status", codes=("open", "closed", "full"))),
    "status: list of codes removed": (Bump.MAJOR, with_column("status", codes=())),
    "unit: list of codes added: m": (Bump.MINOR, with_column("unit", codes=("m",))),
    "free: description changed": (Bump.PATCH, with_column("free", description="Spaces that are free.")),
    "key changed from (site_key) to (site_key, unit)": (
        Bump.MAJOR,
        replace(BEFORE, key=("site_key", "unit")),
    ),
    "grain changed from 'One row per site.' to 'One row per space.'": (
        Bump.MAJOR,
        replace(BEFORE, grain="One row per space.", description="One row per space."),
    ),
    "description changed": (Bump.PATCH, replace(BEFORE, description="One row per site. Else.")),
    "standard changed": (Bump.PATCH, replace(BEFORE, standard="DATEX II")),
    "example changed": (Bump.PATCH, replace(BEFORE, example="select 2")),
    "rows are replaced by replace_all, not replace_days": (
        Bump.MINOR,
        replace(BEFORE, replaced="replace_all"),
    ),
    "site_key → site.site_key is no longer stated": (Bump.MINOR, replace(BEFORE, relations=())),
    "unit → units.code is stated": (
        Bump.MINOR,
        replace(BEFORE, relations=(*BEFORE.relations, ForeignKey("unit", "units", "code"))),
    ),
}
VERSIONS = {Bump.MAJOR: "2.0.0", Bump.MINOR: "1.3.0", Bump.PATCH: "1.2.4"}


@pytest.mark.parametrize(("text", "asks", "now"), [(text, *rest) for text, rest in CHANGES.items()])
def test_a_change_is_named_and_needs_its_version(text: str, asks: Bump, now: Contract) -> None:
    before = {"parking": BEFORE}
    assert [(change.asks, change.text) for change in compare_contracts(before, {"parking": now})] == [
        (asks, text)
    ]
    for bump, version in VERSIONS.items():
        enough = not find_version_faults(before, {"parking": replace(now, version=version)})
        assert enough == (bump >= asks), version
    (fault,) = find_version_faults(before, {"parking": now})
    assert (
        fault == f"parking 1.2.3 was released before these changes: they ask for {VERSIONS[asks]} or higher"
    )


def test_a_declared_rename_is_named_and_breaks_those_who_read_the_old_name() -> None:
    columns = {
        "free_spaces" if name == "free" else name: column for name, column in without("").columns.items()
    }
    columns["free_spaces"] = replace(columns["free_spaces"], renamed_from="free", type="bigint")
    now = replace(BEFORE, columns=columns)
    assert [
        (change.asks, change.text) for change in compare_contracts({"parking": BEFORE}, {"parking": now})
    ] == [
        (Bump.MAJOR, "column free renamed to free_spaces"),
        (Bump.MINOR, "free_spaces: type widened from integer to bigint"),
    ]
    moved = {"parking_state": replace(BEFORE, name="parking_state", renamed_from="parking")}
    assert [str(change) for change in compare_contracts({"parking": BEFORE}, moved)] == [
        "parking: model renamed to parking_state (breaking)",
        "parking_state: model added, version 1.2.3 (compatible)",
    ]


def test_every_part_of_a_contract_is_compared() -> None:
    parts = {field.name for field in fields(Contract)} - {"name", "version", "renamed_from"}
    tried = {
        part for _, now in CHANGES.values() for part in parts if getattr(now, part) != getattr(BEFORE, part)
    }
    assert tried == parts
    # How often a text repeats is no promise to readers.
    of_columns = {field.name for field in fields(ModelColumn)} - {
        "renamed_from",
        "free_text",
        "counts",
        "counted",
    }
    tried = {
        part
        for _, now in CHANGES.values()
        for name, column in now.columns.items()
        for part in of_columns
        if name in COLUMNS and getattr(column, part) != getattr(COLUMNS[name], part)
    }
    assert tried == of_columns


def test_the_same_contracts_need_nothing_and_may_rise() -> None:
    before = {"parking": BEFORE}
    assert compare_contracts(before, before) == ()
    assert find_version_faults(before, before) == ()
    assert find_version_faults(before, {"parking": replace(BEFORE, version="3.0.0")}) == ()


def test_a_version_does_not_fall() -> None:
    now = {"parking": replace(BEFORE, version="1.1.9")}
    assert find_version_faults({"parking": BEFORE}, now) == ("parking falls from version 1.2.3 to 1.1.9",)


def test_a_rise_that_is_too_small_says_which_is_enough() -> None:
    now = {"parking": replace(without("free"), version="1.3.0")}
    (fault,) = find_version_faults({"parking": BEFORE}, now)
    assert fault == "parking 1.3.0 is not enough for these changes: they ask for 2.0.0 or higher"


def test_a_new_model_is_welcome_and_a_lost_one_breaks() -> None:
    before, now = {"parking": BEFORE}, {"garage": replace(BEFORE, name="garage")}
    assert [str(change) for change in compare_contracts(before, now)] == [
        "parking: model removed (breaking)",
        "garage: model added, version 1.2.3 (compatible)",
    ]
    assert [fault.partition(":")[0] for fault in find_version_faults(before, now)] == ["parking is gone"]
    assert find_version_faults(before, now, may_remove=True) == ()


def test_versions_are_compared_as_numbers() -> None:
    assert find_bump("1.9.0", "1.10.0") is Bump.MINOR
    assert find_bump("1.9.9", "2.0.0") is Bump.MAJOR
    assert find_bump("1.9.0", "1.9.10") is Bump.PATCH
    assert find_bump("1.10.0", "1.9.0") is Bump.NONE


@pytest.mark.parametrize("text", ["1.0", "1", "01.0.0", "1.0.0-rc1", "v1.0.0", ""])
def test_a_version_is_three_numbers(text: str) -> None:
    with pytest.raises(DictionaryError, match="write three numbers"):
        parse_version(text)

"""Every record type is complete: described, keyed, timed, and its companions exist."""

from __future__ import annotations

import polars as pl
import pytest

from civitas_assets.records import PROVENANCE, RECORD_TYPES, Column, ColumnKind, RecordType
from civitas_assets.records.contract import UTC_TIME

ALL = pytest.mark.parametrize("contract", RECORD_TYPES.values(), ids=RECORD_TYPES.keys())


@ALL
def test_every_column_is_described_once(contract: RecordType) -> None:
    names = [column.name for column in (*contract.columns, *contract.carried)]
    assert len(names) == len({*names})
    assert not {*names} & {*PROVENANCE}
    for column in (*contract.columns, *contract.carried):
        assert column.description.endswith("."), column.name
    assert contract.description.endswith(".")


@ALL
def test_keys_are_required_columns_of_the_contract_itself(contract: RecordType) -> None:
    own = {column.name: column for column in contract.columns}
    assert contract.key
    assert all(own[name].required for name in contract.key)


@ALL
def test_events_have_a_required_time_in_their_key(contract: RecordType) -> None:
    if contract.event_time is not None:
        column = contract.get_column(contract.event_time)
        assert (column.kind, column.required) == (ColumnKind.TIME, True)
        assert contract.event_time in contract.key
        assert contract.measures


@ALL
def test_names_that_the_contract_refers_to_are_columns(contract: RecordType) -> None:
    names = [*contract.measures, *(contract.position or ())]
    if contract.interval_end:
        names += [contract.interval_end]
    assert {*names} <= {*contract.accepted}


@ALL
def test_only_codes_have_code_lists_and_only_numbers_have_bounds(contract: RecordType) -> None:
    for column in (*contract.columns, *contract.carried):
        assert bool(column.codes) == (column.kind is ColumnKind.CODE), column.name
        if column.minimum is not None or column.maximum is not None:
            assert column.kind in {ColumnKind.NUMBER, ColumnKind.INTEGER}, column.name


@ALL
def test_companions_carry_the_key_and_fit_the_other_contract(contract: RecordType) -> None:
    for companion in contract.companions:
        other = RECORD_TYPES[companion.record_type]
        assert {*other.key} <= {*companion.fields}
        for theirs, ours in companion.fields.items():
            assert contract.get_column(ours).kind is other.get_column(theirs).kind
            assert contract.get_column(ours).codes == other.get_column(theirs).codes


@ALL
def test_described_events_hold_the_key_of_the_thing(contract: RecordType) -> None:
    for events, column in contract.described_events.items():
        assert RECORD_TYPES[events].event_time is not None
        assert column in RECORD_TYPES[events].schema


@ALL
def test_stored_records_know_where_they_came_from(contract: RecordType) -> None:
    assert [*contract.stored_schema] == [*contract.schema, *PROVENANCE]
    times = {name for name, dtype in contract.stored_schema.items() if isinstance(dtype, pl.Datetime)}
    assert all(contract.stored_schema[name] == UTC_TIME for name in times)


def test_a_contract_whose_key_is_no_column_cannot_be_made() -> None:
    with pytest.raises(AssertionError):
        RecordType("odd", "Odd.", (Column("a", ColumnKind.TEXT, "A."),), key=("b",))

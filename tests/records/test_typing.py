"""Text becomes typed by the contract; rows that break a rule are set apart, the others go on."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
import shapely

from civitas_assets.catalog import Source
from civitas_assets.errors import ReadError
from civitas_assets.records import RECORD_TYPES, BrokenRow, RawTable
from civitas_assets.records.origin import REJECTED_SCHEMA, Origin, build_format_rejections, gather_rows
from civitas_assets.records.raw import TIME
from civitas_assets.records.typing import TenantPlace, Typed, bring_into_contract

Bring = Callable[..., Typed]
NOW = datetime(2026, 8, 1, 2, tzinfo=UTC)
UTC_RULE = {"zone": "utc", "column": "t"}


def observed(typed: Bring, values: list[Any], **settings: Any) -> Typed:
    """Observations with these values."""
    rows = len(values)
    columns = {"datastream_id": ["d"] * rows, TIME: [f"2026-07-01T00:00:{i:02}" for i in range(rows)]}
    value = pl.Series(values, strict=False)
    return typed("observation", {**columns, "value": value}, time=UTC_RULE, **settings)


def site(typed: Bring, **columns: Any) -> Typed:
    """Parking sites with these columns, and settings after a double underscore."""
    settings = {name[2:]: columns.pop(name) for name in [*columns] if name.startswith("__")}
    length = len(next(iter(columns.values())))
    return typed("parking_site", {"site_id": [f"s{i}" for i in range(length)], **columns}, **settings)


def rules(typed: Typed) -> list[tuple[str, str | None, str | None, int]]:
    """Rule, field, detail and row of what was rejected."""
    return [*typed.rejected.select("rule", "field", "detail", "row").iter_rows()]


@pytest.mark.parametrize(
    ("settings", "written", "expected"),
    [
        ({}, ["1", "-2.5", " 3 ", "1e3", "0"], [1, -2.5, 3, 1000, 0]),
        (
            {"decimal": ","},
            ["1", "-2,5", "1.234,56", "1.234", "12.345.678", ",5"],
            [1, -2.5, 1234.56, 1234, 12345678, 0.5],
        ),
        ({"nulls": ("-", "k.A.")}, ["-", "k.A.", "", " ", None, "7"], [None, None, None, None, None, 7]),
        (
            {"decimal": ","},
            ["12,5 %", "1 234,5", "1\u202f234", "12’345", "7-", "−3,5", "−999,00"],
            [12.5, 1234.5, 1234, 12345, -7, -3.5, -999],
        ),
        (
            {"decimal": ",", "nulls": ("-999",)},
            ["-999,0", "-999.0", "−999", "-99", "4,2"],
            [None] * 3 + [-99, 4.2],
        ),
        ({"nulls": ("-999,00",)}, ["-999", "-999.5", "4.2"], [None, -999.5, 4.2]),
        (
            {"decimal": ",", "nulls": ("-99.9",)},
            ["-99,9", "-99.90", "−99,9", "-99,95", "99,9"],
            [None, None, None, -99.95, 99.9],
        ),
        ({}, [1, 2.5, None], [1, 2.5, None]),
        ({"nulls": ("-999", "k.A.")}, [1.5, -999, -998.9, None], [1.5, None, -998.9, None]),
    ],
)
def test_numbers_are_read_as_declared(
    typed: Bring, settings: Any, written: list[Any], expected: list[Any]
) -> None:
    result = observed(typed, written, **settings)
    assert result.accepted["observation"]["value"].to_list() == expected
    assert result.rejected.is_empty()


@pytest.mark.parametrize("field", ["value", "@result"])
@pytest.mark.parametrize("written", [["7", " -999", "", None, "k.A."], [7, -999, None, None, None]])
def test_a_value_that_means_none_is_told_from_one_that_is_not_there(
    typed: Bring, field: str, written: list[Any]
) -> None:
    columns = {"datastream_id": ["a"] * 5, "phenomenon_start": ["2026-03-01T10:00:00Z"] * 5, field: written}
    found = typed("observation", columns, nulls=("-999", "k.A.")).accepted["observation"]
    assert found["value"].to_list() == [7, None, None, None, None]
    last = "sentinel" if isinstance(written[-1], str) else None
    assert found["value_flag"].to_list() == [None, "sentinel", None, None, last]


@pytest.mark.parametrize(
    ("decimal", "text"),
    [
        (".", "1,5"),
        (".", "abc"),
        (".", "NaN"),
        (".", "inf"),
        (",", "12.5"),
        (",", "1,2,3"),
        (",", "1.23"),
        (".", "1.2.3"),
    ],
)
def test_what_is_no_number_is_set_apart_and_the_others_go_on(typed: Bring, decimal: str, text: str) -> None:
    """With a decimal comma 12.5 must not become 125."""
    result = observed(typed, ["1", text, "3"], decimal=decimal)
    assert result.accepted["observation"]["value"].to_list() == [1, 3]
    assert rules(result) == [("not_a_number", "value", text, 2)]


def test_integers_may_be_written_with_zero_decimals_and_nothing_else(typed: Bring) -> None:
    result = site(typed, capacity=["12.0", "7", "12.5", "1e2", "9" * 30])
    assert result.accepted["parking_site"]["capacity"].to_list() == [12, 7, None, 100, None]
    assert rules(result) == [
        ("not_an_integer", "capacity", "12.5", 3),
        ("not_an_integer", "capacity", "9" * 30, 5),
    ]


def test_booleans_are_what_municipal_files_write(typed: Bring) -> None:
    result = site(typed, has_fee=["ja", "Nein", "T", "false", "1", "0.0", None, "x", "vielleicht"])
    expected = [True, False, True, False, True, False, None, True, None]
    assert result.accepted["parking_site"]["has_fee"].to_list() == expected
    assert rules(result) == [("not_a_boolean", "has_fee", "vielleicht", 9)]
    assert site(typed, has_fee=[True, False]).accepted["parking_site"]["has_fee"].to_list() == [True, False]


def test_codes_are_mapped_the_native_text_is_kept_and_unknown_ones_are_set_apart(typed: Bring) -> None:
    mapping = {"site_type": {"Parkhaus": "car_park", "2": "underground"}}
    result = site(typed, site_type=["Parkhaus", "on_street", "2", None, "Wiese"], __codes=mapping)
    accepted = result.accepted["parking_site"]
    assert accepted["site_type"].to_list() == ["car_park", "on_street", "underground", None, None]
    assert accepted["site_type_native"].to_list() == ["Parkhaus", "on_street", "2", None, "Wiese"]
    assert rules(result) == [("unknown_code", "site_type", "Wiese", 5)]


def test_a_native_text_of_its_own_is_not_replaced(typed: Bring) -> None:
    result = site(typed, site_type=["other"], site_type_native=["Wiese"])
    assert result.accepted["parking_site"]["site_type_native"].to_list() == ["Wiese"]


def test_numbers_out_of_range_are_set_apart(typed: Bring) -> None:
    result = site(typed, capacity=["0", "-1"], max_height_cm=["1", "200"])
    assert rules(result) == [("out_of_range", "capacity", "-1", 2)]


def test_a_cell_that_only_describes_costs_no_more_than_itself(typed: Bring) -> None:
    result = site(typed, name=["A", "B"], capacity=["ca. 20", "7"], has_fee=["?", "ja"])
    found = result.accepted["parking_site"].select("site_id", "name", "capacity", "has_fee")
    assert found.rows() == [("s0", "A", None, None), ("s1", "B", 7, True)]
    assert rules(result) == [
        ("not_an_integer", "capacity", "ca. 20", 1),
        ("not_a_boolean", "has_fee", "?", 1),
    ]
    status = {"site_id": ["a"], "observed_at": ["2026-01-01T00:00:00Z"], "free": ["viele"], "capacity": ["7"]}
    assert typed("parking_status", status).accepted["parking_status"].is_empty(), (
        "a measure is no description"
    )


def test_what_is_kept_as_an_object_is_one(typed: Bring) -> None:
    written = ['{"a":1}', "[1]", "Linde", None, "{"]
    columns = {"place_id": list("abcde"), "category": ["x"] * 5, "attributes": written}
    result = typed("place", columns)
    assert result.accepted["place"]["attributes"].to_list() == ['{"a":1}', None, None, None, None]
    assert [(rule, row) for rule, _, _, row in rules(result)] == [("not_a_json_object", n) for n in (2, 3, 5)]


def test_ids_stay_as_they_are_written(typed: Bring) -> None:
    result = typed("parking_site", {"site_id": ["007", "07743", " 1 "]})
    assert result.accepted["parking_site"]["site_id"].to_list() == ["007", "07743", "1"]
    assert typed("parking_site", {"site_id": [7, 8]}).accepted["parking_site"]["site_id"].to_list() == [
        "7",
        "8",
    ]


def test_an_empty_required_field_sets_its_row_apart(typed: Bring) -> None:
    result = typed(
        "parking_site", {"site_id": ["a", "", None, "-"], "name": ["A", "B", "C", "D"]}, nulls=("-",)
    )
    assert result.accepted["parking_site"]["name"].to_list() == ["A"]
    assert [rule[:2] for rule in rules(result)] == [("required_field_is_empty", "site_id")] * 3


def test_a_required_field_that_no_row_can_have_is_an_error_of_the_mapping(typed: Bring) -> None:
    with pytest.raises(ReadError, match="brings no site_id, which every parking_site needs"):
        typed("parking_site", {"name": ["A"]})


def test_a_rejected_row_tells_all_about_itself(typed: Bring) -> None:
    result = typed(
        "parking_site", {"site_id": ["a", "b"], "capacity": ["5", "viele"], "has_fee": ["ja", "nein"]}
    )
    assert dict(result.rejected.schema) == REJECTED_SCHEMA
    (row,) = result.rejected.to_dicts()
    assert json.loads(row.pop("raw")) == {"site_id": "b", "capacity": "viele", "has_fee": "nein"}
    assert row == {
        "record_type": "parking_site",
        "rule": "not_an_integer",
        "field": "capacity",
        "detail": "viele",
        "row": 2,
        "payload": "abc",
        "received_at": NOW,
    }


def test_each_row_is_rejected_once_by_the_first_rule_that_it_breaks(typed: Bring) -> None:
    result = site(typed, capacity=["x", "1"], has_fee=["y", "z"])
    assert [(rule[0], rule[3]) for rule in rules(result)] == [("not_an_integer", 1), ("not_a_boolean", 2)]


def test_times_that_cannot_have_been_measured_are_set_apart(typed: Bring) -> None:
    """Milliseconds declared as seconds, and the first day of the calendar in place of none."""
    columns = {"datastream_id": ["d"] * 3, "value": [1.0] * 3}
    rule = {"zone": "utc", "column": "t", "format": "epoch_s"}
    seconds = typed("observation", {**columns, TIME: [1782907200000, 1782907200, None]}, time=rule)
    assert [row[0] for row in rules(seconds)] == ["time_is_missing", "time_is_unreadable"]
    mapped = {"phenomenon_start": ["0001-01-01T00:00:00Z", "2026-07-01T00:00:00Z", "9999-12-31T00:00:00Z"]}
    result = typed("observation", {**columns, **mapped})
    assert [(row[0], row[3]) for row in rules(result)] == [
        ("time_is_implausible", 1),
        ("time_is_implausible", 3),
    ]
    assert result.accepted["observation"].height == 1


def test_a_year_of_two_digits_is_not_one_of_the_first_century(typed: Bring) -> None:
    """Neither for the event nor for any other time or day; what is open is none."""
    rule = {"zone": "local_wall", "column": "t", "format": "%d.%m.%Y"}
    columns = {"datastream_id": ["d"] * 2, "value": [1.0] * 2, TIME: ["01.02.26", "01.02.2026"]}
    assert [row[0] for row in rules(typed("observation", columns, time=rule))] == ["time_is_implausible"]
    event = {
        "event_id": ["a", "b", "c"],
        "start_at": ["01.02.2026"] * 3,
        "end_at": ["01.02.26", "infinity", "05.02.2026"],
    }
    result = typed("event", event, time=rule)
    assert [row[:2] for row in rules(result)] == [("time_is_implausible", "end_at")]
    assert result.accepted["event"]["end_at"].to_list() == [None, datetime(2026, 2, 4, 23, tzinfo=UTC)]
    area = {"feature_id": ["a", "b", "c"], "valid_from": ["01.02.26", "0026-02-01", "2026-02-01T23:00:00Z"]}
    result = typed("area_feature", {**area, "valid_to": ["9999-12-31"] * 3})
    assert [row[:2] for row in rules(result)] == [
        ("date_is_unreadable", "valid_from"),
        ("time_is_implausible", "valid_from"),
    ]
    assert result.accepted["area_feature"].select("valid_from", "valid_to").rows() == [
        (date(2026, 2, 2), None)
    ]


def test_days_besides_the_event_are_read_by_the_rule_of_the_source(typed: Bring) -> None:
    rule = {"zone": "local_wall", "column": "t", "format": "%d/%m/%Y"}
    result = typed("area_feature", {"feature_id": ["a"], "valid_from": ["02/03/2026"]}, time=rule)
    assert result.accepted["area_feature"]["valid_from"].to_list() == [date(2026, 3, 2)]


def test_a_clock_that_was_never_set_is_flagged(typed: Bring) -> None:
    columns = {"datastream_id": ["d"] * 2, "value": [1.0] * 2}
    mapped = {"phenomenon_start": ["1980-01-06T00:00:10Z", "2026-07-01T00:00:00Z"]}
    accepted = typed("observation", {**columns, **mapped}).accepted["observation"]
    assert accepted["time_flag"].to_list() == ["clock_unset", None]


def test_a_state_of_a_clock_that_was_never_set_is_none(typed: Bring) -> None:
    """A state has no flag of time, and so it would be good."""
    columns = {"site_id": ["d"] * 2, "free": [1, 2]}
    result = typed(
        "parking_status", {**columns, "observed_at": ["1980-01-06T00:00:10Z", "2026-07-01T00:00:00Z"]}
    )
    assert result.accepted["parking_status"]["free"].to_list() == [2]
    assert [row[:2] for row in rules(result)] == [("time_of_unset_clock", "observed_at")]


def test_a_mapped_period_lasts_as_long_as_it_says(typed: Bring) -> None:
    rule = {"zone": "local_wall", "column": "t", "format": "period"}
    columns = {
        "indicator_id": ["i"],
        "area_id": ["a"],
        "category": ["c"],
        "value": [1.0],
        "period_start": ["2019"],
    }
    (row,) = typed("statistic", columns, time=rule).accepted["statistic"].to_dicts()
    assert (row["period_start"], row["period_end"]) == (
        datetime(2018, 12, 31, 23, tzinfo=UTC),
        datetime(2019, 12, 31, 23, tzinfo=UTC),
    )


def test_an_interval_does_not_end_before_it_starts(typed: Bring) -> None:
    columns = {
        "datastream_id": ["d"] * 2,
        "value": [1.0] * 2,
        "phenomenon_start": ["2026-07-01T00:00:00Z"] * 2,
    }
    ends = {"phenomenon_end": ["2026-06-30T00:00:00Z", "2026-07-01T00:00:00Z"]}
    assert [row[:2] for row in rules(typed("observation", {**columns, **ends}))] == [
        ("interval_ends_before_it_starts", "phenomenon_end")
    ]


def test_an_event_that_ends_before_it_begins_loses_its_end_and_is_told(typed: Bring) -> None:
    """Its end would say that it is over. An end that is a mere day is the one on which it begins."""
    start = "2026-07-02T10:00:00+02:00"
    ends = ["2026-07-01T10:00:00+02:00", start, "2026-07-02T00:00:00+02:00", None]
    result = typed("event", {"event_id": ["a", "b", "c", "d"], "start_at": [start] * 4, "end_at": ends})
    assert result.accepted["event"]["end_at"].is_null().to_list() == [True, False, False, True]
    assert [row[:2] for row in rules(result)] == [("ends_before_it_starts", "end_at")]


def test_a_validity_that_ends_before_it_begins_loses_its_end(typed: Bring) -> None:
    days = {"valid_from": ["2026-07-02"] * 2, "valid_to": ["2026-07-01", "2026-07-02"]}
    result = typed("area_feature", {"feature_id": ["a", "b"], **days})
    assert result.accepted["area_feature"]["valid_to"].to_list() == [None, date(2026, 7, 2)]
    assert [row[:2] for row in rules(result)] == [("ends_before_it_starts", "valid_to")]


def test_an_event_without_an_end_ends_when_it_starts(typed: Bring) -> None:
    columns = {
        "datastream_id": ["d", "d"],
        "value": ["1", "2"],
        "phenomenon_start": ["2026-07-01T00:00:00Z", "2026-07-01T01:00:00Z"],
    }
    end = typed("observation", columns).accepted["observation"]["phenomenon_end"]
    assert end.to_list() == [datetime(2026, 7, 1, 0, tzinfo=UTC), datetime(2026, 7, 1, 1, tzinfo=UTC)]
    given = {**columns, "phenomenon_end": ["2026-07-01T00:30:00Z", None]}
    end = typed("observation", given).accepted["observation"]["phenomenon_end"]
    assert end.to_list() == [datetime(2026, 7, 1, 0, 30, tzinfo=UTC), datetime(2026, 7, 1, 1, tzinfo=UTC)]


def test_positions_are_transformed_and_wrong_ones_set_apart(typed: Bring) -> None:
    lon, lat = ["681721.5236", "5645057.6553", "1"], ["5645057.6553", "681721.5236", None]
    result = site(typed, lon=lon, lat=lat, __crs="EPSG:25832")
    accepted = result.accepted["parking_site"]
    assert accepted["lon"].to_list() == pytest.approx([11.585954366], abs=1e-6)
    assert [(rule[0], rule[3]) for rule in rules(result)] == [
        ("position_is_incomplete", 3),
        ("position_is_outside", 2),
    ]
    swapped = site(typed, lon=["50.93"], lat=["11.58"])
    assert rules(swapped) == [("position_is_swapped", "lon, lat", "50.93, 11.58", 1)]


def test_constants_fill_what_is_absent_empty_or_declared_as_null_and_nothing_else(typed: Bring) -> None:
    result = site(
        typed,
        name=["A", None, "", "-"],
        __nulls=("-",),
        __constants={"name": "P {town}", "operator": "Stadtwerke {town}", "unrelated": "x"},
    )
    accepted = result.accepted["parking_site"]
    assert accepted["name"].to_list() == ["A", "P jena", "P jena", "P jena"]
    assert accepted["operator"].to_list() == ["Stadtwerke jena"] * 4


def test_rows_also_bring_the_things_that_they_are_about(typed: Bring) -> None:
    result = typed(
        "observation",
        {
            "datastream_id": ["d1", "d1", "d2"],
            "datastream_name": ["Links", "Links", "Rechts"],
            "station_id": ["s", "s", "s"],
            "value": ["1", "2", "3"],
            TIME: ["2026-07-01T00:00", "2026-07-01T01:00", "2026-07-01T00:00"],
        },
        time=UTC_RULE,
        constants={"unit": "1"},
    )
    assert {name: frame.height for name, frame in result.accepted.items()} == {
        "observation": 3,
        "datastream": 2,
        "station": 1,
    }
    assert result.accepted["datastream"].select("datastream_id", "name", "unit").rows() == [
        ("d1", "Links", "1"),
        ("d2", "Rechts", "1"),
    ]
    for name, frame in result.accepted.items():
        assert frame.columns == [*RECORD_TYPES[name].schema, "payload", "received_at"]
        assert {column: frame.schema[column] for column in RECORD_TYPES[name].schema} == RECORD_TYPES[
            name
        ].schema


def test_a_status_that_says_nothing_of_its_site_brings_no_site(typed: Bring) -> None:
    columns = {"site_id": ["a"], TIME: ["2026-07-01T00:00"], "free": ["3"]}
    assert {*typed("parking_status", columns, time=UTC_RULE).accepted} == {"parking_status"}
    with_site = typed("parking_status", {**columns, "name": ["A"]}, time=UTC_RULE)
    assert with_site.accepted["parking_site"]["name"].to_list() == ["A"]


def test_a_rejected_row_brings_no_companion(typed: Bring) -> None:
    columns = {"site_id": ["a"], TIME: ["2026-07-01T00:00"], "free": ["-3"], "name": ["A"]}
    result = typed("parking_status", columns, time=UTC_RULE)
    assert result.accepted["parking_site"].is_empty()
    assert result.rejected.height == 1


@pytest.mark.parametrize("name", RECORD_TYPES)
def test_columns_without_any_value_have_the_types_of_the_contract(typed: Bring, name: str) -> None:
    contract = RECORD_TYPES[name]
    result = typed(name, {field: [None, None] for field in contract.accepted})
    assert result.accepted[name].is_empty()
    assert {*result.rejected["rule"]} == {"required_field_is_empty"}


@pytest.mark.parametrize("name", RECORD_TYPES)
def test_a_table_without_rows_is_no_error(typed: Bring, name: str) -> None:
    result = typed(name, {field: [] for field in RECORD_TYPES[name].accepted})
    assert all(frame.is_empty() for frame in (*result.accepted.values(), result.rejected))


def test_objects_and_lists_where_text_is_expected_are_kept_as_json(typed: Bring) -> None:
    result = site(typed, name=['{"de":"A"}', "B"], opening_hours=["[1,2]", None])
    assert result.accepted["parking_site"]["opening_hours"].to_list() == ["[1,2]", None]


def test_passes_of_the_repeated_hour_are_counted_within_each_payload() -> None:
    """Two editions of one file in one batch: each has both passes, and the later one corrects the first."""
    rule = {"column": "t", "zone": "local_wall", "fold": "by_order", "format": "%Y-%m-%d %H:%M"}
    basics = {"connector": "test", "title": "T", "licence": "CC0-1.0", "url": "https://data.example/"}
    source = Source.model_validate({**basics, "time": rule})

    def edition(payload: str, first: str) -> pl.DataFrame:
        columns = {"datastream_id": ["d", "d"], TIME: ["2025-10-26 02:00"] * 2, "value": [first, "9"]}
        return gather_rows(
            [(RawTable("observation", pl.DataFrame(columns)), Origin({}, payload, NOW))], source
        )

    table = pl.concat([edition("p1", "1"), edition("p2", "2")])
    place = TenantPlace("Europe/Berlin", (7.0, 51.0, 8.0, 52.0))
    accepted = bring_into_contract(RECORD_TYPES["observation"], table, source, place).accepted["observation"]
    hours = accepted["phenomenon_start"].dt.hour().to_list()
    assert [*zip(hours, accepted["value"], strict=True)] == [(0, 1.0), (1, 9.0), (0, 2.0), (1, 9.0)]


def test_rows_that_the_format_breaks_look_like_other_rejected_rows() -> None:
    frame = build_format_rejections(
        "observation", [BrokenRow(3, "too_many_cells", "4 cells", "a,b,c,d")], "abc", NOW
    )
    assert dict(frame.schema) == REJECTED_SCHEMA
    assert frame.select("rule", "row", "raw", "field").rows() == [("too_many_cells", 3, "a,b,c,d", None)]


def test_what_the_data_lacks_is_computed_and_what_it_says_stands(typed: Callable[..., Typed]) -> None:
    found = typed(
        "parking_status",
        {
            "site_id": ["lacks", "says", "cannot", "unknown"],
            "capacity": ["10", "10", "10", None],
            "occupied": ["4", "4", "12", "4"],
            "free": [None, "5", None, None],
        },
        computed={"free": "capacity - occupied"},
        time={"zone": "received"},
    )
    assert found.accepted["parking_status"].select("site_id", "free").rows() == [
        ("lacks", 6),
        ("says", 5),
        ("cannot", None),
        ("unknown", None),
    ]
    assert found.rejected.is_empty()


def test_a_geometry_gives_the_position_that_the_source_does_not(typed: Callable[..., Typed]) -> None:
    columns = {
        "site_id": ["a", "b", "c", "d"],
        "lon": [None, "11.6", None, None],
        "lat": [None, "50.9", None, None],
        "geometry": ["POINT (11.5 50.9)", "POINT (11.5 50.9)", "POINT (7.6 51.9)", "nowhere"],
    }
    found = typed("parking_site", columns)
    places = found.accepted["parking_site"].select("site_id", "lon", "lat").rows()
    assert places == [("a", 11.5, 50.9), ("b", 11.6, 50.9)]
    rules = found.rejected.select("rule", "field", "detail").rows()
    assert sorted(rules) == [
        ("geometry_is_unreadable", "geometry", "nowhere"),
        ("position_is_outside", "lon, lat", "7.6, 51.9"),
    ]


def test_an_area_is_kept_whole_and_need_not_have_its_middle_in_the_municipality(
    typed: Callable[..., Typed],
) -> None:
    wide = "POLYGON ((11.4 50.85, 15 50.85, 15 50.9, 11.4 50.9, 11.4 50.85))"
    found = typed("area_feature", {"feature_id": ["a"], "geometry": [wide], "valid_from": ["31.01.2026"]})
    (row,) = found.accepted["area_feature"].to_dicts()
    assert row["valid_from"] == date(2026, 1, 31)
    assert row["lon"] > 11.8
    assert shapely.from_wkb(row["geometry"]).equals(shapely.from_wkt(wide))


def test_bytes_of_a_rejected_row_are_told_in_hexadecimal(typed: Callable[..., Typed]) -> None:
    found = typed("place", {"place_id": [None], "geometry": [b"\x01\xff"]})
    assert "01ff" in found.rejected["raw"][0]


def test_a_statistic_stands_for_its_period(typed: Callable[..., Typed]) -> None:
    columns = {
        "category": ["climate"],
        "indicator_id": ["co2"],
        "area_id": ["town"],
        "value": ["1,5"],
        "@time": ["2024"],
    }
    time = {"column": "t", "zone": "local_wall", "format": "period"}
    (row,) = typed("statistic", columns, time=time, decimal=",").accepted["statistic"].to_dicts()
    assert (row["period_start"], row["period_end"]) == (
        datetime(2023, 12, 31, 23, tzinfo=UTC),
        datetime(2024, 12, 31, 23, tzinfo=UTC),
    )


@pytest.mark.parametrize("record_type", ["observation", "datastream"])
def test_a_unit_that_is_declared_for_a_property_fills_what_has_none(typed: Bring, record_type: str) -> None:
    """What the data say goes before it, and it goes before a constant."""
    columns: dict[str, Any] = {
        "datastream_id": [*"abcde"],
        "observed_property": ["PM10", " pm 10 ", "Lüfter", "Ozon", None],
        "unit": [None, "mg/m3", " ", None, None],
    }
    if record_type == "observation":
        columns |= {TIME: ["2026-07-01T00:00:00"] * 5, "value": [1.0] * 5}
    settings = {"units": {"PM10": "ug/m3", "LUEFTER": "1"}, "time": UTC_RULE}
    found = typed(record_type, columns, **settings).accepted["datastream"]
    assert found["unit"].to_list() == ["ug/m3", "mg/m3", "1", None, None]
    found = typed(record_type, columns, **settings, constants={"unit": "K"}).accepted["datastream"]
    assert found["unit"].to_list() == ["ug/m3", "mg/m3", "1", "K", "K"]
    del columns["unit"]
    found = typed(record_type, columns, **settings).accepted["datastream"]
    assert found["unit"].to_list() == ["ug/m3", "ug/m3", "1", None, None]


def test_a_declared_unit_is_that_of_a_property_that_is_a_constant(typed: Bring) -> None:
    columns = {"datastream_id": ["a"], TIME: ["2026-07-01T00:00:00"], "value": [1.0]}
    constants = {"observed_property": "{town}"}
    found = typed("observation", columns, units={"Jena": "Cel"}, constants=constants, time=UTC_RULE)
    assert found.accepted["datastream"]["unit"].to_list() == ["Cel"]

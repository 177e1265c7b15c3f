"""A proposal asserts nothing that it has not seen: of each kind of mistake that names and values invite, an example."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from civitas_assets.errors import ReadError
from tests.propose.conftest import Propose


def table(header: str, *rows: str) -> str:
    return "\n".join([header, *rows]) + "\n"


def test_thousands_are_read_where_they_are_proven(proposed: Propose) -> None:
    days = [f"0{n}.02.2026;A;{count}" for n, count in enumerate(["1.234", "987", "1.100"], 1)]
    found, source = proposed(table("Zeit;Standort;Fahrräder", *days))
    assert source.decimal == ","
    assert found.probe.records["observation"]["value"].to_list() == [1234, 987, 1100]
    assert "# unsure: a point in Fahrräder is read as one between thousands" in found.yaml


def test_what_may_be_thousands_is_asked(proposed: Propose) -> None:
    days = [f"0{n}.02.2026;A;{count}" for n, count in enumerate(["1.234", "2.987"], 1)]
    found, source = proposed(table("Zeit;Standort;Fahrräder", *days))
    assert source.decimal == "."
    assert "# unsure: decimal: is 1.234 in Fahrräder more than a thousand?" in found.yaml


def test_degrees_are_no_thousands(proposed: Propose) -> None:
    rows = ["1;Nord;7.621;51.962;1.234", "2;Dom;7.632;51.973;987"]
    found, source = proposed(table("Nr;Name;lon;lat;Plätze", *rows), "orte.csv")
    assert (source.decimal, found.accepted) == (".", 2)
    assert "thousand" not in found.yaml


def test_a_column_per_year_stands_for_its_years(proposed: Propose) -> None:
    found, source = proposed("Stadtteil;2019;2020;2021\nMitte;1.234;1.250;1.301\nNord;567;570;580\n")
    assert (found.record_type, found.accepted, source.time.format, source.decimal) == (
        "statistic",
        6,
        "period",
        ",",
    )
    assert source.fields == {"area_id": ("Stadtteil",)}


@pytest.mark.parametrize(
    ("header", "rows", "columns", "form"),
    [
        ("Datum;Uhrzeit;Station;Wert", ["01.03.2026;10:00;A;4,5"], ("Datum", "Uhrzeit"), "%d.%m.%Y %H:%M"),
        ("Tag;Stunde;Station;Wert", ["01.03.2026;01;A;4", "01.03.2026;24;A;5"], ("Tag", "Stunde"), "%d.%m.%Y %H"),
    ],
)  # fmt: skip
def test_a_time_in_two_columns_is_one(
    proposed: Propose, header: str, rows: list[str], columns: tuple[str, ...], form: str
) -> None:
    found, source = proposed(table(header, *rows))
    assert (source.time.columns, source.time.format, found.accepted) == (columns, form, len(rows))


def test_a_time_beside_the_list_is_that_of_its_records(proposed: Propose) -> None:
    sites = [{"id": f"P{n}", "name": f"Haus {n}", "free": n, "total": 10} for n in range(3)]
    body = {"updated": "2026-03-01T10:00:00Z", "data": {"sites": sites}}
    found, source = proposed(json.dumps(body), "parking.json")
    assert (source.time.column, source.records, source.nested) == ("^.updated", "[@]", ("data.sites",))
    hours = found.probe.records["parking_status"]["observed_at"].dt.hour().to_list()
    assert hours == [10, 10, 10]


def test_all_times_are_offered_and_the_one_of_the_state_is_taken(proposed: Propose) -> None:
    rows = [f"{n};Parkhaus {n};3;2020-01-01 10:00;2026-03-01 10:0{n}" for n in range(3)]
    found, source = proposed(table("id;name;frei;angelegt;zuletzt", *rows))
    assert source.time.column == "zuletzt"
    assert "# unsure: there are more times in it: angelegt" in found.yaml


def test_records_that_are_members_are_told_apart_by_their_names(proposed: Propose) -> None:
    body = {f"P{n}": {"name": f"Haus {n}", "free": n, "total": 10} for n in range(3)}
    found, source = proposed(json.dumps({"lots": body}), "parking.json")
    assert (source.fields["site_id"], found.accepted) == (("@key",), 3)


@pytest.mark.parametrize(
    "name",
    [
        "Nr",
        "Nr.",
        "Baum-Nr.",
        "BAUMNR",
        "Kennung",
        "Schlüssel",
        "ID",
        "OBJECTID",
        "gml_id",
        "Baumnummer",
        "GUID",
    ],
)
def test_what_is_called_an_id_and_is_in_every_row_another_is_the_id(proposed: Propose, name: str) -> None:
    rows = [f"Linde;{n * 7};Weg;7.62{n};51.96{n}" for n in range(4)]
    found, source = proposed(table(f"Art;{name};Straße;lon;lat", *rows), "baeume.csv")
    assert (source.fields["place_id"], found.accepted) == ((name,), 4)


def test_a_number_of_something_else_is_no_id(proposed: Propose) -> None:
    rows = [f"Brunnen {n};{n};{48000 + n};7.62{n};51.96{n}" for n in range(4)]
    _, source = proposed(table("Name;Hausnummer;PLZ;lon;lat", *rows), "brunnen.csv")
    assert source.fields["place_id"] == ("Name",)


def test_an_id_of_single_values_is_none_of_their_series(proposed: Propose) -> None:
    rows = [f"{n};{'AB'[n % 2]};{n}.5;2026-03-01T10:0{n}:00Z" for n in range(6)]
    found, source = proposed(table("id;sensor;temperature;time", *rows))
    assert source.fields["datastream_id"] == ("sensor",)
    assert found.probe.records["datastream"].height == 2


@pytest.mark.parametrize("values", [["Linde"] * 4, ["A", "B", "A", "B"], ["1", "0", "1", "0"]])
def test_neither_a_constant_nor_a_code_is_a_name(proposed: Propose, values: list[str]) -> None:
    rows = [f"K{n};{value};7.62{n};51.96{n}" for n, value in enumerate(values)]
    _, source = proposed(table("Kennung;Bezeichnung;lon;lat", *rows), "orte.csv")
    assert "name" not in source.fields


@pytest.mark.parametrize(
    ("header", "field", "column"),
    [
        ("ID;Parkhaus;Belegte Stellplätze;Stand", "capacity", None),
        ("ID;Parkhaus;Belegte Stellplätze;Stand", "occupied", "Belegte Stellplätze"),
        ("ID;Parkhaus;Freie Stellplätze;Stand", "free", "Freie Stellplätze"),
        ("ID;Parkhaus;Stellplätze gesamt;Stand", "capacity", "Stellplätze gesamt"),
        ("ID;Parkhaus;Belegung in %;Stand", "occupied", None),
        ("ID;Parkhaus;Auslastung;Stand", "occupied", None),
    ],
)
def test_taken_spaces_are_no_capacity(proposed: Propose, header: str, field: str, column: str | None) -> None:
    rows = [f"P{n};Haus {n};{n + 3};2026-03-01T10:00:00Z" for n in range(3)]
    _, source = proposed(table(header, *rows), "parken.csv")
    assert source.fields.get(field) == (None if column is None else (column,))


def test_a_field_that_fails_is_left_out_and_its_rows_are_not(proposed: Propose) -> None:
    rows = [f"{n};Haus {n};{'offen bis 8' if n % 2 else 'ja'};7.62;51.96" for n in range(20)]
    found, source = proposed(table("ID;Parkhaus;Gebührenpflichtig;lon;lat", *rows), "parken.csv")
    assert (found.record_type, found.accepted, "has_fee" in source.fields) == ("parking_site", 20, False)
    assert "# unsure: has_fee: Gebührenpflichtig is left out, since 10 row(s)" in found.yaml


def test_what_no_model_knows_is_asked_for_and_never_asserted(proposed: Propose) -> None:
    rows = [f"2026-03-01T10:0{n}:00Z;A;{n}.5;{n}" for n in range(4)]
    found, source = proposed(table("Zeit;Station;Gerumpel [quux];Temperatur", *rows))
    assert "what do these measure? Gerumpel" in found.yaml
    assert 'units: {"Temperatur": "Cel"}' in found.yaml
    found, source = proposed(table("Zeit;Station;Gerumpel [quux]", *[row.rpartition(";")[0] for row in rows]))
    assert "observed_property" not in source.constants
    assert "what is measured? 'Gerumpel' is no name that is known" in found.yaml
    assert "'quux' is no unit that is known" in found.yaml


CELLS = (
    st.sampled_from(["", "-", "1", "0", "1.234", "987", "1,5", "51.96", "7.62", "ja", "01.02.2026"])
    | st.sampled_from(["2026-02-01T10:00:00Z", "24:00", "Nord", "Süd", "POINT (7.62 51.96)", '"'])
    | st.sampled_from(["a\x00b", "1e999", "2019", "٣", "x" * 300])
    | st.integers(-(10**20), 10**20).map(str)
    | st.text(max_size=6)
)
NAMES = (
    st.sampled_from(["id", "Nr.", "Name", "lat", "lon", "Zeit", "Datum", "Stunde", "frei", "Wert", "2019"])
    | st.sampled_from(["2020", "Art", "Kapazität", "geom", "Status", "Temperatur [°C]", "", "a.b", "PLZ"])
    | st.sampled_from(["unit", "Komponente", "(", "Jahr"])
    | st.text(max_size=5)
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 2**40) | st.floats(allow_nan=False) | CELLS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
TRIED = settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def check(proposed: Propose, body: str, name: str) -> None:
    """A valid block that reads its own sample, or a sentence."""
    try:
        found, _ = proposed(body, name)
    except ReadError as error:
        told = str(error)
    else:
        told = "" if found.probe is None else " ".join([found.probe.error, *found.probe.report.errors])
    assert "is not understood" not in told
    assert "unforeseen" not in told


@TRIED
@given(
    names=st.lists(NAMES, min_size=1, max_size=6),
    rows=st.lists(st.lists(CELLS, min_size=1, max_size=6), max_size=5),
    delimiter=st.sampled_from(";,\t"),
)
def test_any_table_gets_a_proposal_that_reads_it_or_a_sentence(
    proposed: Propose, names: list[str], rows: list[list[str]], delimiter: str
) -> None:
    lines = [delimiter.join(row) for row in [names, *[(row * 6)[: len(names)] for row in rows]]]
    check(proposed, "\n".join(lines), "sample.csv")


@TRIED
@given(content=VALUES | st.lists(st.dictionaries(NAMES, VALUES, max_size=5), max_size=4))
def test_any_document_gets_a_proposal_that_reads_it_or_a_sentence(proposed: Propose, content: Any) -> None:
    check(proposed, json.dumps(content), "sample.json")


@TRIED
@given(
    records=st.lists(st.dictionaries(NAMES, VALUES, max_size=4), max_size=4),
    shape=st.sampled_from(["features", "properties"]),
    coordinates=VALUES,
)
def test_any_features_get_a_proposal_that_reads_them_or_a_sentence(
    proposed: Propose, records: list[dict[str, Any]], shape: str, coordinates: Any
) -> None:
    features = [
        {"type": "Feature", "properties": record, "geometry": {"type": "Point", "coordinates": coordinates}}
        if shape == "features" or n % 2
        else record
        for n, record in enumerate(records)
    ]
    check(proposed, json.dumps({"type": "FeatureCollection", "features": features}), "sample.geojson")

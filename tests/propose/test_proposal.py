"""A file that nobody has configured becomes a source that reads it, which a tenant's file can hold as it stands."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from civitas_assets.errors import ReadError
from tests.propose.conftest import Propose


def test_a_german_long_table_of_measurements(proposed: Propose) -> None:
    found, source = proposed(
        "Station;Messzeit;Komponente;Wert;Einheit\n"
        "Nord;01.08.2026 24:00;PM10;12,5;µg/m³\nNord;02.08.2026 01:00;PM10;-;µg/m³\n"
        "Süd;02.08.2026 01:00;NO2;1.013,2;µg/m³\n"
    )  # fmt: skip
    assert (found.record_type, found.accepted, found.probe.rejected.height) == ("observation", 2, 0)
    assert source.delimiter == ";"
    assert (source.decimal, source.nulls) == (",", ("-",))
    assert source.fields["datastream_id"] == ("Station", "Komponente")
    assert (source.time.format, source.time.zone, source.time.hour24) == (
        "%d.%m.%Y %H:%M",
        "local_wall",
        True,
    )
    assert "# unsure: written without an offset" in found.yaml
    assert found.probe.records["observation"]["value"].to_list() == [12.5, 1013.2]


def test_the_publishers_own_id_goes_before_that_of_a_store(proposed: Propose) -> None:
    body = [
        {"_id": n, "id": f"P{n}", "name": f"Parkhaus {n}", "frei": 3 * n, "capacity": 9 * n} for n in (1, 2)
    ]
    _, source = proposed(json.dumps(body), "parken.json")
    assert source.fields["site_id"] == ("id",)
    without = [{name: value for name, value in row.items() if name != "id"} for row in body]
    _, source = proposed(json.dumps(without), "parken.json")
    assert source.fields["site_id"] == ("_id",)


def test_a_wide_table_with_units_in_its_header(proposed: Propose) -> None:
    found, source = proposed(
        "Zeit;Temperatur [°C];Luftfeuchte [%];Bemerkung\n"
        "01.08.2026 10:00;21,5;60;\n01.08.2026 11:00;-999;58;\n01.08.2026 12:00;22,0;57;Sonne\n"
    )
    assert source.unpivot is not None
    assert source.nulls == ("-999",)
    series = found.probe.records["datastream"].sort("datastream_id")
    assert series.select("datastream_id", "observed_property", "unit").rows() == [
        ("Luftfeuchte", "Luftfeuchte", "%"),
        ("Temperatur", "Temperatur", "°C"),
    ]
    assert found.accepted == 5
    assert found.unused == ("Bemerkung",)


def test_columns_that_are_named_by_a_number_and_a_name(proposed: Propose) -> None:
    found, source = proposed(
        "Datetime,101 (Nord FR Süd),102 (Süd)\n2026-08-01 10:00,5,6\n2026-08-01 10:15,7,8\n"
    )
    assert source.unpivot.columns == r"(?P<datastream_id>\d+) \((?P<datastream_name>.+)\)"
    assert found.accepted == 4


def test_columns_of_values_that_are_called_after_stations_are_no_stations(proposed: Propose) -> None:
    found, source = proposed(
        "Zeit;Station Nord;Station Süd\n01.08.2026 10:00;1,5;2\n01.08.2026 11:00;1,6;3\n"
    )
    assert source.unpivot.columns == "(?P<datastream_id>(?P<observed_property>Station Nord|Station Süd))"
    assert found.accepted == 4


def spreadsheet(fill: Callable[[Any, Any], None]) -> bytes:
    """A spreadsheet with one sheet, that a function fills."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        fill(book, book.add_worksheet())
    return file.getvalue()


def test_days_and_times_of_day_of_a_spreadsheet_are_one_time(proposed: Propose) -> None:
    def fill(book: Any, sheet: Any) -> None:
        day, clock = (book.add_format({"num_format": form}) for form in ("dd.mm.yyyy", "hh:mm"))
        sheet.write_row(0, 0, ["Zählstelle", "Datum", "Uhrzeit", "Anzahl"])
        for row in range(1, 5):
            sheet.write_row(row, 0, ["Z1"])
            sheet.write(row, 1, 46235, day)
            sheet.write(row, 2, row / 24, clock)
            sheet.write(row, 3, 10 + row)

    found, source = proposed(spreadsheet(fill), "zaehlung.xlsx")
    assert source.time.columns == ("Datum", "Uhrzeit")
    starts = found.probe.records["observation"]["phenomenon_start"]
    assert [start.hour for start in starts] == [23, 0, 1, 2]


def test_a_header_of_merged_cells_is_named_as_a_source_names_it(proposed: Propose) -> None:
    def fill(_: Any, sheet: Any) -> None:
        for column, name in ((1, "Nr"), (2, "Name")):
            sheet.merge_range(2, column, 3, column, name)
        sheet.merge_range(2, 3, 2, 4, "Stellplätze")
        sheet.write_row(3, 3, ["gesamt", "frei"])
        for row in range(4, 8):
            sheet.write_row(row, 1, [f"P{row}", f"Parkhaus {row}", 100 + row, row])

    found, source = proposed(spreadsheet(fill), "parken.xlsx")
    assert (source.record_type, found.accepted) == ("parking_status", 4)
    assert source.header == ("Nr", "Name", "Stellplätze gesamt")
    assert (source.fields["free"], source.fields["capacity"]) == (
        ("Stellplätze frei",),
        ("Stellplätze gesamt",),
    )


@pytest.mark.parametrize(
    ("crs", "x", "y"),
    [
        ("EPSG:4326", 7.628, 51.962),
        ("EPSG:25832", 405736.0, 5757706.0),
        ("EPSG:31467", 3405770.0, 5759570.0),
        ("EPSG:3857", 849145.0, 6790175.0),
    ],
)
def test_the_reference_system_is_the_one_that_leads_into_the_town(
    proposed: Propose, crs: str, x: float, y: float
) -> None:
    rows = "".join(f"{n};Spielplatz {n};{x + n / 1e4:.4f};{y + n / 1e4:.4f}\n" for n in range(5))
    found, source = proposed(f"Nr;Name;Rechtswert;Hochwert\n{rows}", "spielplaetze.csv")
    assert (found.record_type, found.accepted, source.crs) == ("place", 5, crs)
    assert found.probe.records["place"]["lon"][0] == pytest.approx(7.628, abs=0.002)


def test_swapped_coordinates_are_put_right(proposed: Propose) -> None:
    found, source = proposed("id;name;lon;lat\n1;a;51.96;7.62\n2;b;51.97;7.63\n")
    assert (source.fields["lon"], source.fields["lat"]) == (("lat",), ("lon",))
    assert found.accepted == 2


def test_well_known_text_is_a_geometry(proposed: Propose) -> None:
    found, source = proposed(
        "id,Parkplatz,Kapazität,GEOM\n1,Nord,10,POINT (7.62 51.96)\n2,Süd,20,POINT (7.63 51.97)\n"
    )
    assert (found.record_type, found.accepted) == ("parking_site", 2)
    assert source.fields["geometry"] == ("GEOM",)


@pytest.mark.parametrize(
    ("written", "zone", "form"),
    [
        ("2026-08-01T10:00:00+02:00", "offset", "iso"),
        ("2026-08-01T08:00:00Z", "offset", "iso"),
        ("2026-08-01T10:00:00", "local_wall", "iso"),
        ("2026-08-01 10:00:00", "local_wall", "%Y-%m-%d %H:%M:%S"),
        ("01.08.2026 10:00", "local_wall", "%d.%m.%Y %H:%M"),
        ("1785571200", "utc", "epoch_s"),
        ("1785571200000", "utc", "epoch_ms"),
    ],
)
def test_times_are_read_as_they_are_written(proposed: Propose, written: str, zone: str, form: str) -> None:
    found, source = proposed(f"Parkhaus,frei,gesamt,Stand\nNord,3,10,{written}\nSüd,4,20,{written}\n")
    assert (source.time.zone, source.time.format) == (zone, form)
    hours = found.probe.records["parking_status"]["observed_at"].dt.hour().to_list()
    assert hours == [8, 8]


def test_json_with_records_somewhere_and_codes(proposed: Propose) -> None:
    body = {"stand": "x", "data": {"sites": [
        {"id": f"P{n}", "title": f"Parkhaus {n}", "free spaces": n, "total": 10, "geo": {"lat": 51.96, "lon": 7.62},
         "state": state, "updated": "2026-08-01T10:00:00Z"} for n, state in enumerate(["geöffnet", "zu", "Umbau"])
    ]}}  # fmt: skip
    found, source = proposed(json.dumps(body), "parking.json")
    assert (found.record_type, found.accepted) == ("parking_status", 3)
    assert source.records == "data.sites"
    assert source.fields["free"] == ('"free spaces"',)
    assert source.fields["lon"] == ("geo.lon",)
    assert source.codes["opening_status"] == {"Umbau": "unknown", "geöffnet": "open", "zu": "closed"}
    assert "# unsure: what do these mean: Umbau?" in found.yaml


def test_a_row_with_a_fault_does_not_make_another_record_type_of_it(proposed: Propose) -> None:
    rows = [
        {"id": f"P{n}", "free": free, "total": 10, "at": "2026-08-01T10:00:00Z"}
        for n, free in enumerate((3, -3))
    ]
    found, _ = proposed(json.dumps(rows), "parking.json")
    assert (found.record_type, found.accepted) == ("parking_status", 1)
    assert found.probe.rejected["rule"].to_list() == ["out_of_range"]


def test_geojson_brings_its_own_positions_and_ids(proposed: Propose) -> None:
    features = [
        {"type": "Feature", "id": f"g.{n}", "properties": {"bezeichnung": f"Baum {n}", "art": "Linde"},
         "geometry": {"type": "Point", "coordinates": [405736.0 + n, 5757706.0]}} for n in range(3)
    ]  # fmt: skip
    found, source = proposed(
        json.dumps({"type": "FeatureCollection", "features": features}), "baeume.geojson"
    )
    assert (found.record_type, source.feature_id, source.crs) == ("place", "place_id", "EPSG:25832")
    assert found.accepted == 3


def test_statistics_have_periods(proposed: Propose) -> None:
    found, source = proposed(
        "Raum;Merkmal;Jahr;Wert\nMitte;Einwohner;2024;1.234\nMitte;Einwohner;2025;1.300,5\n"
    )
    assert (found.record_type, source.time.format, found.accepted) == ("statistic", "period", 2)


def test_rows_without_an_id_are_told_apart_by_what_they_have(proposed: Propose) -> None:
    found, source = proposed(
        "Containertyp,Straße,Latitude,Longitude\nGlas,Nordweg,51.96,7.62\nGlas,Nordweg,51.96,7.62\nGlas,Südweg,51.97,7.63\n"
    )
    assert "@nth" in source.fields["place_id"]
    assert found.accepted == 3


def test_a_preamble_and_windows_umlauts(proposed: Propose) -> None:
    text = "Datenstand: 01.08.2026\nQuelle: Stadt\n\n"
    text += "Nr;Bezeichnung;Längengrad;Breitengrad\n1;Grün;7,62;51,96\n2;Süd;7,63;51,97\n"
    found, source = proposed(text.encode("cp1252"), "brunnen.csv")
    assert source.header == ("Nr", "Bezeichnung", "Längengrad")
    assert found.probe.records["place"].sort("place_id")["name"].to_list() == ["Grün", "Süd"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<html>", "is a web page"),
        ('{"a": 1}', "is not recognised"),
        ('{"a": []}', "holds no list of records"),
        ('{"a": [1, 2', "begins as JSON"),
        ("nur Text\nin Zeilen\n", "is no table"),
        ("a;b\n1;2\n3;4\n", "is not recognised: map them by hand"),
    ],
)
def test_what_cannot_be_proposed_is_said(proposed: Propose, body: str, message: str) -> None:
    with pytest.raises(ReadError, match=message):
        proposed(body)


RECORDED = {
    "parking/aalen.json": ("parking_status", 6),
    "parking/bietigheim-bissingen.csv": ("parking_status", 14),
    "parking/freiburg.json": ("parking_status", 19),
    "parking/freiburg_p_r_static.json": ("parking_site", 15),
    "parking/karlsruhe.json": ("parking_status", 39),
    "parking/konstanz.json": ("parking_site", 11),
    "parking/mannheim.json": ("parking_status", 1),
    "parking/jena.geojson": ("parking_site", 103),
    "parking/reutlingen.csv": ("parking_site", 114),
    "csv_muenster/awm-glascontainer.csv": ("place", 249),
    "csv_muenster/klimadata.csv": ("statistic", 1470),
    "csv_muenster/ladesaeulen-muenster.csv": ("charge_point", 166),
    "csv_muenster/park_and_ride_stationen.csv": ("parking_site", 16),
    "muenster_counters/2026-08-12T1729/100031297/2026-07.csv": ("observation", 7000),
    "socrata/bike_counts_page_1.json": ("observation", 1000),
    "charging/bnetza_lsr_2026_header_and_two_rows.csv": ("charge_point", 2),
}


@pytest.mark.parametrize("file", RECORDED)
def test_what_cities_publish_is_recognised(proposed: Propose, payloads: Path, file: str) -> None:
    """Without the town: positions have to lie in Germany, and times are those of its wall clock."""
    found, _ = proposed((payloads / file).read_bytes(), file, near=False)
    record_type, rows = RECORDED[file]
    assert (found.record_type, found.accepted) == (record_type, rows)
    assert found.probe.rejected.height <= 0.1 * found.rows
    assert isinstance(found.probe.records[record_type], pl.DataFrame)


TREE_REGISTER = """\
gml_id;Baum-Nr.;Art_dtsch;Art_bot;Gattung;Pflanzjahr;Baumhöhe;Kronendurchmesser (m);Stammumfang;Objekttyp;x;y
b.1;1;Winter-Linde;Tilia cordata;Tilia;1965;10-15 m;6,5;1,20;Straße;405736,1;5757706,2
b.2;2;Stiel-Eiche;Quercus robur;Quercus;0;15-20 m;0;0,9;Friedhof;405746,1;5757716,2
b.3;1;Berg-Ahorn;Acer pseudoplatanus;Acer;9999;> 20 m;12,0;2,75;Wald am Hang;405756,1;5757726,2
"""


def test_a_register_of_trees_is_told_by_what_it_measures(proposed: Propose) -> None:
    """Its number is there twice, its height is a class, its trunks are in metres, and nobody knows two of the years."""
    found, source = proposed(TREE_REGISTER, "baumkataster.csv")
    assert (found.record_type, found.accepted, found.probe.rejected.height) == ("tree", 3, 1)
    assert source.fields["tree_id"] == ("gml_id",)
    assert (source.units, source.crs) == ({"trunk_circumference_cm": "m"}, "EPSG:25832")
    assert "is at most 2.75, so in metres?" in found.yaml
    assert "what do these mean: Wald am Hang?" in found.yaml
    rows = found.probe.records["tree"].select(
        "tree_number", "species", "planted_year", "height_m", "height_class", "crown_diameter_m",
        "trunk_circumference_cm", "location_type", "location_type_native",
    ).rows()  # fmt: skip
    assert rows == [
        ("1", "Tilia cordata", 1965, None, "10-15 m", 6.5, 120.0, "street", "Straße"),
        ("2", "Quercus robur", None, None, "15-20 m", None, 90.0, "cemetery", "Friedhof"),
        ("1", "Acer pseudoplatanus", None, None, "> 20 m", 12.0, 275.0, None, "Wald am Hang"),
    ]


def test_a_number_of_a_class_is_no_height_where_its_text_stands_beside_it(proposed: Propose) -> None:
    """And of Art, which is one word of two beside Gattung, nobody can tell what it is."""
    found, source = proposed(
        "BAUM_ID,Gattung,Art,DeutscherN,BAUMHOEHE,BAUMHOEHE_TXT,STAMMUMFANG,STAMMUMFANG_TXT,BAUMNUMMER,lon,lat\n"
        "901,Tilia,cordata,Winter-Linde,3,11-15 m,101,101 cm,1,7.62,51.96\n"
        "902,Quercus,robur,Stiel-Eiche,2,6-10 m,80,80 cm,2,7.63,51.97\n"
        "903,Acer,campestre,Feld-Ahorn,0,nicht bekannt,70,70 cm,3,7.64,51.96\n",
        "BAUMKATOGD.csv",
    )
    assert found.record_type == "tree"
    assert source.fields == {
        "tree_id": ("BAUM_ID",), "tree_number": ("BAUMNUMMER",), "species_common": ("DeutscherN",),
        "genus": ("Gattung",), "height_class": ("BAUMHOEHE_TXT",), "trunk_circumference_cm": ("STAMMUMFANG",),
        "lon": ("lon",), "lat": ("lat",),
    }  # fmt: skip


@pytest.mark.parametrize(
    "table",
    [
        "id;name;art;lat;lon\n1;Baumarkt Nord;Laden;51.96,7.62\n2;Baumarkt Süd;Laden;51.97;7.63\n",
        "Nr;Name;Baumart;lat;lon\n1;Linde;Laubbaum;51.96;7.62\n2;Eiche;Laubbaum;51.97;7.63\n",
    ],
)
def test_what_has_no_measures_of_trees_is_a_place(proposed: Propose, table: str) -> None:
    assert proposed(table, "baeume.csv")[0].record_type == "place"

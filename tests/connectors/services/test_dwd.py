"""The weather service's ten-minute files: which are asked for, and what recorded and synthetic ones become."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from pydantic import ValidationError

from civitas_assets.catalog import Window
from civitas_assets.connectors.base import Request
from civitas_assets.connectors.services.dwd import DwdConnector, DwdSource
from civitas_assets.connectors.services.dwd_archive import read_measured_tables
from civitas_assets.connectors.services.dwd_products import RESOLUTIONS
from civitas_assets.errors import FetchError, ReadError
from tests.connectors.conftest import MakeSession, ReadBody, ReadRecords, zipped

TODAY = date(2026, 8, 1)
BERLIN = ZoneInfo("Europe/Berlin")
BOX = (7.4, 51.8, 7.8, 52.2)
# Fixed width, as the service writes it; the second list has the column that came in 2024.
LIST = (
    "Stations_id von_datum bis_datum Stationshoehe geoBreite geoLaenge Stationsname Bundesland\r\n"
    "----------- --------- --------- ------------- --------- --------- -------------------- ----------\r\n"
    "00999 19930428 20091230            202     52.1000    7.5000 Stillgelegt                              Nord\r\n"
    "01766 19891001                      48     52.1344    7.6969 Münster/Osnabrück                        Nord\r\n"
    "01767                               -1     52.0000    7.6000 Überall, mit einem sehr langen Namen hier Nord\r\n"
    "05000 20000101 20260731            100     48.1479    9.4596 Fern im Süden                            Süd Frei\r\n"
    "\r\n"
).encode("latin-1")
INDEX = (
    b'<a href="../">../</a>\n<a href="zehn_min_sd_Beschreibung_Stationen.txt">x</a>\n'
    b'<a href="10minutenwerte_SOLAR_00999_19930428_19991231_hist.zip">a</a>\n'
    b'<a href="10minutenwerte_SOLAR_00999_20000101_20091230_hist.zip">b</a>\n'
    b'<a href="10minutenwerte_SOLAR_01766_20000101_20091231_hist.zip">c</a>\n'
    b'<a href="10minutenwerte_SOLAR_05000_20000101_20091231_hist.zip">d</a>\n'
)


def archive(text: str, name: str = "produkt_zehn_min_tu_01766.txt") -> bytes:
    """A product's archive with one table."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("Metadaten_Geographie_01766.txt", "Stations_id;Stationshoehe\n")
        pack.writestr(name, text)
    return file.getvalue()


def weather(box: Any = BOX, **settings: Any) -> DwdSource:
    """A source as a tenant writes it."""
    return DwdSource.model_validate({"connector": "dwd", **settings}).with_place("weather", box)


@pytest.fixture
def asked(session: MakeSession) -> Callable[..., list[str]]:
    """What is asked for a span of days that ends so many days ago, without the root of the service."""

    def paths(source: DwdSource, first: int, last: int = 0, missing: tuple[str, ...] = ()) -> list[str]:
        def answer(request: Request) -> bytes | None:
            if request.url.endswith(missing):
                return None
            return {"stations": LIST, "index": INDEX, "values": b"x"}[request.role]

        fake = session(answer)
        days = Window(TODAY - timedelta(days=first), TODAY - timedelta(days=last))
        connector = DwdConnector(clock=lambda: datetime(2026, 8, 1, 3, tzinfo=UTC))
        connector.fetch(source, days, BERLIN, fake)
        return [request.url.removeprefix(f"{source.url}/") for request in fake.requests]

    return paths


class TestFetching:
    def test_a_night_takes_the_small_files_of_the_stations_in_the_box_that_still_measure(
        self, asked: Callable[..., list[str]]
    ) -> None:
        assert asked(weather(products=("air_temperature", "wind")), 1) == [
            "air_temperature/now/zehn_now_tu_Beschreibung_Stationen.txt",
            "wind/now/zehn_now_ff_Beschreibung_Stationen.txt",
            "air_temperature/now/10minutenwerte_TU_01766_now.zip",
            "air_temperature/now/10minutenwerte_TU_01767_now.zip",
            "wind/now/10minutenwerte_wind_01766_now.zip",
            "wind/now/10minutenwerte_wind_01767_now.zip",
        ]

    def test_by_default_all_products_are_fetched_and_a_night_looks_back_no_further_than_yesterday(
        self, asked: Callable[..., list[str]]
    ) -> None:
        source = weather(stations=("01766",))
        files = [path.rpartition("/")[2] for path in asked(source, source.look_back.days)]
        assert files[5:] == [
            f"10minutenwerte_{kind}_01766_now.zip"
            for kind in ("TU", "nieder", "SOLAR", "wind", "extrema_wind")
        ]
        assert [name[9:11] for name in files[:5]] == ["tu", "rr", "sd", "ff", "fx"]

    @pytest.mark.parametrize(
        ("first", "last", "folders"),
        [
            (0, 0, {"now"}),
            (2, 0, {"now", "recent"}),
            (500, 2, {"recent"}),
            (501, 400, {"recent", "historical"}),
            (9000, 8000, {"historical"}),
        ],
    )
    def test_the_days_choose_the_folders(
        self, asked: Callable[..., list[str]], first: int, last: int, folders: set[str]
    ) -> None:
        source = weather(products=("solar",), stations=("01766", "999"))
        assert {path.split("/")[1] for path in asked(source, first, last)} >= folders - {"historical"}
        lists = [path for path in asked(source, first, last) if "Beschreibung" in path]
        assert {path.split("/")[1] for path in lists} == folders

    def test_past_years_are_found_on_the_page_of_their_folder_also_of_stations_that_ended(
        self, asked: Callable[..., list[str]]
    ) -> None:
        days = (TODAY - date(2005, 3, 1)).days
        assert asked(weather(products=("solar",)), days, days - 30) == [
            "solar/historical/zehn_min_sd_Beschreibung_Stationen.txt",
            "solar/historical/",
            "solar/historical/10minutenwerte_SOLAR_00999_20000101_20091230_hist.zip",
            "solar/historical/10minutenwerte_SOLAR_01766_20000101_20091231_hist.zip",
        ]

    def test_a_station_may_be_named_without_its_zeros_and_lie_anywhere(
        self, asked: Callable[..., list[str]]
    ) -> None:
        for name in ("05000", "5000"):
            paths = asked(weather(products=("wind",), stations=(name,)), 1)
            assert paths[1:] == ["wind/now/10minutenwerte_wind_05000_now.zip"]

    def test_a_station_without_a_file_is_left_out_but_a_missing_list_is_an_error(
        self, asked: Callable[..., list[str]]
    ) -> None:
        source = weather(products=("wind", "solar"))
        assert len(asked(source, 1, missing=("wind_01767_now.zip",))) == 6
        with pytest.raises(FetchError, match=r"wind/now/zehn_now_ff_\S+ was not found"):
            asked(source, 1, missing=("zehn_now_ff_Beschreibung_Stationen.txt",))

    def test_nothing_at_all_is_an_error_that_says_what_to_do(self, asked: Callable[..., list[str]]) -> None:
        with pytest.raises(FetchError, match="lies in the bbox: name stations near by"):
            asked(weather((1.0, 1.0, 2.0, 2.0)), 1)
        with pytest.raises(FetchError, match="is among 4711"):
            asked(weather(stations=("4711",)), 1)
        with pytest.raises(FetchError, match="the service has no station 4711 at present"):
            asked(weather(stations=("4711", "01766")), 1)


class TestStations:
    def test_a_list_of_fixed_width_gives_names_and_places(self, records: ReadRecords) -> None:
        assert records(weather(), LIST, "stations", period="now")["station"] == [
            {
                "station_id": "01766",
                "name": "Münster/Osnabrück",
                "lon": 7.6969,
                "lat": 52.1344,
                "elevation_m": 48.0,
            },
            {
                "station_id": "01767",
                "name": "Überall, mit einem sehr langen Namen hier",
                "lon": 7.6,
                "lat": 52.0,
                "elevation_m": -1.0,
            },
        ]

    def test_of_past_years_also_those_are_read_that_ended(self, records: ReadRecords) -> None:
        found = records(weather(), LIST, "stations", period="historical")["station"]
        assert [station["station_id"] for station in found] == ["00999", "01766", "01767"]

    def test_a_row_that_is_no_station_is_told_from_the_others(self, read: ReadBody) -> None:
        body = LIST + b"01768 19891001 20260731 zwei Meter\n01769 19891001 20261399 1 52.0 7.6 Monat 13\n"
        (found,) = read(weather(), body, "stations", period="now")
        assert found.frame.height == 2
        assert [(row.row, row.rule) for row in found.broken] == [(7, "not_a_station"), (8, "not_a_station")]


class TestValues:
    def test_a_recorded_archive_brings_what_the_station_measures(
        self, records: ReadRecords, payloads: Path
    ) -> None:
        body = (payloads / "dwd" / "10minutenwerte_SOLAR_01766_akt.zip").read_bytes()
        found = records(weather(), body, "values")
        assert [(s["datastream_id"], s["name"], s["unit"]) for s in found["datastream"]] == [
            ("01766/GS_10", "Globalstrahlung", "J/cm2/(10.min)"),
            ("01766/DS_10", "Diffuse Himmelsstrahlung", "J/cm2/(10.min)"),
            ("01766/SD_10", "Sonnenscheindauer", "h"),
        ], "the longwave radiation is -999 in all of its rows"
        assert {(s["station_id"], s["interval_s"]) for s in found["datastream"]} == {("01766", 600)}
        rows = found["observation"]
        assert len(rows) == 3 * 288
        noon = datetime(2023, 6, 9, 11, 50, tzinfo=UTC)
        (row,) = [r for r in rows if r["phenomenon_start"] == noon and r["datastream_id"] == "01766/GS_10"]
        assert row == {
            "datastream_id": "01766/GS_10",
            "phenomenon_start": noon,
            "phenomenon_end": datetime(2023, 6, 9, 12, 0, tzinfo=UTC),
            "value": 50.0,
            "quality_native": "2",
        }
        assert min(r["phenomenon_start"] for r in rows) == datetime(2023, 6, 8, 23, 50, tzinfo=UTC)

    def test_times_mark_ends_for_the_recorded_sun_stands_highest_at_noon(
        self, records: ReadRecords, payloads: Path
    ) -> None:
        body = (payloads / "dwd" / "10minutenwerte_SOLAR_01766_akt.zip").read_bytes()
        sun = [
            (row["phenomenon_start"] + timedelta(minutes=5), row["value"])
            for row in records(weather(), body, "values")["observation"]
            if row["datastream_id"] == "01766/GS_10"
        ]
        middle = sum((at.hour * 60 + at.minute) * value for at, value in sun) / sum(value for _, value in sun)
        # True noon of 7.7° east on these days in June is at 11:28; with starts it would come out at 11:39.
        assert abs(middle - (11 * 60 + 28)) < 2

    def test_padding_is_no_part_of_names_and_values_and_a_single_gap_stays_a_null(
        self, records: ReadRecords
    ) -> None:
        body = archive(
            "STATIONS_ID;MESS_DATUM;  QN;PP_10;TT_10;TM5_10;RF_10;TD_10;eor\r\n"
            "        379;202301120000;    2;   -999;   5.1;   2.5;  82.6;   2.4;eor\r\n"
            "        379;202301120010;    3;   -999;  -999;   2.5;  82.6;   2.4;eor\r\n"
        )
        found = records(weather(), body, "values")
        series = {s["observed_property"]: s["unit"] for s in found["datastream"]}
        assert series == {"TT_10": "Cel", "TM5_10": "Cel", "TD_10": "Cel", "RF_10": "%"}
        assert [
            (r["phenomenon_end"], r.get("value"), r["quality_native"])
            for r in found["observation"]
            if r["datastream_id"] == "00379/TT_10"
        ] == [
            (datetime(2023, 1, 12, 0, 0, tzinfo=UTC), 5.1, "2"),
            (datetime(2023, 1, 12, 0, 10, tzinfo=UTC), None, "3"),
        ]

    def test_until_the_end_of_1999_times_are_cet(self, records: ReadRecords) -> None:
        body = archive(
            "STATIONS_ID;MESS_DATUM;  QN;FF_10;DD_10;eor\n3;199912312350;1;2.5;10;eor\n3;200001010000;1;2.5;10;eor\n"
        )
        rows = records(weather(), body, "values")["observation"]
        assert [r["phenomenon_end"] for r in rows if r["datastream_id"] == "00003/DD_10"] == [
            datetime(1999, 12, 31, 22, 50, tzinfo=UTC),
            datetime(2000, 1, 1, 0, 0, tzinfo=UTC),
        ]

    def test_a_variable_wind_has_a_speed_and_no_direction_and_a_calm_has_its_zero(
        self, records: ReadRecords
    ) -> None:
        body = archive(
            "STATIONS_ID;MESS_DATUM;  QN;FF_10;DD_10;eor\n3;202608010000;1;0.3; 990;eor\n"
            "3;202608010010;1;0.2;990.0;eor\n"
            "3;202608010020;1;0.0;   0;eor\n3;202608010030;1;3.0; 240;eor\n"
            "3;202608010040;1;-999;-999;eor\n"
        )
        rows = records(weather(), body, "values")["observation"]
        directions = [
            (r.get("value"), r.get("value_flag")) for r in rows if r["datastream_id"] == "00003/DD_10"
        ]
        assert directions == [(None, "sentinel")] * 2 + [(0.0, None), (240.0, None), (None, "sentinel")]
        speeds = [(r.get("value"), r.get("value_flag")) for r in rows if r["datastream_id"] == "00003/FF_10"]
        assert speeds == [(0.3, None), (0.2, None), (0.0, None), (3.0, None), (None, "sentinel")]

    def test_rows_of_another_width_are_told_from_the_others_and_new_columns_are_named(
        self, read: ReadBody
    ) -> None:
        body = archive(
            "STATIONS_ID;MESS_DATUM;QN;RWS_10;RWS_IND_10;NEU_10;RWS_DAU_10;eor\n"
            "1766;202608010000;1;0.4;1;7;-999;eor\n1766;202608010010;1\n\n1766;202608010020;1;0.1;1;7;-999;eor;x\n"
        )
        series, values = read(weather(), body, "values")
        assert series.frame["datastream_id"].to_list() == ["01766/RWS_10"]
        assert values.frame.to_dicts() == [
            {
                "@row": 1,
                "datastream_id": "01766/RWS_10",
                "@time": "202608010000",
                "value": "0.4",
                "quality_native": "1",
            }
        ]
        assert values.unknown_fields == ("NEU_10",)
        assert [(row.row, row.rule, row.detail) for row in values.broken] == [
            (2, "wrong_number_of_cells", "3 cells, 8 columns"),
            (4, "wrong_number_of_cells", "9 cells, 8 columns"),
        ]

    def test_a_quantity_that_is_called_otherwise_is_told_and_the_others_are_there(
        self, read: ReadBody
    ) -> None:
        body = archive("STATIONS_ID;MESS_DATUM;QN;FF_10;D_10;eor\n1766;202608010000;1;2.5;240;eor\n")
        tables = read_measured_tables(body, RESOLUTIONS["10_minutes"], (), 10_000_000)
        assert [next(tables).frame["datastream_id"].to_list() for _ in range(2)] == [["01766/FF_10"]] * 2
        with pytest.raises(ReadError, match=r"lacks the column\(s\) DD_10; it has .*FF_10, D_10"):
            next(tables)

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (archive("a;b\n1;2\n"), "lacks the column.s. STATIONS_ID, MESS_DATUM, QN"),
            (archive("QN;QN\n1;2\n"), "has a column twice"),
            (archive("x", name="anderes.txt"), "without a file produkt_"),
            (archive("x")[:-10], "no ZIP archive, or was cut short"),
        ],
    )
    def test_what_is_no_product_is_refused(self, read: ReadBody, body: bytes, message: str) -> None:
        with pytest.raises(ReadError, match=message):
            read(weather(), body, "values")

    def test_what_unpacks_to_more_than_the_source_allows_is_refused(self, read: ReadBody) -> None:
        body = archive("STATIONS_ID;MESS_DATUM;QN;TT_10;eor\n" + "1766;202608010000;1;5.0;eor\n" * 10_000)
        with pytest.raises(ReadError, match=r"raise http\.max_bytes"):
            read(weather(http={"max_bytes": 100_000}), body, "values")


PARAMETERS = (
    "Stations_ID;Von_Datum;Bis_Datum;Stationsname;Parameter;Parameterbeschreibung;Einheit;"
    "Datenquelle (Strukturversion=SV);Zusatz-Info;Besonderheiten;Literaturhinweis;eor;\r\n"
    "1766;19600101;19911101;Münster;TT_TU;Lufttemperatur;°C;Archiv;Stundenwerte in MEZ;;;eor;\r\n"
    "1766;19911101;        ;Münster;TT_TU;Lufttemperatur;°C;SYNOP;Stundenwerte in UTC;;;eor;\r\n"
    "Legende: FT  = Folgetag; GZ = Gesetzliche Zeit\r\n"
).encode("latin-1")


def hourly(text: str, kind: str = "tu", described: bytes = PARAMETERS) -> bytes:
    """An archive of hours, with the description of its parameters."""
    files = {f"Metadaten_Parameter_{kind}_stunde_01766.txt": described}
    return zipped({**files, f"produkt_{kind}_stunde_01766.txt": text.encode("latin-1")})


class TestHours:
    def test_the_recent_file_of_each_product_is_asked_for_also_for_today(
        self, asked: Callable[..., list[str]]
    ) -> None:
        source = weather(resolution="hourly", products=("air_temperature", "sun"), stations=("01766",))
        assert asked(source, 1) == [
            "air_temperature/recent/TU_Stundenwerte_Beschreibung_Stationen.txt",
            "sun/recent/SD_Stundenwerte_Beschreibung_Stationen.txt",
            "air_temperature/recent/stundenwerte_TU_01766_akt.zip",
            "sun/recent/stundenwerte_SD_01766_akt.zip",
        ]
        assert source.url.endswith("/climate/hourly")

    def test_products_of_another_resolution_are_refused_with_those_that_there_are(self) -> None:
        with pytest.raises(
            ValidationError, match="hourly has no products solar, but air_temperature, dew_point"
        ):
            weather(resolution="hourly", products=("solar",))

    def test_hours_end_at_their_time_and_levels_of_quality_have_names_of_their_own(
        self, records: ReadRecords
    ) -> None:
        body = hourly(
            "STATIONS_ID;MESS_DATUM;QN_9;TT_TU;RF_TU;eor\r\n       1766;2026080112;   10;  21.4;-999.0;eor\r\n"
        )
        found = records(weather(resolution="hourly"), body, "values")
        assert found["datastream"] == [
            {
                "datastream_id": "01766/TT_TU",
                "station_id": "01766",
                "name": "Lufttemperatur in 2 m Höhe",
                "observed_property": "weather.temperature",
                "unit": "Cel",
                "interval_s": 3600,
            }
        ], "the humidity is -999 in all rows"
        assert found["observation"] == [
            {
                "datastream_id": "01766/TT_TU",
                "phenomenon_start": datetime(2026, 8, 1, 11, tzinfo=UTC),
                "phenomenon_end": datetime(2026, 8, 1, 12, tzinfo=UTC),
                "value": 21.4,
                "quality_native": "10",
            }
        ]

    def test_the_clock_is_the_one_that_the_archive_describes_for_the_day(self, read: ReadBody) -> None:
        rows = "".join(
            f"1766;{hour};3;1.0;80;eor\n" for hour in ("1950070112", "1990070112", "1991110112", "2005070112")
        )
        _, values = read(
            weather(resolution="hourly"),
            hourly(f"STATIONS_ID;MESS_DATUM;QN_9;TT_TU;RF_TU;eor\n{rows}"),
            "values",
        )
        times = values.frame.filter(pl.col("datastream_id") == "01766/TT_TU")["@time"].to_list()
        assert times == ["195007011100", "199007011100", "200507011200"]
        assert [(row.row, row.rule) for row in values.broken] == [(3, "clock_unclear")], (
            "by which it ends and begins"
        )

    def test_the_time_by_law_is_no_offset_and_without_a_description_hours_are_utc(
        self, read: ReadBody
    ) -> None:
        text = "STATIONS_ID;MESS_DATUM;QN_9;TT_TU;RF_TU;eor\n1766;1950070112;3;1.0;80;eor\n"
        source = weather(resolution="hourly")
        by_law = PARAMETERS.replace(b"in MEZ", b"in GZ")
        assert read(source, hourly(text, described=by_law), "values")[1].frame.is_empty()
        plain = zipped({"produkt_tu_stunde_01766.txt": text.encode()})
        assert read(source, plain, "values")[1].frame["@time"].to_list()[0] == "195007011200"

    def test_a_sky_that_nobody_could_see_has_no_cover(self, records: ReadRecords) -> None:
        body = hourly(
            "STATIONS_ID;MESS_DATUM;QN_8;V_N_I;V_N;eor\n1766;2026080112;3;I;  -1;eor\n1766;2026080113;3;P;  8;eor\n"
        )
        rows = records(weather(resolution="hourly"), body, "values")["observation"]
        assert [(row.get("value"), row.get("value_flag")) for row in rows] == [
            (None, "sentinel"),
            (8.0, None),
        ]


class TestDays:
    def test_a_day_has_means_and_what_is_measured_in_the_morning_with_levels_of_their_own(
        self, records: ReadRecords
    ) -> None:
        body = archive(
            "STATIONS_ID;MESS_DATUM;QN_3;  FX;  FM;QN_4; RSK;RSKF; SDK;SHK_TAG;"
            "  NM; VPM;  PM; TMK; UPM; TXK; TNK; TGK;eor\n"
            "       1766;20260801;    3;12.1; 3.4;    9; 4.2;   6; 7.5;      0;"
            " 5.0;14.0;1009.1;19.5;70.0;25.0;13.0;11.0;eor\n",
            "produkt_klima_tag_20250101_20260801_01766.txt",
        )
        found = records(weather(resolution="daily"), body, "values")
        rows = {row["datastream_id"].partition("/")[2]: row for row in found["observation"]}
        midnight, morning = datetime(2026, 8, 1, tzinfo=UTC), datetime(2026, 8, 1, 6, tzinfo=UTC)
        assert {name: (row["value"], row["quality_native"]) for name, row in rows.items()} == {
            "TMK": (19.5, "9"), "TXK": (25.0, "9"), "TNK": (13.0, "9"), "UPM": (70.0, "9"), "PM": (1009.1, "9"),
            "FM": (3.4, "3"), "FX": (12.1, "3"), "NM": (5.0, "9"), "SDK": (7.5, "9"), "RSK": (4.2, "9"),
            "SHK_TAG": (0.0, "9"),
        }  # fmt: skip
        spans = {name: (row["phenomenon_start"], row["phenomenon_end"]) for name, row in rows.items()}
        assert spans["TMK"] == (midnight, midnight + timedelta(days=1))
        assert spans["RSK"] == (morning, morning + timedelta(days=1))
        assert spans["SHK_TAG"] == (morning, morning)
        assert {s["interval_s"] for s in found["datastream"]} == {86400}

    def test_files_of_days_are_named_by_their_kind(self, asked: Callable[..., list[str]]) -> None:
        source = weather(resolution="daily", products=("kl",), stations=("01766",))
        assert asked(source, 1) == [
            "kl/recent/KL_Tageswerte_Beschreibung_Stationen.txt",
            "kl/recent/tageswerte_KL_01766_akt.zip",
        ]

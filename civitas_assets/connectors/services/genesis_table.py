"""Flat files of GENESIS: figures with the variables that they are of, as the database calls them.

Both forms are read: with one value a row, and the older one with a column for each value.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import polars as pl

from civitas_assets.catalog import Source
from civitas_assets.connectors.content.archive import unzip_members
from civitas_assets.connectors.content.text_encoding import to_utf8
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow, RawTable
from civitas_assets.records.raw import INTERVAL, ROW

# What stands for a figure (Zeichenerklärung of the statistical offices); that nothing is there is said by a mark, too.
MARKS = {
    "-": "nichts vorhanden",
    ".": "unbekannt oder geheim",
    "...": "fällt später an",
    "/": "nicht sicher genug",
    "x": "gesperrt, oder nicht sinnvoll",
}
# Names of the older form by those of the newer one; `Merkmal` and `Auspraegung` are numbered.
_OLDER = {
    "Statistik_Code": "statistics_code",
    "Statistik_Label": "statistics_label",
    "Zeit_Code": "time_code",
    "Zeit_Label": "time_label",
    "Zeit": "time",
}
_OLDER_VARIABLE = re.compile(r"(\d+)_(Merkmal|Auspraegung)_(Code|Label)")
_PARTS = {"Merkmal": "variable", "Auspraegung": "variable_attribute"}
_VARIABLE = re.compile(r"(\d+)_variable_code")
_VALUE_COLUMN = re.compile(r"([A-Z0-9]+)__(.*?)(?:__(.*))?")
# Variables that are areas: Germany, Länder, Regierungsbezirke, districts, municipalities, and editions of them.
_AREAS = re.compile(r"DINSG|DG|DLAND|DLANDU|REGBEZ|KREIS\w*|F?GEMEIN\w*|GEO\w+|STADT\w*")
_MONTH, _QUARTER, _HALF = re.compile(r"MONAT(\d\d)"), re.compile(r"QUART(\d)"), re.compile(r"HALBJ\w*?(\d)")
_PERCENT = "%"
_FIELDS = (
    *(
        "category",
        "indicator_id",
        "indicator",
        "area_id",
        "value",
        "value_text",
        "unit",
        "publisher",
        INTERVAL,
    ),
)


class _Status(msgspec.Struct):
    Code: int | None = None
    Content: str | None = None
    Type: str | None = None


class _Refusal(msgspec.Struct):
    Code: int | None = None
    Content: str | None = None
    Status: _Status | str | None = None


@dataclass(frozen=True)
class _Variable:
    code: str
    label: str
    attribute: str
    attribute_label: str


def check_answer(body: bytes) -> None:
    """Nothing, unless the database has answered with an error, which it may do with status 200.

    Raises:
        ReadError: so it is.
    """
    if body.lstrip()[:1] != b"{":
        return
    try:
        said = msgspec.json.decode(body, type=_Refusal)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ReadError(f"is no table of GENESIS, but JSON: {error}") from None
    status = said.Status if isinstance(said.Status, _Status) else _Status(said.Code, said.Content)
    text = status.Content or (said.Status if isinstance(said.Status, str) else None) or "without a text"
    raise ReadError(
        f"the database answers with code {status.Code}, {text[:300]}: check tables and the account; a table that is "
        "too large is asked for by areas and start_year"
    )


def read_statistics(
    body: bytes, table: str, source: Source, areas: frozenset[str], area_variable: str | None = None
) -> RawTable:
    """The figures of a table, of these areas or of all; a mark instead of a number is kept as text with its meaning.

    `area_variable` is one that areas are of, besides those that all databases have.

    Raises:
        ReadError: it is no flat file of GENESIS.
    """
    check_answer(body)
    text = to_utf8(_unpack(body, source.http.max_bytes)).decode()
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";")
    try:
        lines = [*reader]
    except csv.Error as error:
        raise ReadError(f"is no flat file of GENESIS: {error}") from None
    header = [_to_newer(name.strip()) for name in lines[0]] if lines else []
    if "time" not in header or not ("value" in header or any(map(_VALUE_COLUMN.fullmatch, header))):
        raise ReadError(f"is no flat file of GENESIS; it begins with {', '.join(header)[:120]!r}")
    numbers = [match[1] for name in header if (match := _VARIABLE.fullmatch(name))]
    rows, broken = list[tuple[object, ...]](), list[BrokenRow]()
    for number, cells in enumerate(lines[1:], 1):
        if not any(cells):
            continue
        if len(cells) != len(header):
            detail = f"{len(cells)} cells, {len(header)} columns"
            broken.append(BrokenRow(number, "wrong_number_of_cells", detail, ";".join(cells)[:300]))
            continue
        row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
        variables = [_read_variable(row, each) for each in numbers]
        period = _find_period(row["time"], variables, source.zone)
        if period is None:
            detail = f"{row['time']} of {row.get('time_code')} is no year, month, quarter, half-year or day"
            broken.append(BrokenRow(number, "unknown_period", detail, ";".join(cells)[:300]))
            continue
        place = next(
            (each for each in variables if each.code == area_variable or _AREAS.fullmatch(each.code)), None
        )
        area = place.attribute if place is not None and place.attribute else "DG"
        if areas and area not in areas:
            continue
        category = table or row.get("statistics_code")
        others = [each for each in variables if each is not place and each.attribute and not _is_time(each)]
        for code, label, unit, value in _list_values(row):
            if not value:
                continue
            key = ";".join(
                [f"{code} %" if unit == _PERCENT else code, *(f"{o.code}={o.attribute}" for o in others)]
            )
            words = ", ".join([label, *(f"{o.label}: {o.attribute_label}" for o in others)])
            is_mark = value in MARKS
            shown = f"{value} ({MARKS[value]})" if is_mark else None
            rows.append(
                (
                    category,
                    key,
                    words,
                    area,
                    None if is_mark else value,
                    shown,
                    unit,
                    source.attribution,
                    period,
                    number,
                )
            )
    frame = pl.DataFrame(rows, schema={**dict.fromkeys(_FIELDS, pl.String), ROW: pl.Int64}, orient="row")
    return RawTable("statistic", frame, broken=tuple(broken))


def _unpack(body: bytes, most_bytes: int) -> bytes:
    if not body.startswith(b"PK"):
        return body
    members = [content for _, content in unzip_members(body, "*.csv", most_bytes)]
    if len(members) != 1:
        raise ReadError(f"is an archive with {len(members)} files *.csv, not with one")
    return members[0]


def _to_newer(name: str) -> str:
    name = name.removeprefix("\ufeff")
    match = _OLDER_VARIABLE.fullmatch(name)
    if match:
        return f"{match[1]}_{_PARTS[match[2]]}_{match[3].lower()}"
    return _OLDER.get(name, name)


def _read_variable(row: Mapping[str, str], number: str) -> _Variable:
    return _Variable(
        row.get(f"{number}_variable_code", ""),
        row.get(f"{number}_variable_label", ""),
        row.get(f"{number}_variable_attribute_code", ""),
        row.get(f"{number}_variable_attribute_label", ""),
    )


def _list_values(row: Mapping[str, str]) -> Iterator[tuple[str, str, str | None, str]]:
    """Code, label, unit and figure: one of a row, or one of each column of the older form."""
    if "value" in row:
        code = row.get("value_variable_code", "")
        yield code, row.get("value_variable_label", "") or code, row.get("value_unit") or None, row["value"]
        return
    for name, value in row.items():
        match = _VALUE_COLUMN.fullmatch(name)
        if match:
            yield match[1], match[2].replace("_", " "), match[3] or None, value


def _is_time(variable: _Variable) -> bool:
    return any(pattern.fullmatch(variable.attribute) for pattern in (_MONTH, _QUARTER, _HALF))


def _find_period(time: str, variables: list[_Variable], zone: ZoneInfo) -> str | None:
    """Beginning and end by the tenant's clock: of a day, or of a year or the part of it that a variable names."""
    for form in ("%Y-%m-%d", "%d.%m.%Y"):
        try:
            day = datetime.strptime(time, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
        return _format_period(day, day + timedelta(days=1), zone) if day.year < 9999 else None
    if not re.fullmatch(r"(19|20)\d\d", time):
        return None
    year, first, months = int(time), 1, 12
    for variable in variables:
        if match := _MONTH.fullmatch(variable.attribute):
            first, months = int(match[1]), 1
        elif match := _QUARTER.fullmatch(variable.attribute):
            first, months = 3 * int(match[1]) - 2, 3
        elif match := _HALF.fullmatch(variable.attribute):
            first, months = 6 * int(match[1]) - 5, 6
    if not 1 <= first <= 13 - months:
        return None
    end = first + months
    return _format_period(date(year, first, 1), date(year + (end > 12), (end - 1) % 12 + 1, 1), zone)


def _format_period(start: date, end: date, zone: ZoneInfo) -> str:
    return "/".join(datetime(day.year, day.month, day.day, tzinfo=zone).isoformat() for day in (start, end))

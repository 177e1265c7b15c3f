"""The table of the Bundesnetzagentur's register of charging: lines of notice, then installations of up to six points.

Where the file is found is in `bnetza_charging.py`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from civitas_assets.catalog import Box
from civitas_assets.connectors.content.text_encoding import to_utf8
from civitas_assets.connectors.mapping.columns import normalise_column_name
from civitas_assets.connectors.mapping.service_rows import build_raw_table, parse_number
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow, RawTable
from civitas_assets.records.position import widen_box

Row = dict[str, object]

_ID, _LON, _LAT = "Ladeeinrichtungs-ID", "Längengrad", "Breitengrad"
_NEEDED = (_ID, "Betreiber", _LON, _LAT)
_TEXTS = {
    "operator": "Betreiber",
    "current_type_native": "Art der Ladeeinrichtung",
    "points": "Anzahl Ladepunkte",
    "register_status_native": "Status",
    "street": "Straße",
    "house_number": "Hausnummer",
    "postcode": "Postleitzahl",
    "city": "Ort",
    "payment": "Bezahlsysteme",
}
_POWER, _COMMISSIONED = "Nennleistung Ladeeinrichtung [kW]", "Inbetriebnahmedatum"
_NAMES = ("Standortbezeichnung", "Anzeigename (Karte)")
_HOURS = ("Öffnungszeiten", "Öffnungszeiten: Wochentage", "Öffnungszeiten: Tageszeiten")
_POINT = re.compile(r"(?:Steckertypen|Nennleistung Stecker|EVSE-ID|Public Key)([1-9]\d?)")
# Of the place in words, and where to park.
_NO_MODEL = {"Adresszusatz", "Kreis/kreisfreie Stadt", "Bundesland", "Informationen zum Parkraum"}
_STATES = {"in betrieb": "in_operation", "in wartung": "in_maintenance"}
_NOTHING = {"keine angabe", "k.a.", "-"}
_COLUMNS = (
    *("charge_point_id", "installation_id", "evse_id", "name", "power_kw", "current_type", "plug_types"),
    *("commissioned_on", "register_status", "opening_hours", "lon", "lat", *_TEXTS),
)

_HEAD = 60  # rows within which the header has to come
_STRAY = re.compile(r"[^\d.,-]+")
_SEPARATORS = re.compile(r"[;\n]+")


@dataclass(frozen=True)
class _Cells:
    """One row by the names of its columns."""

    values: Mapping[str, str]

    def read(self, name: str) -> str | None:
        """The text of a cell; None where it is empty or says that nothing is said."""
        text = self.values.get(name, "").strip()
        return None if text.casefold() in _NOTHING else text or None

    def list_parts(self, name: str) -> list[str]:
        """The texts that a cell lists."""
        return [part.strip() for part in _SEPARATORS.split(self.read(name) or "") if part.strip()]


@dataclass(frozen=True)
class _Point:
    """One charging point of an installation, as its group of columns describes it."""

    number: str
    plugs: tuple[str, ...]
    power_kw: float | None
    evse_ids: tuple[str, ...]


def read_register(body: bytes, box: Box | None, *, by_point: bool) -> RawTable:
    """The installations near the box, or their points where the register describes each of them.

    A row without a readable position is quarantined, because nobody can say whose it is.

    Raises:
        ReadError: it is no such register, or one of its quotes is never closed.
    """
    header, lines = _find_header(_read_rows(to_utf8(body)))
    near = None if box is None else widen_box(box)
    rows, broken = list[Row](), list[BrokenRow]()
    for number, cells in enumerate(lines, 1):
        if not any(map(str.strip, cells)):
            continue
        if len(cells) != len(header):
            detail = f"{len(cells)} cells, {len(header)} columns"
            broken.append(BrokenRow(number, "wrong_number_of_cells", detail, ";".join(cells)))
            continue
        row = _Cells(dict(zip(header, cells, strict=True)))
        lon, lat = _read_number(row.read(_LON)), _read_number(row.read(_LAT))
        if not lon or not lat:
            detail = f"{_LON} {row.read(_LON)!r}, {_LAT} {row.read(_LAT)!r}"
            ids = [found["charge_point_id"] for found in _read_row(row, header, by_point=by_point)]
            about = tuple(str(key) for key in ids if key)
            broken.append(BrokenRow(number, "without_position", detail, ";".join(cells), about))
        elif near is None or _is_within(lon, lat, near) or _is_within(lat, lon, near):
            rows += ({**found, "lon": lon, "lat": lat} for found in _read_row(row, header, by_point=by_point))
    table = build_raw_table("charge_point", rows, _COLUMNS)
    return RawTable(table.record_type, table.frame, _list_unknown(header), tuple(broken))


def _read_rows(text: bytes) -> Iterator[list[str]]:
    # As a whole, the text would be in memory a second time, with four bytes for each letter.
    lines = io.TextIOWrapper(io.BytesIO(text), encoding="utf-8", newline="")
    reader = csv.reader(lines, delimiter=";", strict=True)
    try:
        yield from reader
    except csv.Error as error:
        raise ReadError(
            f"is no table that can be read to its end, at line {reader.line_num}: {error}"
        ) from None


def _find_header(rows: Iterator[list[str]]) -> tuple[list[str], Iterator[list[str]]]:
    """The names of the columns, which stand below a notice with the day of the edition, and the rows below."""
    seen = list[str]()
    for cells in (cells for _, cells in zip(range(_HEAD), rows, strict=False)):
        names = [normalise_column_name(cell) for cell in cells]
        if {"Betreiber", _LAT} <= {*names}:
            missing = [name for name in _NEEDED if name not in names]
            if missing:
                raise ReadError(
                    f"has no column {', '.join(missing)}: it is an edition of another layout, which the connector "
                    "csv reads with the columns named"
                )
            twice = next((name for name in names if name and names.count(name) > 1), None)
            if twice is not None:
                raise ReadError(f"has the column {twice!r} twice")
            return names, rows
        seen += filter(None, names[:1])
    begins = f"; it begins with {seen[0][:80]!r}" if seen else ""
    raise ReadError(f"is no register of charging installations: no row names Betreiber and {_LAT}{begins}")


def _list_unknown(header: Sequence[str]) -> tuple[str, ...]:
    known = {*_NEEDED, *_TEXTS.values(), *_NAMES, *_HOURS, *_NO_MODEL, _POWER, _COMMISSIONED, ""}
    return tuple(name for name in header if name not in known and not _POINT.fullmatch(name))


def _read_row(row: _Cells, header: Sequence[str], *, by_point: bool) -> Iterator[Row]:
    points = [*_list_points(row, header)]
    status = row.read("Status")
    common: Row = {
        **{field: row.read(name) for field, name in _TEXTS.items()},
        "name": next(filter(None, map(row.read, _NAMES)), None),
        "commissioned_on": _read_day(row.read(_COMMISSIONED)),
        "register_status": _STATES.get((status or "").casefold()),
        "opening_hours": ", ".join(filter(None, map(row.read, _HOURS))) or None,
    }
    native = row.read(_ID)
    if by_point and native and row.read("Anzahl Ladepunkte") == str(len(points)):
        for point in points:
            yield {
                **common,
                **_describe([point]),
                "charge_point_id": f"{native}/{point.number}",
                "installation_id": native,
                "points": 1,
                "power_kw": point.power_kw,
            }
    else:
        power = row.read(_POWER)
        yield {
            **common,
            **_describe(points),
            "charge_point_id": native,
            "power_kw": power if (value := _read_number(power)) is None else value,
        }


def _describe(points: Sequence[_Point]) -> Row:
    """Plugs and current of points; the id of what is one point only."""
    plugs = [*dict.fromkeys(plug for point in points for plug in point.plugs)]
    ids = [*dict.fromkeys(evse for point in points for evse in point.evse_ids)]
    kinds = {plug[:2].upper() for plug in plugs} & {"AC", "DC"}
    return {
        "evse_id": ids[0] if len(points) == len(ids) == 1 else None,
        "plug_types": "; ".join(plugs) or None,
        "current_type": "_".join(sorted(kinds)).lower() or None,
    }


def _list_points(row: _Cells, header: Sequence[str]) -> Iterator[_Point]:
    """The groups of columns of the row that are filled."""
    for number in dict.fromkeys(found[1] for name in header if (found := _POINT.fullmatch(name))):
        plugs, ids = row.list_parts(f"Steckertypen{number}"), row.list_parts(f"EVSE-ID{number}")
        powers = [_read_number(part) for part in row.list_parts(f"Nennleistung Stecker{number}")]
        known = [power for power in powers if power is not None]
        if plugs or ids or known:
            yield _Point(number, tuple(plugs), max(known, default=None), tuple(ids))


def _read_number(written: str | None) -> float | None:
    """A number with a decimal comma or point, and whatever else stands around it; None where that leaves it open."""
    digits = _STRAY.sub("", written or "").strip(".,")
    return parse_number(digits.replace(",", ".")) if digits else None


def _read_day(written: str | None) -> str | None:
    """A day as ISO 8601 has it; what is none stays, to be found at fault."""
    if written is None:
        return None
    try:
        return datetime.strptime(written, "%d.%m.%Y").date().isoformat()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return written


def _is_within(lon: float, lat: float, box: Box) -> bool:
    west, south, east, north = box
    return west <= lon <= east and south <= lat <= north

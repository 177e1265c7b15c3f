"""Tables in every dialect that CSV is written in are what lands, or it is told.

RFC 4180, and what spreadsheets and databases of German offices write: other separators, encodings and line ends.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import httpx2
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conformance.landing import HOST, land


@dataclass(frozen=True)
class Dialect:
    """How a table is written."""

    separator: str
    encoding: str
    end: str
    quoting: int
    decimal: str

    def write(self, rows: list[list[object]]) -> bytes:
        out = io.StringIO()
        writer = csv.writer(out, delimiter=self.separator, lineterminator=self.end, quoting=self.quoting)
        writer.writerows([[self._cell(cell) for cell in row] for row in rows])
        return out.getvalue().encode(self.encoding)

    def _cell(self, cell: object) -> object:
        return str(cell).replace(".", self.decimal) if isinstance(cell, float) else cell


DIALECTS = st.builds(
    Dialect,
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from([".", ","]),
)
LETTERS = "abcXYZäöüÄÖÜß0123456789 ,;|.-/()'\""
NAMES = (
    st.text(LETTERS, min_size=1, max_size=12)
    .map(str.strip)
    .filter(lambda name: name and name[0].lower() >= "a")
)
LON, LAT = (st.floats(low, high).map(lambda x: round(x, 5)) for low, high in ((7.01, 7.99), (51.01, 51.99)))
ROWS = st.lists(
    st.tuples(NAMES, st.one_of(st.none(), st.integers(0, 5000)), LON, LAT), min_size=1, max_size=8
).map(lambda rows: [(f"P{number:02}", *row) for number, row in enumerate(rows)])


@settings(settings.get_profile("conformance"))
@given(ROWS, DIALECTS, st.permutations(["Nr", "Bezeichnung", "Plätze", "Länge", "Breite"]))
def test_rows_of_a_file_land(
    rows: list[tuple[str, str, int | None, float, float]], dialect: Dialect, order: list[str]
) -> None:
    columns = ["Nr", "Bezeichnung", "Plätze", "Länge", "Breite"]
    table: list[list[object]] = [list(order)]
    for row in rows:
        cells = dict(zip(columns, row, strict=True))
        table.append(["" if cells[name] is None else cells[name] for name in order])
    body = dialect.write(table)
    night = land(
        {
            "connector": "csv",
            "url": f"{HOST}/sites.csv",
            "record_type": "parking_site",
            "fields": {
                "site_id": "Nr",
                "name": "Bezeichnung",
                "capacity": "Plätze",
                "lon": "Länge",
                "lat": "Breite",
            },
            "decimal": dialect.decimal,
            **({"delimiter": dialect.separator} if dialect.separator != "," else {}),
        },
        lambda _: httpx2.Response(200, content=body),
    )
    assert night.rows("parking_site", "site_id", "name", "capacity", "lon", "lat") == sorted(
        rows, key=repr
    ), night.told

"""A sample spreadsheet as an office keeps it: a title above the header, ids with leading zeros, a total below.

Playgrounds stand for all the lists that are kept by hand.
"""

from __future__ import annotations

import io
from datetime import datetime

import xlsxwriter

from civitas_assets.demo.generator import Town, make_noise

_HEADER = ("Nr.", "Bezeichnung", "Straße", "PLZ", "Rechtswert", "Hochwert", "Spielgeräte")
# The same bytes every day: a file says when it was made.
_MADE = datetime(2026, 1, 1)  # noqa: DTZ001 - spreadsheets know no time zones


def make_playgrounds_workbook(town: Town) -> bytes:
    """The list of playgrounds, positions in UTM zone 32."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        book.set_properties({"created": _MADE})
        sheet = book.add_worksheet("Spielplätze")
        sheet.write(0, 0, f"Spielplätze der Gemeinde {town.name.title()}")
        sheet.write(1, 0, "Stand: laufend, keine Gewähr")
        sheet.write_row(3, 0, _HEADER)
        for number, (east, north) in enumerate(town.playgrounds, 1):
            sheet.write_row(3 + number, 0, [
                f"{number:03d}", f"Spielplatz {number}", f"Musterweg {number}", "01234", east, north,
                1 + int(9 * make_noise(town.name, "playground", number)),
            ])  # fmt: skip
        sheet.write(4 + len(town.playgrounds), 1, "Summe")
        sheet.write(4 + len(town.playgrounds), 6, len(town.playgrounds))
    return file.getvalue()

"""What form a body has, by its content and not by its name: a sample of records, or a document of a standard.

Whatever no connector reads is named in a sentence.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from civitas_assets.catalog import Box
from civitas_assets.catalog.vocabulary import Vocabulary
from civitas_assets.connectors.content.markup import is_markup
from civitas_assets.connectors.content.text_encoding import to_utf8
from civitas_assets.connectors.mapping.service_rows import replace_nan
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.connectors.vector.vector_gdal import is_geopackage
from civitas_assets.errors import ReadError
from civitas_assets.propose.devices import detect_device_standard
from civitas_assets.propose.feature_samples import read_features_sample
from civitas_assets.propose.json_samples import read_json_sample
from civitas_assets.propose.markup_forms import describe_web_page, detect_markup_standard
from civitas_assets.propose.sample import Sample, shorten_names
from civitas_assets.propose.standards import Standard, detect_json_standard
from civitas_assets.propose.table_samples import read_csv_sample, read_excel_sample

_ZIP, _GZIP = (b"PK\x03\x04", b"PK\x05\x06"), b"\x1f\x8b"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # spreadsheets before 2007
_MOST_BYTES = 256 * 1024 * 1024
_GEO_SUFFIXES = (".shp", ".gpkg", ".kml", ".gml", ".geojson", ".parquet", ".fgb")
_MARKS_OF_TEXT = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_NO_TEXT = frozenset({*range(9), *range(14, 27), 28, 29, 31})
_DATA_SUFFIXES = (
    ".csv", ".txt", ".tsv", ".json", ".ndjson", ".jsonl", ".xlsx", ".xls", ".ods", ".xml",
)  # fmt: skip
_SHEETS = ("xl/workbook.xml", "xl/workbook.bin")
_GTFS = {"stops.txt", "trips.txt", "stop_times.txt", "routes.txt"}
# What is recognised only to be told apart: beginning, and what it is.
_OTHERS = (
    (b"%PDF", "a PDF document: ask its publisher for the table that it was made from"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"II*\x00", "a picture or raster (TIFF), which no connector reads"),
    (b"MM\x00*", "a picture or raster (TIFF), which no connector reads"),
    (b"CDF", "a NetCDF file, which no connector reads"),
    (b"\x89HDF", "an HDF5 or NetCDF file, which no connector reads"),
    (b"GRIB", "a GRIB file, which no connector reads"),
    (b"7z\xbc\xaf", "a 7z archive: unpack it, or ask for a ZIP"),
    (b"Rar!", "a RAR archive: unpack it, or ask for a ZIP"),
    (b"BZh", "compressed with bzip2: unpack it, or ask for gzip"),
    (b"\xfd7zXZ", "compressed with xz: unpack it, or ask for gzip"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd: unpack it, or ask for gzip"),
    (b"ARROW1", "an Arrow file: ask for Parquet"),
    (b"SQLite format 3", "an SQLite database without a GeoPackage in it: see docs/connectors/sql.md"),
    (b"{\\rtf", "a text document (RTF)"),
    (
        b"BEGIN:VCALENDAR",
        "a calendar (iCalendar), which no connector reads: ask for JSON, or for a list as CSV",
    ),
    (b"BEGIN:VCARD", "an address book (vCard), which no connector reads"),
)


def detect_form(
    body: bytes, address: str, box: Box, vocabulary: Vocabulary, *, inner: bool = False
) -> Sample | Standard:
    """What the body is. `address` is where it is from, empty for a file.

    Raises:
        ReadError: no connector reads it; the sentence says what it seems to be.
    """
    if not body.strip():
        raise ReadError("is empty")
    if body.startswith(_GZIP) and not inner:
        return detect_form(_unpacked(body), address, box, vocabulary, inner=True)
    if body.startswith(_ZIP):
        return _archived(body, address, box, vocabulary, inner=inner)
    if body.startswith(_OLE):
        return read_excel_sample(body)
    if is_geopackage(body) or body.startswith((b"PAR1", b"fgb\x03")):
        return read_features_sample(body, box)
    told = next((what for beginning, what in _OTHERS if body.startswith(beginning)), None)
    if told is not None:
        raise ReadError(f"is {told}")
    sentence = describe_web_page(body)
    if sentence is not None:
        raise ReadError(sentence)
    if is_markup(body):
        return detect_markup_standard(body, address) or read_features_sample(body, box)
    if (
        not body.startswith(_MARKS_OF_TEXT)
        and sum(b in _NO_TEXT for b in body[:4096]) > len(body[:4096]) // 50
    ):
        raise ReadError(
            "is neither text nor any file that a connector reads: it holds bytes that are no text"
        )
    text = to_utf8(body)
    return _of_text(text, address, vocabulary)


def _of_text(text: bytes, address: str, vocabulary: Vocabulary) -> Sample | Standard:
    start = text.lstrip(b" \t\r\n\x1e")[:1]
    # A name in brackets may begin a header, too.
    if start == b"{" or (start == b"[" and _is_json_list(text)):
        devices = detect_device_standard(text, address, vocabulary)
        if devices is not None:
            return devices
        content = _document(text)
        if isinstance(content, dict) and content.get("type") == "Topology":
            raise ReadError("is TopoJSON, which is not read: ask its publisher for GeoJSON")
        return detect_json_standard(content, address) or read_json_sample(content)
    return read_csv_sample(text.decode())


def _is_json_list(text: bytes) -> bool:
    first = text.lstrip()[1:64].lstrip()[:1]
    return first in b'{["]-0123456789tfn' and b"];" not in text[:256]


def _document(text: bytes) -> Any:
    """The document; of one in lines, or with separators before each, the list of what they hold."""
    if b"NaN" in text or b"Infinity" in text:
        text = replace_nan(text)
    try:
        return msgspec.json.decode(text)
    except RecursionError:
        raise ReadError("is JSON nested deeper than anybody means") from None
    except msgspec.DecodeError as error:
        lines = [line for line in text.replace(b"\x1e", b"\n").splitlines() if line.strip()]
        if len(lines) < 2 and b"\x1e" not in text:
            raise ReadError(f"begins as JSON, but is none: {error}") from None
        try:
            found = [msgspec.json.decode(line) for line in lines]
        except (msgspec.DecodeError, RecursionError):
            raise ReadError(f"begins as JSON, but is none: {error}") from None
    if all(isinstance(item, dict) and item.get("type") == "Feature" for item in found):
        return {"type": "FeatureCollection", "features": found}
    return found


def _unpacked(body: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
            content = file.read(_MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ReadError(f"begins as gzip, but is damaged: {error}") from None
    if len(content) > _MOST_BYTES:
        raise ReadError("unfolds to more than a sample may have: probe a part of it")
    return content


def _archived(
    body: bytes, address: str, box: Box, vocabulary: Vocabulary, *, inner: bool
) -> Sample | Standard:
    """What is in a ZIP archive, which may be a spreadsheet itself."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            kind = archive.read("mimetype")[:80] if "mimetype" in names else b""
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError, zlib.error) as error:
        raise ReadError(f"is no sound ZIP archive: {error}") from None
    if {*_SHEETS} & {*names} or b"opendocument.spreadsheet" in kind:
        return read_excel_sample(body)
    if kind or any(name.startswith(("word/", "ppt/")) for name in names):
        raise ReadError("is a document of an office suite, and no spreadsheet")
    bare = {name.rpartition("/")[2]: name for name in names}
    if len(_GTFS & {*bare}) > 2:
        raise ReadError("is timetables of public transport (GTFS), which no connector reads")
    if any(name.startswith("produkt_") for name in bare):
        return Standard("dwd", "a product of the German weather service", "-")
    if any(name.lower().endswith(_GEO_SUFFIXES) for name in names):
        return read_features_sample(body, box)
    if inner:
        raise ReadError("is an archive in an archive: unpack it")
    return _of_members(body, bare, address, box, vocabulary)


def _of_members(
    body: bytes, names: Mapping[str, str], address: str, box: Box, vocabulary: Vocabulary
) -> Sample | Standard:
    wanted = [
        name for name in names
        if name.lower().endswith(_DATA_SUFFIXES)
        and not name.startswith((".", "__"))
    ]  # fmt: skip
    if not wanted:
        raise ReadError(
            f"is a ZIP archive with nothing that a connector reads: {shorten_names(names) or 'it is empty'}"
        )
    found, reasons = dict[str, Sample | Standard](), list[str]()
    for name in wanted[:12]:
        try:
            with zipfile.ZipFile(io.BytesIO(body)) as archive, archive.open(names[name]) as file:
                content = file.read(_MOST_BYTES)
            found[name] = detect_form(content, address, box, vocabulary, inner=True)
        except ReadError as error:
            reasons.append(f"{name} {error}")
        except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, zlib.error) as error:
            reasons.append(f"{name} cannot be unpacked: {error}")
    if not found:
        raise ReadError(f"is a ZIP archive, of which nothing can be read: {'; '.join(reasons[:3])}")
    best = max(found, key=lambda name: getattr(found[name], "rows", 0))
    return _within(found[best], best, [name for name in wanted if name != best])


def _within(form: Sample | Standard, name: str, others: Sequence[str]) -> Sample | Standard:
    """The form of a file in an archive, with the setting that chooses it where there are several."""
    if not others or isinstance(form, Standard):
        return form
    setting = "member" if "member" in CONNECTORS[form.connector].source_model.model_fields else "file"
    settings = {**form.settings, setting: name}
    remarks = [*form.remarks, f"there are more files in the archive: {shorten_names(others)}"]
    return replace(form, settings=settings, remarks=remarks)

"""Which form of a dataset is looked at first, and which is not looked at: what pictures, pages and documents are.

That a form is not in the list says nothing of it: then it is looked at last.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from civitas_assets.discover.dataset import Distribution

# In the order in which they are looked at; a pattern is a word of the declared format, or the ending of the address.
_READ: Sequence[tuple[str, str]] = (
    ("SensorThings", r"sensorthings|sta"),
    ("GBFS", r"gbfs"),
    ("GeoJSON", r"geo\+?json|geojson"),
    ("CSV", r"csv|tsv|comma-separated-values"),
    ("JSON", r"json|ndjson|jsonl"),
    ("OGC API Features", r"oaf|ogcapi-?features|ogc-api-features|ogcfeat"),
    ("WFS", r"wfs|wfs_srvc"),
    ("spreadsheet", r"xlsx?|ods|excel|spreadsheetml.*|vnd\.ms-excel|opendocument\.spreadsheet"),
    ("features", r"gpkg|geopackage|shp|shape|shapefile|geoparquet|parquet|fgb|kml|kmz|gml"),
    ("DATEX II", r"datex.*"),
    ("XML", r"xml"),
    ("archive", r"zip|gz"),
)
_UNREAD: Sequence[tuple[str, str]] = (
    ("a map service, which gives pictures", r"wms|wmts|tms|wms_srvc|wmts_srvc|map_srvc|view_srvc|mapserver"),
    ("a document", r"pdf|docx?|odt|pptx?|rtf"),
    ("a web page or application", r"html?|xhtml|php|aspx?"),
    ("a picture or raster", r"png|jpe?g|gif|tiff?|geotiff|svg|webp|ecw"),
    ("a model of buildings or terrain", r"citygml|las|laz|dxf|dwg|3ds|obj|xyz"),
    ("a news feed", r"atom|rss"),
)
_SERVICE = re.compile(r"[?&]service=(wms|wmts|wfs)\b", re.IGNORECASE)
LAST = len(_READ)


def score_form(distribution: Distribution) -> tuple[int, str]:
    """Its place in the order, and why it is not looked at; empty where it is."""
    service = _SERVICE.search(distribution.url)
    words = [service[1].lower()] if service else [*_words(distribution.form)]
    ending = re.search(r"\.(\w{2,8})(?:[?#].*)?$", distribution.url.partition("://")[2].partition("/")[2])
    if not words and ending:
        words = [ending[1].lower()]
    for place, (_, pattern) in enumerate(_READ):
        if any(re.fullmatch(pattern, word) for word in words):
            return place, ""
    for what, pattern in _UNREAD:
        if any(re.fullmatch(pattern, word) for word in words):
            return LAST, f"is {what}"
    return LAST, ""


def _words(form: str) -> list[str]:
    """The words of a declared format: `text/csv; charset=utf-8` and `WFS_SRVC` are forms, too."""
    bare = form.lower().strip().partition(";")[0]
    subtype = bare.rpartition("/")[2]
    return [word for word in dict.fromkeys([bare, subtype, *re.split(r"[\s,()/]+", subtype)]) if word]

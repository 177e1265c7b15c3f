"""The controlled vocabularies that DCAT-AP.de asks for, as far as a catalogue of shared models needs them.

Source: DCAT-AP.de 3.0, https://www.dcat-ap.de/def/dcatde/3.0/spec/, and the authority tables of the European Union.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rdflib import SKOS, Graph, URIRef

from civitas_assets.catalog.cadence import Cadence
from civitas_assets.catalog.open_data import DownloadFormat, FolderFormat

_AUTHORITY = "http://publications.europa.eu/resource/authority"
_DE = "http://dcat-ap.de/def"
IANA = "https://www.iana.org/assignments/media-types"

THEME = f"{_AUTHORITY}/data-theme"
LANGUAGE = f"{_AUTHORITY}/language"
FREQUENCY = f"{_AUTHORITY}/frequency"
FILE_TYPE = f"{_AUTHORITY}/file-type"
ACCESS_RIGHT = f"{_AUTHORITY}/access-right"
AVAILABILITY = f"{_AUTHORITY}/planned-availability"
LICENCE = f"{_DE}/licenses"
LEVEL = f"{_DE}/politicalGeocoding/Level"
MUNICIPALITY = f"{_DE}/politicalGeocoding/municipalityKey"
CONTRIBUTOR = f"{_DE}/contributors"
HIGH_VALUE = "http://data.europa.eu/bna/asd487ae75"
HIGH_VALUE_LAW = "http://data.europa.eu/eli/reg_impl/2023/138/oj"

# By what tenants' files call a licence. CC BY 3.0 has a term for its German port alone, so the one without number.
LICENCE_CODES: Mapping[str, str] = {
    "dl-de/by-2-0": "dl-by-de/2.0",
    "dl-de/zero-2-0": "dl-zero-de/2.0",
    "CC0-1.0": "cc-zero",
    "CC-BY-3.0": "cc-by",
    "CC-BY-4.0": "cc-by/4.0",
    "CC-BY-SA-4.0": "cc-by-sa/4.0",
    "ODbL-1.0": "odbl",
    "PDDL-1.0": "odcpddl",
    "GeoNutzV": "geonutz/20130319",
}
SEVERAL_LICENCES = "other-open"
# From the most frequent on.
FREQUENCY_CODES: Mapping[Cadence, str] = {"every_15_minutes": "15MIN", "hourly": "HOURLY", "nightly": "DAILY"}


@dataclass(frozen=True)
class FileKind:
    """How a format is called: ending of a file's name, code of the European file types, type of IANA."""

    title: str
    ending: str
    code: str
    media_type: str


FILE_KINDS: Mapping[DownloadFormat | FolderFormat, FileKind] = {
    "csv": FileKind("CSV", "csv", "CSV", f"{IANA}/text/csv"),
    "geojson": FileKind("GeoJSON", "geojson", "GEOJSON", f"{IANA}/application/geo+json"),
    "geoparquet": FileKind("GeoParquet", "parquet", "PARQUET", f"{IANA}/application/vnd.apache.parquet"),
    "parquet": FileKind("Parquet", "parquet", "PARQUET", f"{IANA}/application/vnd.apache.parquet"),
}


def name_licence(licences: Iterable[str]) -> str:
    """The code of one licence, or that of open ones in general where rows of several are together."""
    (code, *others) = sorted({LICENCE_CODES[licence] for licence in licences})
    return SEVERAL_LICENCES if others else code


def find_frequency(cadences: Iterable[Cadence]) -> str | None:
    """The code of the most frequent cadence; none without any."""
    found = {*cadences}
    return next((code for cadence, code in FREQUENCY_CODES.items() if cadence in found), None)


def add_term(graph: Graph, subject: URIRef, predicate: URIRef, scheme: str, code: str) -> URIRef:
    """Say a term of a controlled vocabulary, and of which one it is: validators have the vocabularies not always."""
    term = URIRef(code if code.startswith(scheme) else f"{scheme}/{code}")
    graph.add((subject, predicate, term))
    graph.add((term, SKOS.inScheme, URIRef(scheme)))
    return term

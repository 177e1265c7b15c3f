"""Catalogue Service for the Web, version 2.0.2, with records by ISO 19139, as spatial data infrastructures have it.

Source: OGC 07-006r1 and 07-045; licences as GDI-DE writes them, as JSON in `gmd:otherConstraints`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from xml.etree.ElementTree import Element

import msgspec

from civitas_assets.catalog import Box
from civitas_assets.connectors.content.trusted_xml import XML_FAULTS, parse_xml
from civitas_assets.discover.dataset import Dataset, Distribution, Page, build_box
from civitas_assets.discover.kinds.catalogue_addresses import replace_parameters
from civitas_assets.errors import ReadError

NAME = "CSW"
_PART = 50
_SPACES = {
    "csw": "http://www.opengis.net/cat/csw/2.0.2",
    "gmd": "http://www.isotc211.org/2005/gmd",
    "gco": "http://www.isotc211.org/2005/gco",
    "gmx": "http://www.isotc211.org/2005/gmx",
    "srv": "http://www.isotc211.org/2005/srv",
    "ows": "http://www.opengis.net/ows",
}
_SEARCHED = ("AnyText", "csw:AnyText", "apiso:AnyText")
_SIDES = ("westBoundLongitude", "southBoundLatitude", "eastBoundLongitude", "northBoundLatitude")
_CODE = re.compile(r"^\{.*\}$", re.DOTALL)


def list_addresses(url: str, term: str) -> list[str]:
    """Where it may be asked first; services call what is searched by one of three names."""
    asked = {
        "service": "CSW", "version": "2.0.2", "request": "GetRecords", "typeNames": "gmd:MD_Metadata",
        "outputSchema": _SPACES["gmd"], "elementSetName": "full", "resultType": "results",
        "startPosition": "1", "maxRecords": str(_PART),
    }  # fmt: skip
    root, searches = re.sub(r"[?#].*", "", url), [asked]
    if term:
        word = re.sub(r"['%_\\]", " ", term)
        language = {"constraintLanguage": "CQL_TEXT", "constraint_language_version": "1.1.0"}
        searches = [{**asked, **language, "constraint": f"{name} like '%{word}%'"} for name in _SEARCHED]
    return [f"{root}?{urlencode(each)}" for each in searches]


def read_page(body: bytes, address: str) -> Page:
    """The records of an answer.

    Raises:
        ReadError: it is none of CSW; what the service complains of is told.
    """
    try:
        root = parse_xml(body)
    except XML_FAULTS as fault:
        raise ReadError(f"is no answer of CSW: {type(fault).__name__}") from None
    complaint = root.find(".//ows:ExceptionText", _SPACES)
    if complaint is not None:
        raise ReadError(f"is the complaint of a CSW: {' '.join((complaint.text or '').split())[:200]}")
    results = root.find("csw:SearchResults", _SPACES)
    if results is None:
        raise ReadError("is no answer of CSW")
    records = results.findall("gmd:MD_Metadata", _SPACES)
    following, total = results.get("nextRecord", "0"), results.get("numberOfRecordsMatched", "")
    leads_on = records and following.isdecimal() and int(following) > 1
    return Page(
        tuple(filter(None, map(_dataset, records))),
        replace_parameters(address, startPosition=following) if leads_on else "",
        int(total) if total.isdecimal() else None,
    )


def _text(node: Any, path: str) -> str:
    """The text at a path, whether it is written as such or as a link with a label."""
    found = node.find(path, _SPACES)
    return " ".join("".join(found.itertext()).split()) if found is not None else ""


def _dataset(record: Element) -> Dataset | None:
    said = record.find("gmd:identificationInfo/*", _SPACES)
    if said is None:
        return None
    licence, attribution = _terms(said)
    return Dataset(
        identifier=_text(record, "gmd:fileIdentifier"),
        title=_text(said, "gmd:citation/*/gmd:title"),
        description=_text(said, "gmd:abstract"),
        publisher=_text(said, "gmd:pointOfContact/*/gmd:organisationName"),
        licence=licence,
        attribution=attribution,
        modified=_text(record, "gmd:dateStamp"),
        keywords=tuple(
            " ".join("".join(word.itertext()).split())
            for word in said.findall("gmd:descriptiveKeywords/*/gmd:keyword", _SPACES)
        ),
        box=_box(said),
        distributions=tuple(_distributions(record)),
    )


def _terms(said: Element) -> tuple[str, str]:
    """The licence and whom to name, as GDI-DE writes them; else the last constraint that is no sentence."""
    written = [
        " ".join("".join(node.itertext()).split())
        for node in said.findall("gmd:resourceConstraints/*/gmd:otherConstraints", _SPACES)
    ]
    for text in written:
        if _CODE.match(text):
            try:
                found = msgspec.json.decode(text.encode(), type=dict[str, Any])
            except (msgspec.DecodeError, RecursionError):
                continue
            return str(found.get("url") or found.get("id") or ""), str(found.get("quelle") or "")
    return next((text for text in written if text.startswith("http")), ""), ""


def _distributions(record: Element) -> Iterator[Distribution]:
    path = "gmd:distributionInfo//gmd:transferOptions//gmd:CI_OnlineResource"
    format_name = _text(record, "gmd:distributionInfo//gmd:distributionFormat//gmd:name")
    for node in record.findall(path, _SPACES):
        url, protocol = _text(node, "gmd:linkage"), _text(node, "gmd:protocol")
        if url.startswith(("http://", "https://")):
            service = re.search(r"\b(WFS|WMS|WMTS|WCS|CSW)\b", protocol.upper())
            name = _text(node, "gmd:name")
            yield Distribution(url, service[1] if service else _ending(url) or format_name, name)


def _ending(url: str) -> str:
    found = re.search(r"\.(\w{2,7})(?:[?#].*)?$", url.partition("://")[2].partition("/")[2])
    return found[1] if found else ""


def _box(said: Element) -> Box | None:
    for name in ("gmd:extent", "srv:extent"):
        area = said.find(f"{name}//gmd:EX_GeographicBoundingBox", _SPACES)
        if area is not None:
            try:
                west, south, east, north = (float(_text(area, f"gmd:{side}")) for side in _SIDES)
            except ValueError:
                return None
            return build_box(west, south, east, north)
    return None

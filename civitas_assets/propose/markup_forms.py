"""XML and HTML by what stands at their beginning: which connector reads it, or in a sentence why none does.

Only names of elements are looked at; reading is for the connectors.
"""

from __future__ import annotations

import re

from civitas_assets.connectors.content.markup import scan_outline
from civitas_assets.connectors.transport.http_reason import extract_reason
from civitas_assets.errors import ReadError
from civitas_assets.propose.sample import shorten_names
from civitas_assets.propose.standards import Standard

_HEAD = 256 * 1024
_HTML = re.compile(rb"<!doctype\s+html|<html[\s>]|<head[\s>]|<body[\s>]", re.IGNORECASE)
_PASSWORD = re.compile(rb"<input[^>]+type\s*=\s*[\"']?password", re.IGNORECASE)
_LOGIN = re.compile(r"\b(log ?in|sign ?in|anmeld|einlogg|authenti|single sign)", re.IGNORECASE)
_DATEX = re.compile(rb"d2LogicalModel|datex2|messageContainer|D2Payload", re.IGNORECASE)
_PUBLICATIONS = (
    ("charging", re.compile(rb"EnergyInfrastructure\w*Publication")),
    (
        "parking",
        re.compile(rb"Parking\w*Publication|parkingRecord|genericPublicationName>Parking", re.IGNORECASE),
    ),
    ("situations", re.compile(rb"SituationPublication|<(?:\w+:)?situation\b")),
)
_OTHERS = {
    "rss": "a news feed (RSS), which no connector reads",
    "RDF": "RDF, which no connector reads",
    "gpx": "a track (GPX), which no connector reads: convert it to GeoJSON or KML",
    "svg": "a drawing (SVG)",
    "Siri": "SIRI, which no connector reads",
    "PublicationDelivery": "NeTEx, which no connector reads",
    "WMS_Capabilities": "the description of a service of pictures (WMS): ask its operator for the WFS",
    "WMT_MS_Capabilities": "the description of a service of pictures (WMS): ask its operator for the WFS",
    "Capabilities": "the description of a service of pictures or coverages, which no connector reads",
    "OpenSearchDescription": "the description of a search",
    "osm": "OpenStreetMap XML, which no connector reads: convert it to GeoJSON",
}


def describe_web_page(body: bytes) -> str | None:
    """What a web page is, in a sentence; None where the body is none."""
    if not _HTML.search(body[:2000]):
        return None
    title = extract_reason(body)
    called = f" called {title!r}" if title else ""
    if _PASSWORD.search(body) or _LOGIN.search(title):
        return f"is a page{called} to log in with: headers or query with a secret may lead to the data"
    return f"is a web page{called}, and no data: give the address that its link to the file or interface leads to"


def detect_markup_standard(body: bytes, address: str) -> Standard | None:
    """The standard of an XML document; None where it is a file of features.

    Raises:
        ReadError: no connector reads it.
    """
    head = body[:_HEAD]
    if _DATEX.search(head[:4000]):
        publication = next((name for name, pattern in _PUBLICATIONS if pattern.search(head)), None)
        if publication is None:
            raise ReadError("is DATEX II, but neither parking nor situations nor charging infrastructure")
        settings = {} if publication == "parking" else {"publication": publication}
        return Standard("datex2", f"DATEX II ({publication})", address, settings, role="data")
    document = scan_outline(body)
    if document.complaint:
        raise ReadError(f"is the report of an error: {document.complaint}")
    if document.root == "WFS_Capabilities":
        return _web_features(body, document.attributes.get("version", "2.0.0"), address)
    if document.root in _OTHERS:
        raise ReadError(f"is {_OTHERS[document.root]}")
    if document.root == "feed":
        raise ReadError(
            "is a news feed or a list of downloads (Atom): give the address of the file that it leads to"
        )
    if document.root == "kml" or document.root.endswith("Collection") or document.features:
        return None
    raise ReadError(f"is XML with the root {document.root}, which no connector reads")


def _web_features(body: bytes, version: str, address: str) -> Standard:
    """What a WFS says of itself."""
    text = body.decode(errors="replace")
    kinds = re.findall(r"<(?:\w+:)?FeatureType\b[^>]*>\s*.*?<(?:\w+:)?Name>([^<]+)</", text, re.DOTALL)
    api = "wfs11" if version.startswith("1") else "wfs2"
    url, parameter = address.partition("?")[0], "typeName" if api == "wfs11" else "typeNames"
    first = kinds[0].strip() if kinds else "NAME"
    limit = "maxFeatures" if api == "wfs11" else "count"
    asked = f"{url or 'URL'}?service=WFS&version={version}&request=GetFeature&{parameter}={first}&{limit}=50"
    return Standard(
        "ogc_features", "the description of a service of features (WFS)", url,
        {"api": api, "collection": first},
        {"collection": f"one of {shorten_names((kind.strip() for kind in kinds), 20)}"} if len(kinds) > 1 else {},
        advice=f"probe the features of one, so that their attributes are seen: '{asked}'",
    )  # fmt: skip

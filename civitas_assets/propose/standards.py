"""JSON of standards that need no mapping: which connector reads it, at which address, and what has to be said besides.

A document that only leads to others, such as a discovery file, is named; what it leads to is not fetched here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from civitas_assets.connectors.ngsi.ngsi_entities import list_types
from civitas_assets.propose.sample import shorten_names

_GBFS_FEEDS = {
    "stations": ("station_information", "station_status"),
    "bikes": ("free_bike_status",),
    "vehicles": ("vehicle_status",),
    "vehicle_types": ("vehicle_types",),
    "system_id": ("system_information",),
    "plans": ("system_pricing_plans",),
    "geofencing_zones": ("geofencing_zones",),
    "versions": ("gbfs_versions",),
}
_READ_FEEDS = {"station_information", "station_status"}
_STA_ENTITIES = {
    "Things", "Locations", "HistoricalLocations", "Datastreams", "MultiDatastreams", "Sensors", "ObservedProperties",
    "Observations", "FeaturesOfInterest",
}  # fmt: skip
_STA_ROOT = re.compile(r"^(.*?/v1\.\d)(?:/|$)", re.IGNORECASE)
_NGSI_ATTRIBUTE = {
    "Property", "Relationship", "GeoProperty", "LanguageProperty", "VocabProperty", "JsonProperty", "ListProperty",
}  # fmt: skip
_OF_COLLECTION = re.compile(r"^(.*)/collections/([^/?#]+)(?:/items)?/?(?:[?#].*)?$")
_SERVICES = {
    "opensensemap": ({"_id", "sensors"}, "boxes of openSenseMap"),
    "sensor_community": ({"sensordatavalues", "sensor", "location"}, "values of sensor.community"),
    "pegelonline": ({"uuid", "shortname", "longname", "water"}, "stations of PEGELONLINE"),
    "uba": ({"request", "indices", "data"}, "air data of the German Environment Agency"),
}
_LOOKED_AT = 200
_PUBLICATIONS = {"charging": "energyinfrastructure", "parking": "parking", "situations": "situation"}


@dataclass(frozen=True)
class Standard:
    """What a document is by its standard.

    `url` is the address that the source names, empty where the document's own does not tell. `role` is the one by
    which the connector reads this very document; empty where it only leads to others. `advice` is what to do next.
    """

    connector: str
    what: str
    url: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    doubts: Mapping[str, str] = field(default_factory=dict)
    role: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    advice: str = ""


def detect_json_standard(content: Any, address: str) -> Standard | None:
    """What the document is; None where no standard is recognised. `address` is where it is from, empty for a file."""
    for recognise in (_datex2, _gbfs, _ocpi, _sensorthings, _ngsi, _national, _ogc):
        found = recognise(content, address)
        if found is not None:
            return found
    return None


def _datex2(content: Any, address: str) -> Standard | None:
    """DATEX II in JSON, by the name of its publication."""
    names = {name for depth in range(3) for name in _members(content, depth)}
    for publication, part in _PUBLICATIONS.items():
        if any(part in name.lower() and name.endswith("Publication") for name in names):
            settings = {} if publication == "parking" else {"publication": publication}
            return Standard("datex2", f"DATEX II ({publication})", address, settings, role="data")
    return None


def _members(content: Any, depth: int) -> Iterator[str]:
    """The names of members so many objects or lists deep."""
    inner = content if isinstance(content, list) else [*content.values()] if isinstance(content, dict) else []
    if depth == 0:
        yield from content if isinstance(content, dict) else ()
        return
    for part in inner[:_LOOKED_AT]:
        yield from _members(part, depth - 1)


def _gbfs(content: Any, address: str) -> Standard | None:
    if not isinstance(content, dict) or not isinstance(data := content.get("data"), dict | list):
        return None
    if not {"last_updated", "ttl"} <= {*content}:
        return None
    if isinstance(data, list):
        return None
    discovery = "feeds" in data or any(isinstance(part, dict) and "feeds" in part for part in data.values())
    if discovery:
        return Standard("gbfs", "the discovery file of a sharing system (GBFS)", address)
    feed = next((names for member, names in _GBFS_FEEDS.items() if member in data), None)
    if feed is None:
        return None
    stations = data.get("stations")
    first = stations[0] if isinstance(stations, list) and stations and isinstance(stations[0], dict) else {}
    has_status = any(name.startswith("num_") or name in {"is_renting", "last_reported"} for name in first)
    name = feed[-1] if has_status else feed[0]
    url = re.sub(r"[^/]*$", "gbfs.json", address.partition("?")[0]) if address else ""
    return Standard(
        "gbfs", f"the feed {name} of a sharing system (GBFS)", url,
        doubts={"url": f"this is {name} alone; the source names the discovery file, usually gbfs.json beside it"},
        role=name if name in _READ_FEEDS else "",
    )  # fmt: skip


def _ocpi(content: Any, address: str) -> Standard | None:
    data = content.get("data") if isinstance(content, dict) and "status_code" in content else None
    places = data[:_LOOKED_AT] if isinstance(data, list) else []
    if not any(isinstance(place, dict) and {"coordinates", "evses"} <= {*place} for place in places):
        return None
    url = address.partition("?")[0]
    return Standard("ocpi", "a page of locations of charging points (OCPI)", url, role="locations")


def _sensorthings(content: Any, address: str) -> Standard | None:
    if not isinstance(content, dict):
        return None
    value = content.get("value")
    items = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
    names = {str(item.get("name")) for item in items}
    root = len(names & _STA_ENTITIES) > 2 and all("url" in item for item in items)
    links = [str(item.get("@iot.selfLink", "")) for item in (content, *items[:1])]
    marked = any(key.startswith("@iot.") for item in (content, *items[:1]) for key in item)
    if not root and not marked:
        return None
    match = next(filter(None, (_STA_ROOT.match(text) for text in (address, *links) if text)), None)
    what = "the root of a SensorThings service" if root else "a part of a SensorThings service"
    url = match[1] if match else (address.rstrip("/") if root else "")
    known = {"Things": "things", "Datastreams": "datastreams"}
    entity = _entity(address, links)
    role = known.get(entity, "") if items and entity == "Things" else ""
    return Standard(
        "sensorthings", what, url, role=role, doubts=_unknown_url(url, "the root, which ends in /v1.1")
    )


def _entity(address: str, links: Sequence[str]) -> str:
    for text in (urlsplit(address).path, *links):
        found = re.findall(r"/([A-Z][A-Za-z]+)(?:\([^)]*\))?", text)
        if found and found[-1] in _STA_ENTITIES:
            return str(found[-1])
    return ""


def _ngsi(content: Any, address: str) -> Standard | None:
    entities = content if isinstance(content, list) else [content]
    entities = [entity for entity in entities[:_LOOKED_AT] if isinstance(entity, dict)]
    if not entities or not all(isinstance(e.get("id"), str) and list_types(e) for e in entities):
        return None
    attributes = [
        value
        for entity in entities
        for name, value in entity.items()
        if name not in {"id", "type", "@context"}
    ]
    in_ld = any(_is_ld(value) for value in attributes) or "@context" in entities[0]
    in_ld = in_ld or all(str(entity["id"]).startswith("urn:ngsi-ld:") for entity in entities)
    in_v2 = any(isinstance(v, dict) and {"type", "value", "metadata"} <= {*v} for v in attributes)
    path = urlsplit(address).path
    if not (in_ld or in_v2 or "/ngsi-ld/" in path or re.search(r"/v2/entities", path)):
        return None
    api = "v2" if (in_v2 and not any(map(_is_ld, attributes))) or "/v2/entities" in path else "ld"
    types = [*dict.fromkeys(name for entity in entities for name in list_types(entity)[:1])]
    settings: dict[str, Any] = {"types": types, **({"api": "v2"} if api == "v2" else {})}
    root = re.match(r"^(.*?)/(?:temporal/)?entities\b", address)
    doubts = {
        **_unknown_url(root[1] if root else "", "the root of the broker's interface, before /entities"),
        "types": "these are on the page that was seen; the broker may have more",
    }
    history = "/temporal/" in path
    if history:
        settings["history"] = True
    return Standard(
        "ngsi_ld", f"entities of a context broker ({'NGSI-v2' if api == 'v2' else 'NGSI-LD'})", root[1] if root else "",
        settings, doubts, role="history" if history else "entities", variables={"type": types[0]},
    )  # fmt: skip


def _is_ld(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_is_ld, value[:2]))
    return isinstance(value, dict) and (value.get("type") in _NGSI_ATTRIBUTE or "observedAt" in value)


def _national(content: Any, address: str) -> Standard | None:
    """An answer of a public service that has a connector of its own, by the members of its records."""
    records = content if isinstance(content, list) else [content]
    records = [record for record in records[:_LOOKED_AT] if isinstance(record, dict)]
    for connector, (members, what) in _SERVICES.items():
        if records and all(members <= {*record} for record in records):
            return Standard(
                connector, what, "-",
                advice=f"without stations, the connector looks in the tenant's box: docs/connectors/{connector}.md",
            )  # fmt: skip
    return None


def _ogc(content: Any, address: str) -> Standard | None:
    if not isinstance(content, dict):
        return None
    if isinstance(content.get("collections"), list):
        ids = [str(c["id"]) for c in content["collections"] if isinstance(c, dict) and "id" in c]
        if ids:
            root = re.sub(r"/collections/?(\?.*)?$", "", address)
            return _collections("the collections of an OGC API", root, ids)
    rels = {str(link.get("rel", "")).rpartition("/")[2] for link in _links(content)}
    if (
        "features" not in content
        and {"conformance", "data"} & rels
        and rels & {"service-desc", "service-doc", "self"}
    ):
        return _collections("the landing page of an OGC API", address.partition("?")[0].rstrip("/"), [])
    if "items" in rels and "id" in content and "extent" in content:
        match = _OF_COLLECTION.match(address)
        return _collections("one collection of an OGC API", match[1] if match else "", [str(content["id"])])
    return None


def _collections(what: str, root: str, ids: Sequence[str]) -> Standard:
    where = f"{root or 'ROOT'}/collections"
    advice = (
        f"probe the features of one, so that their properties are seen: {where}/{ids[0]}/items?limit=50"
        if ids
        else f"probe {where} to see what there is"
    )
    return Standard(
        "ogc_features", what, root, {"collection": ids[0]} if ids else {},
        {"collection": f"one of {shorten_names(ids, 20)}"} if len(ids) > 1 else {}, advice=advice,
    )  # fmt: skip


def parse_feature_type(address: str) -> tuple[str, str, str] | None:
    """Address without parameters, version and feature type, where a WFS was asked for features."""
    split = urlsplit(address)
    query = {name.lower(): values[-1] for name, values in parse_qs(split.query).items()}
    kind = query.get("typenames") or query.get("typename")
    if query.get("request", "").lower() != "getfeature" or not kind:
        return None
    api = "wfs11" if query.get("version", "2").startswith("1") else "wfs2"
    return address.partition("?")[0], api, kind.split(",")[0]


def _links(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    links = content.get("links")
    if isinstance(links, list):
        yield from (link for link in links if isinstance(link, dict))


def _unknown_url(url: str, where: str) -> dict[str, str]:
    return {} if url else {"url": where}

"""OGC API Records, also as ArcGIS Hub has it: collections of records, whose items come in pages.

Source: https://docs.ogc.org/is/20-004r1/20-004r1.html; of Hub, https://hub.arcgis.com/api/search/v1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import msgspec

from civitas_assets.catalog import Box
from civitas_assets.discover.dataset import Dataset, Distribution, Page, build_box, select_text
from civitas_assets.discover.kinds.catalogue_addresses import join_address
from civitas_assets.errors import ReadError

NAME = "OGC API Records"
_PART = 100
_COLLECTION = re.compile(r"^(.*/collections/[^/?#]+)(?:/items)?/*(?:[?#].*)?$")
_OTHER = {
    "self", "alternate", "license", "root", "parent", "collection", "canonical", "icon", "preview", "describedby",
    "next", "prev", "about", "via",
}  # fmt: skip
_FEATURES = re.compile(r"^(https?://.*/FeatureServer)(?:/(\d+))?/*$")


def list_addresses(url: str, term: str) -> list[str]:
    """Where it may be asked first: the items of a collection, else the list of collections, and Hub's own."""
    asked = {"limit": str(_PART), **({"q": term} if term else {})}
    collection = _COLLECTION.match(url)
    if collection is not None:
        return [join_address(collection[1], f"items?{urlencode({**asked, 'f': 'json'})}")]
    root = re.sub(r"/*([?#].*)?$", "", url)
    return [
        join_address(root, f"collections?{urlencode({**asked, 'f': 'json'})}"),
        join_address(root, f"api/search/v1/collections/dataset/items?{urlencode(asked)}"),
    ]


def read_page(body: bytes, address: str) -> Page:
    """The records of an answer; of a list of collections, the way to the first that has records.

    Raises:
        ReadError: it is neither.
    """
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        content = None
    if not isinstance(content, Mapping):
        raise ReadError("is no answer of OGC API Records")
    if isinstance(content.get("collections"), list):
        return Page((), _first_collection(content["collections"], address))
    features = content.get("features")
    if content.get("type") != "FeatureCollection" or not isinstance(features, list):
        raise ReadError("is no answer of OGC API Records")
    records = [_record(one, address) for one in features if isinstance(one, Mapping)]
    if features and not any(record.title for record in records):
        raise ReadError("is a list of features without titles, and no catalogue")
    following = next((href for rel, href, _ in _links(content, address) if rel == "next"), "")
    matched = content.get("numberMatched")
    return Page(
        tuple(record for record in records if record.identifier),
        following if features else "",
        matched if isinstance(matched, int) else None,
    )


def _first_collection(collections: list[Any], address: str) -> str:
    for one in collections:
        if isinstance(one, Mapping) and one.get("itemType") == "record":
            asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
            root = address.partition("?")[0]
            return join_address(root, f"{select_text(one.get('id'))}/items?{urlencode(asked)}")
    raise ReadError("has collections of features, and none of records")


def _links(content: Mapping[str, Any], address: str) -> Iterator[tuple[str, str, str]]:
    """Relation, address and type of each link."""
    links = content.get("links")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, Mapping) and isinstance(link.get("href"), str):
            form = select_text(link.get("type")) or select_text(link.get("protocol"))
            yield select_text(link.get("rel")), urljoin(address, link["href"]), form


def _record(feature: Mapping[str, Any], address: str) -> Dataset:
    found = feature.get("properties")
    said: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    licence = select_text(said.get("license")) or select_text(said.get("rights"))
    linked = next((href for rel, href, _ in _links(feature, address) if rel == "license"), "")
    keywords = said.get("keywords") or said.get("tags")
    return Dataset(
        identifier=select_text(feature.get("id")),
        title=select_text(said.get("title") or said.get("name")),
        description=re.sub(r"<[^>]+>", " ", select_text(said.get("description"))),
        publisher=_publisher(said),
        licence=linked or re.sub(r"<[^>]+>", " ", licence).strip(),
        modified=select_text(said.get("updated") or said.get("modified")),
        keywords=tuple(map(select_text, keywords)) if isinstance(keywords, list) else (),
        box=_box(feature),
        distributions=tuple(_distributions(feature, said, address)),
    )


def _publisher(said: Mapping[str, Any]) -> str:
    """The organisation; of contacts, one whose role is to publish. Names of persons are passed over."""
    contacts = said.get("contacts") or said.get("providers")
    for one in contacts if isinstance(contacts, list) else []:
        if isinstance(one, Mapping) and (one.get("organization") or "roles" not in one):
            return select_text(one.get("organization") or one.get("name"))
    return select_text(said.get("publisher") or said.get("source"))


def _distributions(
    feature: Mapping[str, Any], said: Mapping[str, Any], address: str
) -> Iterator[Distribution]:
    for rel, href, form in _links(feature, address):
        if rel not in _OTHER and href.startswith(("http://", "https://")):
            yield Distribution(href, form)
    assets = feature.get("assets")
    for one in assets.values() if isinstance(assets, Mapping) else []:
        if isinstance(one, Mapping) and isinstance(one.get("href"), str):
            yield Distribution(urljoin(address, one["href"]), select_text(one.get("type")))
    url = select_text(said.get("url"))
    service = _FEATURES.match(url)
    if service is not None:
        asked = urlencode({"where": "1=1", "outFields": "*", "outSR": "4326", "f": "geojson"})
        yield Distribution(f"{service[1]}/{service[2] or 0}/query?{asked}", "GeoJSON")
    elif url.startswith(("http://", "https://")):
        yield Distribution(url, select_text(said.get("type")))


def _box(feature: Mapping[str, Any]) -> Box | None:
    given = feature.get("bbox")
    if (
        isinstance(given, list)
        and len(given) in {4, 6}
        and all(isinstance(side, int | float) for side in given)
    ):
        half = len(given) // 2
        return build_box(given[0], given[1], given[half], given[half + 1])
    area = feature.get("geometry")
    points = [*_points(area.get("coordinates"))] if isinstance(area, Mapping) else []
    if not points:
        return None
    across, along = [point[0] for point in points], [point[1] for point in points]
    return build_box(min(across), min(along), max(across), max(along))


def _points(value: Any) -> Iterator[tuple[float, float]]:
    if (
        isinstance(value, list)
        and len(value) >= 2
        and all(isinstance(part, int | float) for part in value[:2])
    ):
        yield float(value[0]), float(value[1])
    elif isinstance(value, list):
        for part in value:
            yield from _points(part)

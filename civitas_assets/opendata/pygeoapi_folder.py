"""A folder from which pygeoapi serves open tables as OGC API Features: their GeoJSON, its configuration, and portals'.

All of it comes from tenants' folders of open data, so that nothing is there that is not open. Source: pygeoapi 0.21,
https://docs.pygeoapi.io/en/0.21.0/configuration.html and the provider `GeoJSON`, which reads its file at each request.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from civitas_assets.catalog import Tenant
from civitas_assets.catalog.tenant_sinks import SensorThingsSink
from civitas_assets.catalog.yaml_text import to_literal_yaml
from civitas_assets.errors import ExportError
from civitas_assets.export.output import open_output
from civitas_assets.opendata.folder_copy import clear_copies, copy_folder, list_copies
from civitas_assets.opendata.masterportal_layers import (
    LAYER_TREE,
    PORTAL_SYSTEMS,
    SERVICES,
    Portal,
    PortalLayer,
    render_layer_tree,
    render_services,
)
from civitas_assets.store.files import Files
from civitas_assets.store.open_folder import FolderIndex, OpenFile, OpenFolder

CONFIGURATION = "pygeoapi.yml"
_DESCRIBED = ("datapackage.json", "dictionary.json")
_LANGUAGES = ["de-DE", "en-US"]
_MOST_BYTES = 50_000_000  # of a file that is read at each request
_MOST_ITEMS = 10_000
# What HTML pages show maps with; the free one of the Länder and the Bund.
_TILES = (
    "https://sgx.geodatenzentrum.de/wmts_basemapde/tile/1.0.0/de_basemapde_web_raster_grau/default/"
    "GLOBAL_WEBMERCATOR/{z}/{y}/{x}.png"
)
_ENTITIES = {
    "Things": ("Messstationen", None),
    "Datastreams": ("Messreihen", None),
    "Observations": ("Messwerte", "phenomenonTime"),
}
_CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
# Which answers may be asked for in.
_SYSTEMS = [_CRS84, "http://www.opengis.net/def/crs/EPSG/0/4326", *PORTAL_SYSTEMS]


@dataclass
class ServedTables:
    """The collections that are served, and why the others are not, by tenant or by table of a tenant."""

    collections: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    has_changed: bool = False


def write_pygeoapi_folder(
    files: Files,
    tenants: Iterable[Tenant],
    place: Path,
    url: str,
    *,
    with_sinks: bool = False,
    unknown: Collection[str] = (),
    portal: Portal | None = None,
) -> ServedTables:
    """Bring a folder up to what tenants offer to everybody: a folder of files for each, and the configuration.

    What stays the same is not touched. A tenant that offers nothing any more, or is none of these, has no files there
    afterwards; of one of whom it is `unknown` what it offers, they stay. With sinks, SensorThings servers that ask for
    no header are read as well, with all that is on them. For a portal, its services and layer tree are written, too.

    Raises:
        ExportError: the folder cannot be written, or nobody offers anything.
    """
    served, resources, layers = ServedTables(), dict[str, Any](), list[PortalLayer]()
    offering, chosen = list[Tenant](), [*tenants]
    # First of all what is not open any more goes, whatever becomes of the rest: pygeoapi would serve it as before.
    offered = {tenant.slug: _list_served(_read_index(files, tenant.slug)) for tenant in chosen}
    for slug in list_copies(place) - {*unknown}:
        clear_copies(place / slug, offered.get(slug, {}))
    for tenant in chosen:
        found = dict(_describe_sinks(tenant)) if with_sinks else {}
        folder, index = OpenFolder(files, tenant.slug), _read_index(files, tenant.slug)
        if index is None:
            served.left_out[tenant.slug] = "it has no folder of open data for everybody"
            index = FolderIndex("", "everybody", {})
        if index.files or (place / tenant.slug).is_dir():
            wanted = FolderIndex(index.basis, index.access, _list_served(index))
            copy_folder(folder, wanted, place / tenant.slug)
            found |= dict(_describe_tables(place / tenant.slug, tenant, index))
        taken = "another tenant has a collection of that name, which is made of the keys of tenant and table"
        found |= dict.fromkeys(found.keys() & resources.keys(), taken)
        served.left_out |= {name: said for name, said in found.items() if isinstance(said, str)}
        described = {name: said for name, said in found.items() if not isinstance(said, str)}
        if described:
            resources |= described
            offering.append(tenant)
        known = {layer.key for layer in layers}
        layers += (one for one in _list_layers(folder, tenant, index, described) if one.key not in known)
    if not resources:
        raise ExportError(
            "no tenant has a folder of open data with GeoJSON: open_data: {folder: {}} in its file, and a night"
        )
    served.collections = [*resources]
    text = to_literal_yaml(_build_configuration(offering, resources, url))
    served.has_changed = _write_text(place / CONFIGURATION, text)
    if portal is not None:
        _write_text(place / SERVICES, render_services(layers, portal, url))
        _write_text(place / LAYER_TREE, render_layer_tree(layers))
    return served


def _read_index(files: Files, slug: str) -> FolderIndex | None:
    """What a tenant offers to everybody, if it does."""
    index = OpenFolder(files, slug).read_index()
    return index if index is not None and index.access == "everybody" else None


def _list_served(index: FolderIndex | None) -> Mapping[str, OpenFile]:
    return {
        name: file
        for name, file in (index.files.items() if index is not None else ())
        if name in _DESCRIBED or (name.endswith(".geojson") and file.size <= _MOST_BYTES)
    }


def _list_layers(
    folder: OpenFolder, tenant: Tenant, index: FolderIndex, resources: Mapping[str, Any]
) -> Iterator[PortalLayer]:
    """What a portal shows of a tenant: each table whose GeoJSON a browser can hold."""
    said = index.files.get("licences.json")
    parts = folder.read_parts(said, 0, said.size) if said is not None else None
    licences = json.loads(b"".join(parts)) if parts is not None else {}
    for name in sorted(_list_served(index)):
        model, _, ending = name.rpartition(".")
        if ending == "geojson":
            key = f"{tenant.slug}_{model}"
            attributions = tuple(licences.get(model, {}).get("attributions", ()))
            yield PortalLayer(tenant, model, attributions, key if key in resources else None)


def _describe_tables(
    place: Path, tenant: Tenant, index: FolderIndex
) -> Iterator[tuple[str, dict[str, Any] | str]]:
    """The collection of each table with GeoJSON, by its name, or why it is none."""
    if not {*_DESCRIBED} <= index.files.keys():
        return
    package, dictionary = (json.loads((place / name).read_text(encoding="utf-8")) for name in _DESCRIBED)
    for resource in package.get("resources", ()):
        if resource["format"] == "geojson":
            model = resource["path"].removesuffix(".geojson")
            name, key = f"{tenant.slug}_{model}", dictionary.get(model, {}).get("x-key", [])
            if resource["bytes"] > _MOST_BYTES:
                yield name, f"its GeoJSON has more than {_MOST_BYTES:,} bytes, and is read at each request"
            elif len(key) != 1:
                yield name, "its rows have no key of one column, by which features are asked for"
            else:
                path = place / resource["path"]
                features = json.loads(path.read_bytes())["features"]
                yield name, _build_resource(tenant, resource, key[0], path, features)


def _build_resource(
    tenant: Tenant, resource: Mapping[str, Any], key: str, path: Path, features: list[Any]
) -> dict[str, Any] | str:
    if not features:
        return "it has no rows"
    spots = [each["geometry"]["coordinates"] for each in features if each["geometry"] is not None]
    points = [point for spot in spots for point in _list_points(spot)]
    west, south, east, north = tenant.bbox
    box = [west, south, east, north]
    if points:
        lons, lats = [point[0] for point in points], [point[1] for point in points]
        box = [min(lons), min(lats), max(lons), max(lats)]
    licences = [
        {"type": "text/html", "rel": "license", "title": licence["title"], "href": licence["path"]}
        for licence in resource["licenses"]
        if "path" in licence
    ]
    return {
        "type": "collection",
        "title": f"{resource['title']} – {tenant.name}",
        "description": resource["description"],
        "keywords": [tenant.name, resource["title"]],
        "links": licences,
        "extents": {"spatial": {"bbox": box, "crs": _CRS84}},
        "providers": [
            {
                "type": "feature",
                "name": "GeoJSON",
                "data": str(path.resolve()),
                "id_field": key,
                "crs": [*_SYSTEMS],
            }
        ],
    }


def _describe_sinks(tenant: Tenant) -> Iterator[tuple[str, dict[str, Any] | str]]:
    """What is on a tenant's SensorThings servers, as collections, or why it is none."""
    for name, sink in tenant.sinks.items():
        if not isinstance(sink, SensorThingsSink):
            continue
        if sink.headers:
            yield f"{tenant.slug}_{name}", "it asks for headers, which pygeoapi does not send"
            continue
        for entity, (title, time) in _ENTITIES.items():
            provider = {
                "type": "feature",
                "name": "SensorThings",
                "data": sink.url,
                "entity": entity,
                "id_field": "@iot.id",
                **({"time_field": time} if time else {}),
            }
            yield (
                f"{tenant.slug}_{name}_{entity.lower()}",
                {
                    "type": "collection",
                    "title": f"{title} – {tenant.name}",
                    "description": f"{title} des Dienstes {sink.url}",
                    "keywords": [tenant.name, title],
                    "links": [],
                    "extents": {"spatial": {"bbox": [*tenant.bbox], "crs": _CRS84}},
                    "providers": [provider],
                },
            )


def _list_points(coordinates: Any) -> Iterator[Any]:
    if coordinates and isinstance(coordinates[0], int | float):
        yield coordinates
    else:
        for part in coordinates:
            yield from _list_points(part)


def _build_configuration(tenants: list[Tenant], resources: Mapping[str, Any], url: str) -> dict[str, Any]:
    first = tenants[0].open_data
    names = ", ".join(tenant.name for tenant in tenants)
    contact, publisher = first.contact, first.publisher
    licences = sorted({link["title"] for resource in resources.values() for link in resource["links"]})
    return {
        "server": {
            "bind": {"host": "0.0.0.0", "port": 5000},  # noqa: S104 - in a container
            "url": url.rstrip("/"),
            "mimetype": "application/json; charset=UTF-8",
            "encoding": "utf-8",
            "gzip": False,
            "languages": _LANGUAGES,
            "cors": True,
            "pretty_print": False,
            "limits": {"default_items": 100, "max_items": _MOST_ITEMS, "on_exceed": "throttle"},
            "map": {"url": _TILES, "attribution": "© GeoBasis-DE / BKG (2026) CC BY 4.0"},
            "admin": False,
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {
                "title": {"de": f"Offene Daten: {names}", "en": f"Open data: {names}"},
                "description": {
                    "de": "Offene Tabellen als OGC API Features.",
                    "en": "Open tables as OGC API Features.",
                },
                "keywords": {"de": ["offene Daten"], "en": ["open data"]},
                "keywords_type": "theme",
                "terms_of_service": first.landing_page or url,
                "url": first.landing_page or url,
            },
            "license": {"name": ", ".join(licences) or "-", "url": first.landing_page or url},
            "provider": {
                "name": publisher.name if publisher else names,
                "url": (publisher.url if publisher else None) or first.landing_page or url,
            },
            "contact": {
                "name": contact.name if contact else names,
                **({"email": contact.email} if contact and contact.email else {}),
                "url": (contact.url if contact else None) or first.landing_page or url,
            },
        },
        "resources": dict(resources),
    }


def _write_text(path: Path, text: str) -> bool:
    """Put the text there, unless it is there; whether it was not."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    with open_output(path, BytesIO()) as sink:
        sink.write(text.encode())
    return True

"""What a Masterportal shows of open data: a file of services with a layer per table, and the layer tree of a portal.

Tables that pygeoapi serves are layers of the type OAF, the others with GeoJSON are read from the folder of open data.
Source: services.json and config.json of Masterportal 3, https://bitbucket.org/geowerkstatt-hamburg/masterportal, and
what its masterportalapi 2.54.0 (npm) asks for. A layer OAF is drawn as it comes, so that the server has to know the
reference system of the map.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from civitas_assets.catalog import Tenant
from civitas_assets.dcat.model_labels import MODEL_LABELS
from civitas_assets.errors import ExportError

SERVICES, LAYER_TREE = "services.json", "layer-tree.json"
# Reference systems that portals of German municipalities have: zones of UTM, and what tiles of the web are in.
PORTAL_SYSTEMS = tuple(f"http://www.opengis.net/def/crs/EPSG/0/{code}" for code in (25832, 25833, 3857, 4258))
_PAGE = 1000  # features; the portal follows links to the next ones
_SCALES = {"minScale": "0", "maxScale": "2500000"}


@dataclass(frozen=True)
class Portal:
    """A portal: the reference system of its map, and where each tenant's folder of open data is."""

    system: str
    open_urls: Mapping[str, str]

    @classmethod
    def build(cls, system: str, open_urls: Mapping[str, str]) -> Portal:
        """From a code, such as EPSG:25832.

        Raises:
            ExportError: pygeoapi is not set up for it.
        """
        known = {f"EPSG:{uri.rpartition('/')[2]}": uri for uri in PORTAL_SYSTEMS}
        code = re.sub(r"\s", "", system).upper()
        if code not in known:
            raise ExportError(f"{system!r} is no reference system of a portal: one of {', '.join(known)}")
        return cls(known[code], open_urls)


@dataclass(frozen=True)
class PortalLayer:
    """A table that a portal shows; without `collection`, from the file of the folder of open data."""

    tenant: Tenant
    model: str
    attributions: tuple[str, ...]
    collection: str | None = None

    @property
    def key(self) -> str:
        """What portals call the layer."""
        return f"{self.tenant.slug}_{self.model}"


def render_services(layers: Iterable[PortalLayer], portal: Portal, url: str) -> str:
    """The file that a portal's `layerConf` names; `url` is where pygeoapi is reached."""
    return _render([_describe_layer(layer, portal, url) for layer in layers])


def render_layer_tree(layers: Iterable[PortalLayer]) -> str:
    """The part `layerConfig` of a portal's `config.json`: a folder for each tenant, with nothing shown at first."""
    folders = dict[str, dict[str, Any]]()
    for layer in layers:
        name = layer.tenant.name
        folder = folders.setdefault(layer.tenant.slug, {"name": name, "type": "folder", "elements": []})
        folder["elements"].append({"id": layer.key, "visibility": False})
    return _render({"layerConfig": {"subjectlayer": {"elements": [*folders.values()]}}})


def _describe_layer(layer: PortalLayer, portal: Portal, url: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": layer.key,
        "name": MODEL_LABELS[layer.model].title_de,
        "gfiAttributes": "showAll",
        "gfiTheme": "default",
        "layerAttribution": "; ".join(map(escape, layer.attributions)) or "nicht vorhanden",
        "legend": True,
        "datasets": False,
        **_SCALES,
    }
    if layer.collection is None:
        address = f"{portal.open_urls[layer.tenant.slug]}/{layer.model}.geojson"
        return {**made, "typ": "GeoJSON", "url": address}
    return {
        **made,
        "typ": "OAF",
        "url": url.rstrip("/"),
        "collection": layer.collection,
        "crs": portal.system,
        "bboxCrs": portal.system,
        "limit": _PAGE,
    }


def _render(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"

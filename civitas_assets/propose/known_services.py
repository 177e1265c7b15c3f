"""Addresses that are asked in another way than one file at a time: pages of OGC services, and public services.

What is there is seen in the sample; how all of it is fetched, the address tells.
"""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

import msgspec

from civitas_assets.catalog import Source
from civitas_assets.propose.sample import Sample
from civitas_assets.propose.sample_columns import SampleColumn
from civitas_assets.propose.standards import Standard, parse_feature_type

_COLLECTION = re.compile(r"^(.*)/collections/([^/?#]+)/items/?(?:[?#].*)?$")
_FEATURES = 50  # of a sample
# Hosts of services that have connectors of their own.
_SERVICES = {
    "pegelonline.wsv.de": "pegelonline",
    "umweltbundesamt.de": "uba",
    "opendata.dwd.de": "dwd",
    "opensensemap.org": "opensensemap",
    "sensor.community": "sensor_community",
    "verkehr.autobahn.de": "autobahn",
    "api.brightsky.dev": "brightsky",
    "marktstammdatenregister.de": "mastr",
    "hystreet.com": "hystreet",
    "regionalstatistik.de": "genesis",
    "luftdaten.info": "sensor_community",
}


def add_service(sample: Sample, address: str) -> Sample:
    """The sample as one of a service that is asked page by page, where its address is of one."""
    if sample.connector not in {"geojson", "geofile"}:
        return sample
    match, web = _COLLECTION.match(address), parse_feature_type(address)
    if match is None and web is None:
        return sample
    columns = [bare for column in sample.columns if (bare := _bare(column)) is not None]
    sample = replace(sample, columns=columns, outside=(), reached={})
    if match is not None:
        settings = {**sample.settings, "collection": match[2]}
        return replace(sample, connector="ogc_features", settings=settings, url=match[1])
    assert web is not None  # noqa: S101 - one of both
    url, api, kind = web
    settings = {**sample.settings, "api": api, "collection": kind}
    if sample.connector == "geojson":
        settings["format"] = "application/json"
    return replace(sample, connector="ogc_features", settings=settings, url=url)


def _bare(column: SampleColumn) -> SampleColumn | None:
    """The column under the name of its attribute; None for what is nested in one, which has none."""
    name = column.name
    if re.fullmatch(r'"(?:[^"\\]|\\.)*"', name):
        return replace(column, name=str(msgspec.json.decode(name)))
    return None if "." in name else column


def build_sample_address(source: Source) -> str:
    """Where some features of a service are, of which only a description was seen; empty for what is none of OGC."""
    collection = getattr(source, "collection", "?")
    if source.connector != "ogc_features" or collection == "?":
        return ""
    api = getattr(source, "api", "")
    if not api.startswith("wfs"):
        return f"{source.url}/collections/{collection}/items?limit={_FEATURES}"
    version, kind, limit = (
        ("1.1.0", "typeName", "maxFeatures") if api == "wfs11" else ("2.0.0", "typeNames", "count")
    )
    asked = {
        "service": "WFS",
        "version": version,
        "request": "GetFeature",
        kind: collection,
        limit: str(_FEATURES),
    }
    return f"{source.url}?{urlencode(asked)}"


def detect_service(address: str) -> Standard | None:
    """The connector of a public service that needs nothing but its name."""
    host = (urlsplit(address).hostname or "").lower()
    for suffix, connector in _SERVICES.items():
        if host == suffix or host.endswith(f".{suffix}"):
            return Standard(
                connector, f"a public service with a connector of its own, {connector}", "-",
                advice=f"if nothing is named, it looks in the tenant's box: docs/connectors/{connector}.md",
            )  # fmt: skip
    return None

"""Opendatasoft's Explore API, version 2.1: the datasets of a portal, each with exports of all its records.

Source: https://help.opendatasoft.com/apis/ods-explore-v2/.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from civitas_assets.discover.dataset import Dataset, Distribution, Page, select_text
from civitas_assets.discover.kinds.catalogue_addresses import join_address, read_number, replace_parameters
from civitas_assets.errors import ReadError

NAME = "Opendatasoft"
_PART = 100
_BELOW = "api/explore/v2.1/catalog/datasets"
_ROOT = re.compile(r"(/api/.*|/explore.*)?/*([?#].*)?$")


def list_addresses(url: str, term: str) -> list[str]:
    """Where it may be asked first."""
    asked = {"limit": str(_PART), "offset": "0"}
    if term:
        asked["where"] = f'search("{term}")'
    return [join_address(_ROOT.sub("", url), f"{_BELOW}?{urlencode(asked)}")]


def read_page(body: bytes, address: str) -> Page:
    """The datasets of an answer.

    Raises:
        ReadError: it is none of Opendatasoft.
    """
    try:
        content = msgspec.json.decode(body)
        total, results = int(content["total_count"]), content["results"]
        datasets = tuple(_dataset(one, address) for one in results if one.get("has_records", True))
    except (msgspec.DecodeError, RecursionError, TypeError, KeyError, ValueError, AttributeError):
        raise ReadError("is no answer of Opendatasoft's catalogue") from None
    start = read_number(address, "offset") + len(results)
    following = replace_parameters(address, offset=str(start)) if results and start < total else ""
    return Page(datasets, following, None if len(datasets) < len(results) else total)


def _dataset(one: Mapping[str, Any], address: str) -> Dataset:
    metas = one.get("metas")
    found = metas.get("default") if isinstance(metas, Mapping) else None
    said: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    name = str(one["dataset_id"])
    exports = f"{address.partition('?')[0]}/{quote(name, safe='')}/exports"
    features = one.get("features")
    has_positions = isinstance(features, list) and "geo" in features
    licence = select_text(said.get("license_url")) or select_text(said.get("license"))
    keywords = said.get("keyword")
    return Dataset(
        identifier=name,
        title=select_text(said.get("title")) or name,
        description=re.sub(r"<[^>]+>", " ", select_text(said.get("description"))),
        publisher=select_text(said.get("publisher")),
        licence=licence,
        attribution=select_text(said.get("attributions")),
        modified=select_text(said.get("modified")),
        keywords=tuple(map(select_text, keywords)) if isinstance(keywords, list) else (),
        distributions=(
            *([Distribution(f"{exports}/geojson", "GeoJSON")] if has_positions else []),
            Distribution(f"{exports}/csv", "CSV"),
        ),
    )

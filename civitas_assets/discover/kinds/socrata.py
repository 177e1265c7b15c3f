"""Socrata's Discovery API: the datasets of one domain, each with an export of its rows.

Source: https://dev.socrata.com/docs/other/discovery.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from civitas_assets.discover.dataset import Dataset, Distribution, Page, select_text
from civitas_assets.discover.kinds.catalogue_addresses import join_address, read_number, replace_parameters
from civitas_assets.errors import ReadError

NAME = "Socrata"
_PART = 100


def list_addresses(url: str, term: str) -> list[str]:
    """Where it may be asked first."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    asked = {"domains": host, "search_context": host, "only": "datasets", "limit": str(_PART), "offset": "0"}
    if term:
        asked["q"] = term
    return [join_address(f"{parts.scheme}://{parts.netloc}", f"api/catalog/v1?{urlencode(asked)}")]


def read_page(body: bytes, address: str) -> Page:
    """The datasets of an answer.

    Raises:
        ReadError: it is none of Socrata.
    """
    try:
        content = msgspec.json.decode(body)
        total, results = int(content["resultSetSize"]), content["results"]
        datasets = tuple(_dataset(one, address) for one in results)
    except (msgspec.DecodeError, RecursionError, TypeError, KeyError, ValueError, AttributeError):
        raise ReadError("is no answer of Socrata's catalogue") from None
    start = read_number(address, "offset") + len(results)
    following = replace_parameters(address, offset=str(start)) if results and start < total else ""
    return Page(datasets, following, total)


def _dataset(one: Mapping[str, Any], address: str) -> Dataset:
    said, classified, meta = one["resource"], one.get("classification") or {}, one.get("metadata") or {}
    name, parts = str(said["id"]), urlsplit(address)
    tags = classified.get("domain_tags")
    return Dataset(
        identifier=name,
        title=select_text(said.get("name")) or name,
        description=select_text(said.get("description")),
        publisher=select_text(said.get("attribution")),
        licence=select_text(meta.get("license")),
        modified=select_text(said.get("updatedAt")),
        keywords=tuple(map(select_text, tags)) if isinstance(tags, list) else (),
        distributions=(
            Distribution(
                f"{parts.scheme}://{parts.netloc}/api/views/{name}/rows.csv?accessType=DOWNLOAD", "CSV"
            ),
        ),
    )

"""CKAN's action API: `package_search`, in parts.

Source: https://docs.ckan.org/en/latest/api/; the fields of the German profile by ckanext-dcatde.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from civitas_assets.catalog import Box
from civitas_assets.discover.dataset import Dataset, Distribution, Page, build_box, select_text
from civitas_assets.discover.kinds.catalogue_addresses import join_address, read_number, replace_parameters
from civitas_assets.errors import ReadError

NAME = "CKAN"
_PART = 500  # datasets; servers give 1000 at most
_ROOT = re.compile(r"(/api(/3)?(/action(/.*)?)?|/(dataset|group|organization|harvest)(/.*)?)?/*([?#].*)?$")
_KEY = re.compile(r"municipalityKey/(\d{8})")


def list_addresses(url: str, term: str) -> list[str]:
    """Where it may be asked first; `term` is what is searched for, empty for everything."""
    asked = {"rows": str(_PART), "start": "0", "sort": "name asc"}
    if term:
        asked["q"] = f'"{term}"'
    return [join_address(_ROOT.sub("", url), f"api/3/action/package_search?{urlencode(asked)}")]


def read_page(body: bytes, address: str) -> Page:
    """The datasets of an answer.

    Raises:
        ReadError: it is none of CKAN.
    """
    try:
        content = msgspec.json.decode(body)
        result = content["result"]
        packages, total = result["results"], int(result["count"])
    except (msgspec.DecodeError, RecursionError, TypeError, KeyError, ValueError):
        raise ReadError("is no answer of CKAN's package_search") from None
    if not isinstance(packages, list):
        raise ReadError("is no answer of CKAN's package_search")
    start = read_number(address, "start") + len(packages)
    following = replace_parameters(address, start=str(start)) if packages and start < total else ""
    datasets = tuple(_dataset(package) for package in packages if _is_public(package))
    return Page(datasets, following, total)


def _is_public(package: Any) -> bool:
    return (
        isinstance(package, Mapping)
        and not package.get("private")
        and package.get("state", "active") == "active"
    )


def _dataset(package: Mapping[str, Any]) -> Dataset:
    extras = _extras(package)
    organisation = package.get("organization")
    publisher = extras.get("publisher_name", "") or (
        select_text(organisation.get("title") or organisation.get("name"))
        if isinstance(organisation, Mapping)
        else ""
    )
    tags = package.get("tags")
    keywords = [select_text(tag.get("display_name") or tag.get("name")) for tag in _mappings(tags)]
    return Dataset(
        identifier=select_text(package.get("id") or package.get("name")),
        title=select_text(package.get("title_translated") or package.get("title") or package.get("name")),
        description=select_text(package.get("notes_translated") or package.get("notes")),
        publisher=publisher,
        licence=_licence(package),
        attribution=extras.get("licenseAttributionByText", ""),
        modified=extras.get("modified", "") or select_text(package.get("metadata_modified")),
        keywords=tuple(filter(None, keywords)),
        keys=frozenset(_KEY.findall(extras.get("politicalGeocodingURI", ""))),
        box=_box(extras.get("spatial", "") or select_text(package.get("spatial"))),
        distributions=tuple(
            Distribution(
                url=select_text(resource["url"]),
                form=select_text(resource.get("format") or resource.get("mimetype")),
                title=select_text(resource.get("name_translated") or resource.get("name")),
                licence=select_text(resource.get("license")),
                attribution=select_text(resource.get("licenseAttributionByText")),
                identifier=select_text(resource.get("id")),
            )
            for resource in _mappings(package.get("resources"))
            if re.match("https?://", select_text(resource.get("url")))
            and resource.get("state", "active") == "active"
        ),
    )


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _extras(package: Mapping[str, Any]) -> dict[str, str]:
    """Fields that a profile adds: in a list, or beside the others."""
    listed = {str(extra.get("key")): _text(extra.get("value")) for extra in _mappings(package.get("extras"))}
    beside = {
        name: _text(package[name])
        for name in ("politicalGeocodingURI", "licenseAttributionByText", "publisher_name", "spatial")
        if package.get(name)
    }
    return beside | listed


def _text(value: Any) -> str:
    """An extra is a text; what is none is written as JSON, as the German profile does itself."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _licence(package: Mapping[str, Any]) -> str:
    named = [select_text(package.get(name)) for name in ("license_id", "license_url", "license_title")]
    return next((text for text in named if text and text.lower() not in {"notspecified", "other"}), "")


def _box(written: str) -> Box | None:
    """The box around an area in GeoJSON."""
    try:
        content = msgspec.json.decode(written.encode())
    except (msgspec.DecodeError, RecursionError):
        return None
    points = [*_points(content.get("coordinates"))] if isinstance(content, Mapping) else []
    if not points:
        return None
    across, along = [point[0] for point in points], [point[1] for point in points]
    return build_box(min(across), min(along), max(across), max(along))


def _points(value: Any) -> list[tuple[float, float]]:
    if not isinstance(value, list):
        return []
    if len(value) >= 2 and all(isinstance(part, int | float) for part in value[:2]):
        return [(float(value[0]), float(value[1]))]
    return [point for part in value for point in _points(part)]

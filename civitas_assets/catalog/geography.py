"""Where and by which clock a tenant is: boxes, time zones and reference systems as files write them."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator

from civitas_assets.catalog.basis import suggest_name


def _is_zone(name: str) -> str:
    if name not in available_timezones():
        meant = suggest_name(name, sorted(available_timezones()))
        raise ValueError(f"{meant}must be a time zone of the IANA database, such as Europe/Berlin")
    return name


def _is_crs(name: str) -> str:
    if not name.startswith("EPSG:") or not name[5:].isdigit():
        raise ValueError("must be an EPSG code, such as EPSG:25832")
    return name


Box = tuple[float, float, float, float]
TimeZone = Annotated[str, AfterValidator(_is_zone)]
Crs = Annotated[str, AfterValidator(_is_crs)]

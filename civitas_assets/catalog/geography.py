"""Where and by which clock a tenant is: boxes, time zones and reference systems as files write them."""

from __future__ import annotations

from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator

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


def _to_numbers(value: Any) -> Any:
    return tuple(float(v) if isinstance(v, int) else v for v in value) if isinstance(value, list) else value


def _is_ordered(box: Box) -> Box:
    west, south, east, north = box
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        order = "west before east, south before north"
        raise ValueError(f"must be [west, south, east, north] in degrees, {order}")
    return box


Box = tuple[float, float, float, float]
OrderedBox = Annotated[Box, BeforeValidator(_to_numbers), AfterValidator(_is_ordered)]  # as a file writes it
TimeZone = Annotated[str, AfterValidator(_is_zone)]
Crs = Annotated[str, AfterValidator(_is_crs)]

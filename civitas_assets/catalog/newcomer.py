"""A new tenant by its official key: what the list of municipalities says of it, and what somebody says instead.

The list is in `municipalities.py`, the file that comes of it in `starter.py`.
"""

from __future__ import annotations

import re

from civitas_assets.catalog.geography import Box
from civitas_assets.catalog.municipalities import (
    Municipality,
    find_municipality,
    has_key,
    list_ended_near,
    read_edition,
)
from civitas_assets.catalog.starter import TenantTemplate
from civitas_assets.errors import MunicipalityError


def make_newcomer(  # noqa: PLR0917 - each argument is of another type
    written: str,
    name: str | None,
    ags: str | None,
    bbox: Box | None,
    timezone: str,
    destination: str,
    *,
    takes_defaults: bool,
) -> tuple[TenantTemplate, list[str]]:
    """The new tenant, and remarks for whoever adds it.

    `written` is an official key, which gives name, box and the tenant's key; or a tenant's key, with `ags`.
    Where name and box are given, too, the list need not know the official key.

    Raises:
        MunicipalityError: a key is of no municipality of today, or something is missing that the list does not have.
    """
    is_official = re.match(r"\d", written) is not None
    if is_official and ags is not None:
        raise MunicipalityError(
            f"{written} is an official key already: leave out --ags, or write a KEY of your own"
        )
    official = written if is_official else ags
    if official is None:
        raise MunicipalityError(
            f"{written} needs its official key: civitas tenant add AGS, or --ags AGS with {written}"
        )
    if not is_official and name is not None and bbox is not None and not has_key(official):
        keys = read_edition().keys_as_of
        remark = f"{official} is not in the list of municipalities of {keys}: taken as it was written"
        return TenantTemplate(written, name, official, bbox, timezone, destination, takes_defaults), [remark]
    town = find_municipality(official)
    box = bbox or town.box
    if box is None:
        raise MunicipalityError(
            f"{town.describe()} is younger than the boundaries of {read_edition().boundaries_as_of} that come with the "
            "project: say where it is with --bbox W,S,E,N"
        )
    remarks = _note_doubts(town) if bbox is None else []
    notes = (town.describe(), *(remarks if bbox is not None else [_note_origin(), *remarks]))
    slug = town.slug if is_official else written
    template = TenantTemplate(
        slug, name or town.short_name, town.ags, box, timezone, destination, takes_defaults, notes=notes
    )
    return template, remarks


def _note_origin() -> str:
    edition = read_edition()
    return (
        f"Keys of {edition.keys_as_of}, box by VG250 of {edition.boundaries_as_of} "
        f"(© GeoBasis-DE / BKG {edition.boundaries_as_of[:4]})"
    )


def _note_doubts(town: Municipality) -> list[str]:
    ended = list_ended_near(town)
    if not ended:
        return []
    names = f"{', '.join(ended[:5])}{' and others' if len(ended) > 5 else ''}"
    day = read_edition().boundaries_as_of
    return [f"unsure: the box is of {day}, and too small if the town has taken in {names}, which ended since"]

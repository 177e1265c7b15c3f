"""Writing a tenant's file: a new one with explanations, and whether the tenant is archived.

All else in a file stays as people wrote it.
"""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from civitas_assets.catalog.basis import DEFAULTS, SLUG
from civitas_assets.catalog.defaults import Defaults
from civitas_assets.catalog.load import SourceModels, load_catalog
from civitas_assets.catalog.yaml_text import locate_file
from civitas_assets.errors import CatalogError, Fault

_ARCHIVED = re.compile(r"^archived:.*(\n|$)", re.MULTILINE)

_TEMPLATE = """\
# {name}: where it is, what is pulled for it every night, and what becomes of it.
{notes}# yaml-language-server: $schema=tenant.json     (write it with: civitas schema tenant.json)
name: {quoted}
ags: "{ags}"                        # official municipality key, always in quotes
timezone: {timezone}             # whose calendar days partition the data
bbox: [{bbox}]     # west, south, east, north: positions outside are rejected
destination: {destination}
{defaults}
# What others may see in the commons, with licence and attribution; a column can be withheld.
# share:
#   - station
#   - {{table: parking_status, withhold: [free_ratio]}}

# How long things are kept; what is not said is kept for ever.
# retention: {{landing: 90 days, records: 3 years}}

sources: {{}}
# Public services need nothing but their name; they look within the box:
#   water: {{connector: pegelonline}}
#   air: {{connector: uba}}
# Others say where they are and what their fields mean; docs/connectors has a page for each connector:
#   parking:
#     title: Belegung der Parkhäuser
#     connector: json
#     licence: dl-de/by-2-0
#     attribution: {name}
#     url: "https://parking.example/api/occupancy"
#     headers: {{Authorization: {{secret: {upper}_TOKEN, prefix: "Bearer "}}}}
#     record_type: parking_status
#     fields: {{site_id: id, free: free_spaces, capacity: total}}
#     time: {{column: updated, zone: offset}}
"""
_TAKEN = """
# Sources of defaults.yaml: all, or a list of their names. What is said of one of them below goes before.
defaults: all
"""


@dataclass(frozen=True)
class TenantTemplate:
    """What has to be known of a tenant to begin with; `notes` are sentences at the head of its file."""

    slug: str
    name: str
    ags: str
    bbox: tuple[float, float, float, float]
    timezone: str = "Europe/Berlin"
    destination: str = "duckdb"
    takes_defaults: bool = False
    notes: tuple[str, ...] = ()

    def render(self) -> str:
        """The file, as it is offered to whoever goes on with it."""
        return _TEMPLATE.format(
            name=" ".join(self.name.split()),
            notes="".join(f"# {' '.join(note.split())}\n" for note in self.notes),
            quoted=json.dumps(self.name, ensure_ascii=False),
            ags=self.ags,
            timezone=self.timezone,
            bbox=", ".join(f"{number:g}" for number in self.bbox),
            destination=self.destination,
            defaults=_TAKEN if self.takes_defaults else "",
            upper=self.slug.upper(),
        )


def check_newcomer(folder: Path, newcomer: TenantTemplate, models: SourceModels) -> Path:
    """Where the file of a new tenant would be, once it is known to be right; nothing is written.

    Raises:
        CatalogError: something of it is not valid, or there is such a tenant.
    """
    if not re.fullmatch(SLUG, newcomer.slug):
        raise CatalogError([Fault(newcomer.slug, 0, "", f"a tenant's key must match {SLUG}")])
    if newcomer.slug == DEFAULTS:
        raise CatalogError(
            [Fault(f"{DEFAULTS}.yaml", 0, "", "is what tenants take over, and must not be one of them")]
        )
    file, taken = folder / f"{newcomer.slug}.yaml", locate_file(folder, newcomer.slug)
    if taken.exists():
        raise CatalogError([Fault(taken.name, 0, "", "there is such a tenant already")])
    with tempfile.TemporaryDirectory() as trial:
        rehearsed = Path(trial) / file.name
        rehearsed.write_text(newcomer.render(), encoding="utf-8")
        if newcomer.takes_defaults:
            defaults = Defaults(folder)
            (Path(trial) / defaults.file.name).write_bytes(defaults.body)
        load_catalog(Path(trial), models)
    return file


def write_tenant_file(folder: Path, newcomer: TenantTemplate, models: SourceModels) -> Path:
    """Write the file of a new tenant, once it is known to be right; where it is.

    Raises:
        CatalogError: something of it is not valid, or there is such a tenant.
    """
    file = check_newcomer(folder, newcomer, models)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(newcomer.render())
    except FileExistsError:
        raise CatalogError([Fault(file.name, 0, "", "there is such a tenant already")]) from None
    return file


def set_archived(file: Path, *, archived: bool) -> bool:
    """Say in a tenant's file whether it is archived; whether that was something new."""
    text = file.read_text(encoding="utf-8")
    rest = _ARCHIVED.sub("", text)
    wanted = rest.rstrip("\n") + "\narchived: true   # nothing runs any more\n" if archived else rest
    if archived == bool(re.search(r"^archived:\s*true\b", text, re.MULTILINE)):
        return False
    new = file.with_name(f".{file.name}.new")
    new.write_text(wanted, encoding="utf-8")
    new.replace(file)
    return True

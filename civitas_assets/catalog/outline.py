"""The tenants' files as an outline: whose they are and which sources they name, without holding them against models.

For overviews that must answer at once and also where a file has faults; `load.py` names those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from civitas_assets.catalog.basis import DEFAULTS
from civitas_assets.catalog.defaults import Defaults
from civitas_assets.catalog.last_good import LastGood
from civitas_assets.errors import CatalogError, Fault

NIGHTLY = "nightly"


@dataclass(frozen=True)
class TenantOutline:
    """One tenant: its name, and the cadence of each source; `readable` is False for a file that is no tenant's."""

    name: str
    cadences: Mapping[str, str]
    readable: bool = True


def read_outlines(folder: Path, last_good: LastGood | None = None) -> dict[str, TenantOutline]:
    """The outline of every tenant's file, by the tenant's key; of one that cannot be read, that of its last good state.

    Raises:
        CatalogError: there is no such folder.
    """
    if not folder.is_dir():
        raise CatalogError(
            [Fault(str(folder), 0, "", "no such folder; set CIVITAS_TENANTS_DIR to the tenants' files")]
        )
    found, defaults = {}, Defaults(folder)
    for file in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        if file.stem == DEFAULTS:
            continue
        outline = _outline(file, defaults)
        if not outline.readable and last_good is not None:
            outline = replace(_outline(last_good.find_file(file.stem), defaults), readable=False)
        found[file.stem] = outline
    return found


def _outline(file: Path, defaults: Defaults) -> TenantOutline:
    try:
        content = defaults.open(file).content
    except CatalogError:
        return TenantOutline(file.stem, {}, readable=False)
    sources = content.get("sources") or {}
    if not content or not isinstance(sources, dict):
        return TenantOutline(file.stem, {}, readable=False)
    cadences = {
        str(name): str(settings.get("cadence", NIGHTLY)) if isinstance(settings, dict) else NIGHTLY
        for name, settings in sources.items()
    }
    return TenantOutline(str(content.get("name", file.stem)), cadences)

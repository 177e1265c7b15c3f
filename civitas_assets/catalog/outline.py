"""The tenants' files as an outline: whose they are and which sources they name, without holding them against models.

For overviews that must answer at once and also where a file has faults; `load.py` names those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from civitas_assets.errors import CatalogError, Fault

# The loader in C is ten times as fast, where PyYAML was built with it.
SAFE_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
NIGHTLY = "nightly"


@dataclass(frozen=True)
class Outline:
    """One tenant: its name, and the cadence of each source; `readable` is False for a file that is no tenant's."""

    name: str
    cadences: Mapping[str, str]
    readable: bool = True


def outlines(folder: Path) -> dict[str, Outline]:
    """The outline of every tenant's file, by the tenant's key.

    Raises:
        CatalogError: there is no such folder.
    """
    if not folder.is_dir():
        raise CatalogError(
            [Fault(str(folder), 0, "", "no such folder; set CIVITAS_TENANTS_DIR to the tenants' files")]
        )
    return {file.stem: _outline(file) for file in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])}


def _outline(file: Path) -> Outline:
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=SAFE_LOADER)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, UnicodeDecodeError):
        return Outline(file.stem, {}, readable=False)
    sources = content.get("sources") or {} if isinstance(content, dict) else None
    if not isinstance(sources, dict):
        return Outline(file.stem, {}, readable=False)
    cadences = {
        str(name): str(settings.get("cadence", NIGHTLY)) if isinstance(settings, dict) else NIGHTLY
        for name, settings in sources.items()
    }
    return Outline(str(content.get("name", file.stem)), cadences)

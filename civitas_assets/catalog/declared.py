"""Where a tenant's file says that it is published, for who only reads what is there."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from civitas_assets.catalog.basis import SLUG
from civitas_assets.catalog.last_good import LastGood
from civitas_assets.catalog.yaml_document import YamlDocument
from civitas_assets.catalog.yaml_text import locate_file
from civitas_assets.errors import CatalogError
from civitas_assets.settings import Settings

if TYPE_CHECKING:
    from civitas_assets.catalog.model import Destination


def read_declared_destination(settings: Settings, slug: str) -> Destination:
    """Where the tenant's file says that it is published, of several the first; the rest of it is not checked."""
    if re.fullmatch(SLUG, slug):
        for file in (locate_file(settings.tenants_dir, slug), LastGood(settings.last_good).find_file(slug)):
            with suppress(CatalogError):
                written = YamlDocument(file).content.get("destination")
                first = next(iter(written), None) if isinstance(written, list) else written
                return "postgres" if first == "postgres" else "duckdb"
    return "duckdb"

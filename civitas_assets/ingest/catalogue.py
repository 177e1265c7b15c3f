"""The catalogue of a deployment: its tenants' files with all connectors, each tenant by itself."""

from __future__ import annotations

import sys
from collections.abc import Container, Mapping, Sequence
from datetime import timedelta

from civitas_assets.catalog import Catalog
from civitas_assets.catalog.checks import Check
from civitas_assets.catalog.frame import Frame
from civitas_assets.catalog.last_good import LastGood
from civitas_assets.catalog.load import read_catalog
from civitas_assets.catalog.parsed import ParsedTenants
from civitas_assets.connectors.registry import SOURCE_MODELS
from civitas_assets.errors import Fault
from civitas_assets.ingest.privacy_filter import find_unhideable_fields
from civitas_assets.settings import Settings

_BOUNDLESS = Frame(
    max_bytes=sys.maxsize,
    max_pages=sys.maxsize,
    max_time=timedelta.max,
    max_look_back=timedelta.max,
    max_rows=sys.maxsize,
    max_disk=sys.maxsize,
    max_columns=sys.maxsize,
    max_cells=sys.maxsize,
    max_memory=sys.maxsize,
    max_read_time=timedelta.max,
    secrets=("*",),
)


def load_catalogue(
    settings: Settings, checks: Sequence[Check] = (), *, keep: bool = False, checks_name: str = ""
) -> Catalog:
    """All tenants, those with a faulty file as they were last without; `keep` is for who works for them.

    `checks_name` says which `checks` they are, with all that those go by.

    Raises:
        CatalogError: there is no folder of tenants' files.
    """
    frame, last_good = Frame.from_settings(settings), LastGood(settings.last_good)
    parsed = ParsedTenants(settings.parsed_tenants, checks_name)
    checks = [find_unhideable_fields, *checks]
    return read_catalog(
        settings.tenants_dir, SOURCE_MODELS, last_good, checks, frame=frame, keep=keep, parsed=parsed
    )


def load_shown_catalogue(settings: Settings) -> Catalog:
    """The same for who only shows what others have published, and may not know what the operator allows to fetch.

    Raises:
        CatalogError: there is no folder of tenants' files.
    """
    known = load_catalogue(settings)
    if not known.left_out:
        return known
    more = read_catalog(settings.tenants_dir, SOURCE_MODELS, only=known.left_out, frame=_BOUNDLESS)
    return Catalog({**known.tenants, **more.tenants}, more.left_out, known.stamps)


def read_faults(settings: Settings, tenants: Container[str]) -> Mapping[str, Sequence[Fault]]:
    """The faults of these tenants' files; no other file is read."""
    return read_catalog(
        settings.tenants_dir, SOURCE_MODELS, only=tenants, frame=Frame.from_settings(settings)
    ).faulty

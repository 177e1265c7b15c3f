"""What is published of values that are to be erased: rows by table, for the report, and to see that none is left."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from civitas_assets.catalog import Tenant
from civitas_assets.catalog.basis import COMMONS
from civitas_assets.catalog.destination_kinds import DESTINATIONS
from civitas_assets.errors import PublishError
from civitas_assets.lifecycle.needles import Needles
from civitas_assets.lifecycle.parts import Size
from civitas_assets.publish.duckdb.published_files import PublishedFiles
from civitas_assets.publish.noted import list_held_destinations
from civitas_assets.publish.reading import PublishedTables, open_published
from civitas_assets.settings import Settings
from civitas_assets.store.stores import Stores

log = logging.getLogger("civitas_assets.lifecycle")


def count_published_rows(
    settings: Settings, tenant: Tenant, stores: Stores, needles: Needles
) -> Iterator[tuple[str, Size]]:
    """Rows of the tenant's published tables, and of the commons in DuckDB, in which one of the values stands.

    Looked at is every destination that its file lists, and each that still holds something of it; one of these that
    cannot be asked is a place of its own, since nobody knows what is left there. The commons in PostgreSQL show the
    tenant's own tables.
    """
    held = list_held_destinations(settings, stores.files, tenant.slug)
    found = dict[str, Size]()
    for kind in DESTINATIONS:
        if kind not in {*tenant.destinations, *held}:
            continue
        try:
            with open_published(settings, tenant.slug, destination=kind) as tables:
                for model, rows in _rows(tables, needles, ""):
                    name = f"published/{model}"
                    found[name] = found.get(name, Size()) + Size(rows=rows)
        except PublishError as error:
            if kind in held:  # else nothing is published there
                log.error("%s · %s was not looked through: %s", tenant.slug, kind, error)
                found[f"{kind}, which was not looked through"] = Size(files=1)
    yield from found.items()
    if PublishedFiles.from_settings(settings).find(COMMONS).find():
        with open_published(settings, COMMONS, destination="duckdb") as tables:
            for model, rows in _rows(tables, needles, tenant.slug):
                yield f"commons/{model}", Size(rows=rows)


def _rows(tables: PublishedTables, needles: Needles, tenant: str) -> Iterator[tuple[str, int]]:
    for model, columns in tables.list_columns().items():
        texts = [name for name, kind in columns.items() if kind == "VARCHAR"]
        if not texts:
            continue
        said = ", ".join(f'"{name}"' for name in texts)
        own = " where tenant = ?" if tenant else ""
        found = 0
        for batch in tables.stream(f'select {said} from "{model}"{own}', [tenant] if tenant else [], 65_536):  # noqa: S608
            found += needles.count_rows(batch)
        if found:
            yield model, found

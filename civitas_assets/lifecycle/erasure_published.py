"""What is published of values that are to be erased: rows by table, for the report, and to see that none is left."""

from __future__ import annotations

from collections.abc import Iterator

from civitas_assets.catalog.basis import COMMONS
from civitas_assets.errors import PublishError
from civitas_assets.lifecycle.needles import Needles
from civitas_assets.lifecycle.parts import Size
from civitas_assets.publish.duckdb.published_file import find_published_file
from civitas_assets.publish.reading import PublishedTables, open_published
from civitas_assets.settings import Settings


def count_published_rows(settings: Settings, tenant: str, needles: Needles) -> Iterator[tuple[str, Size]]:
    """Rows of the tenant's published tables, and of the commons in DuckDB, in which one of the values stands.

    The commons in PostgreSQL show the tenant's own tables.
    """
    try:
        with open_published(settings, tenant) as tables:
            for model, rows in _rows(tables, needles, ""):
                yield f"published/{model}", Size(rows=rows)
    except PublishError:
        return  # nothing is published
    if find_published_file(settings.published, COMMONS).is_file():
        with open_published(settings, COMMONS) as tables:
            for model, rows in _rows(tables, needles, tenant):
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

"""Where a tenant's published DuckDB file is; apart from what writes it, so that readers need not import that."""

from __future__ import annotations

from pathlib import Path

from civitas_assets.catalog.basis import COMMONS
from civitas_assets.publish.destination import check_key


def find_published_file(published: Path, name: str) -> Path:
    """Where the file of a tenant is, or that of the commons.

    The stem differs from every schema in the file, else `tenant.table` would be ambiguous.

    Raises:
        PublishError: that cannot be a tenant's key.
    """
    if name != COMMONS:
        check_key(name)
    return published / name / f"{name}_db.duckdb"

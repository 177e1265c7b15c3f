"""Putting a tenant's records aside, so that landing is read again from its beginning.

Nothing is removed: what landing no longer holds can be brought back by hand.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path


def put_records_aside(home: Path, tenant: str) -> Path | None:
    """Move the tenant's records, quarantine and journal away; where they are now, None if there were none."""
    aside = home / "aside" / f"{tenant}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    moved = None
    for part in ("records", "quarantine"):
        folder = home / part / tenant
        if folder.is_dir():
            aside.mkdir(parents=True, exist_ok=True)
            folder.rename(aside / part)
            moved = aside
    return moved

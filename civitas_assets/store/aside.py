"""Putting a tenant's records aside, so that landing is read again from its beginning.

Nothing is removed: what landing no longer holds can be brought back by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from civitas_assets.store.files import Files


def put_records_aside(files: Files, tenant: str) -> str | None:
    """Move the tenant's records, quarantine and journal away; below which key they are now, None if there were none."""
    aside = f"aside/{tenant}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    moved = False
    for keys in _in_order(files, tenant):
        targets = {key: "/".join([aside, key.split("/")[0], *key.split("/")[2:]]) for key in keys}
        files.move_all(targets)
        moved = moved or bool(keys)
    return aside if moved else None


def _in_order(files: Files, tenant: str) -> Sequence[Sequence[str]]:
    """The keys, in portions that are moved one after the other.

    What has been read is forgotten before any record goes, and what is to be published after all of them, so that a
    run after a crash in between reads again what is gone, and loses no day.
    """
    records = files.keys(f"records/{tenant}/")
    read, pending = (
        [key for key in records if key.startswith(f"records/{tenant}/journal/{part}/")]
        for part in ("read", "pending")
    )
    rest = [*(key for key in records if key not in {*read, *pending}), *files.keys(f"quarantine/{tenant}/")]
    return read, rest, pending

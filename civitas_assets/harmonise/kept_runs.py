"""Workspaces that runs have left behind: kept for some days where what was made in them broke a test, else taken away.

What makes them is in `workspace.py`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from civitas_assets.harmonise.workspace import TO_BE_LOOKED_AT, Workspace
from civitas_assets.harmonise.workspace_tables import WORKSPACE_FILE
from civitas_assets.store.files import remove_folder
from civitas_assets.store.locks import hold_folder_lock, is_claimed


def list_kept_runs(folder: Path, tenant: str) -> dict[str, Workspace]:
    """Workspaces of the tenant that broke a test and are still there, by the id of their run, in order."""
    left = sorted(folder.glob(f"*-{tenant}/{TO_BE_LOOKED_AT}"))
    return {mark.parent.name.removesuffix(f"-{tenant}"): Workspace(mark.parent) for mark in left}


def remove_stale_workspaces(folder: Path, now: datetime, keep_days: int = 3) -> None:
    """Remove what runs that are over have left behind; one that broke a test stays a few days, to be looked at."""
    if not folder.is_dir():
        return
    with hold_folder_lock(folder):
        for old in folder.iterdir():
            if not old.is_dir() or is_claimed(old):
                continue
            is_left = (old / WORKSPACE_FILE).exists() and not (old / TO_BE_LOOKED_AT).exists()
            age = now - datetime.fromtimestamp(old.stat().st_mtime, UTC)
            if is_left or age.days >= keep_days:
                remove_folder(old)

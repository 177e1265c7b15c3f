"""Workspaces that are kept for some days, as what was made in them broke a test; by the runs that they are of.

What makes them, and takes them away in the end, is in `workspace.py`.
"""

from __future__ import annotations

from pathlib import Path

from civitas_assets.harmonise.workspace import TO_BE_LOOKED_AT, Workspace


def list_kept_runs(folder: Path, tenant: str) -> dict[str, Workspace]:
    """Workspaces of the tenant that broke a test and are still there, by the id of their run, in order."""
    left = sorted(folder.glob(f"*-{tenant}/{TO_BE_LOOKED_AT}"))
    return {mark.parent.name.removesuffix(f"-{tenant}"): Workspace(mark.parent) for mark in left}

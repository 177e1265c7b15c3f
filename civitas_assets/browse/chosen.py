"""Which tenant the server's process was started for: marimo hands no arguments to the pages that it serves so."""

from __future__ import annotations

_chosen: list[str] = []


def choose_tenant(slug: str) -> None:
    """Have all pages of this process show this tenant."""
    _chosen[:] = [slug]


def read_chosen() -> str:
    """The tenant's key."""
    (slug,) = _chosen
    return slug

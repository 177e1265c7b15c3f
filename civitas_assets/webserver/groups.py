"""Which groups whoever asks is in, as the proxy hands them over, and whose pages these may see."""

from __future__ import annotations

from starlette.datastructures import Headers

from civitas_assets.settings import Settings


def read_groups(settings: Settings, headers: Headers) -> set[str] | None:
    """The groups of whoever asks; None where nobody says them, and the UI is all that is guarded."""
    name = settings.ui_groups_header
    if not name:
        return None
    return {group.strip().lstrip("/") for given in headers.getlist(name) for group in given.split(",")} - {""}


def may_see(settings: Settings, groups: set[str], tenant: str) -> bool:
    """Whether these groups see what is the tenant's; without a tenant, what is of all."""
    of_all = {*settings.pages_all.replace(",", " ").split()}
    return bool(groups & of_all) or (bool(tenant) and settings.pages_group.format(tenant=tenant) in groups)

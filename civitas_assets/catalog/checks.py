"""What a tenant is held against beside the form of its file: checks, and the one of the secrets that it names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from civitas_assets.catalog.document import Place
from civitas_assets.catalog.model import Tenant

Check = Callable[
    [Tenant], Iterable[tuple[Place, str]]
]  # faults of a tenant: the place in its file, and a sentence


def own_secrets(slugs: Sequence[str]) -> Check:
    """That a tenant names no secret of another one of these."""

    def check(tenant: Tenant) -> Iterator[tuple[Place, str]]:
        for name in sorted(_secrets(tenant.model_dump())):
            if (owner := _owner(name, slugs)) not in {None, tenant.slug}:
                yield ("sources",), f"names {name}, a secret of {owner}: a tenant has its own"

    return check


def _secrets(dumped: Any) -> set[str]:
    """The names of all secrets in a tenant's settings."""
    if isinstance(dumped, dict):
        own = {dumped["secret"]} if dumped.keys() == {"secret", "prefix"} else set[str]()
        return own.union(*map(_secrets, dumped.values()))
    return set[str]().union(*map(_secrets, dumped)) if isinstance(dumped, (list, tuple)) else set()


def _owner(secret: str, tenants: Sequence[str]) -> str | None:
    """Whose secret it is by its name: the tenant with the longest key that it begins with."""
    return max((slug for slug in tenants if secret.startswith(f"{slug.upper()}_")), key=len, default=None)

"""Keys of objects: parts with slashes between them, of which none leads out of where the objects are."""

from __future__ import annotations

from civitas_assets.errors import StoreError


def split_key(key: str) -> list[str]:
    """The parts of a key.

    Raises:
        StoreError: it would lead out of where the objects are.
    """
    parts = key.split("/")
    if any(part in {"", ".", ".."} for part in parts) or "\\" in key:
        raise StoreError(f"{key!r} is no key")
    return parts


def check_key(key: str) -> str:
    """The key itself.

    Raises:
        StoreError: as `split_key` does.
    """
    return "/".join(split_key(key))

"""What the manifest says of an answer that has landed, and the index of its address."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from civitas_assets.connectors.base import Request
from civitas_assets.connectors.transport.http import Response
from civitas_assets.store.addresses import Address, Line

# What a line of the manifest says of an address, so that an unchanged answer can stand for the whole of it.
_KEPT = ("sha256", "content_type", "etag", "last_modified", "headers")


def update_address(response: Response, sha256: str, known: Address | None) -> Address | None:
    """What is known of the address now: as before where nothing has changed, and nothing where nothing was found.

    `sha256` is that of the response's body as it landed.
    """
    if response.status == 404:
        return None
    if response.content is None and known is not None:
        return replace(
            known,
            etag=response.etag or known.etag,
            last_modified=response.last_modified or known.last_modified,
            headers=response.headers or known.headers,
        )
    return Address(
        sha256, response.content_type, response.etag, response.last_modified, headers=response.headers
    )


def build_manifest_line(  # noqa: PLR0917 - each argument is of another type
    request: Request,
    url: str,
    status: int,
    at: datetime,
    config: str,
    size: int,
    address: Address | None,
    known: Address | None,
) -> Line:
    """The line of the manifest on an answer of `size` bytes: no address is nothing found, `known` what was before."""
    unchanged = address is not None and known is not None and known.sha256 == address.sha256
    replaced = known if address is not None and not unchanged else None
    return Line(
        url=url,
        state="not_found" if address is None else "unchanged" if unchanged else "stored",
        status=status,
        fetched_at=at,
        config=config,
        bytes=size,
        role=request.role,
        variables=dict(request.variables),
        before=replaced.sha256 if replaced else "",
        before_seen_at=replaced.seen_at if replaced else None,
        **({} if address is None else {name: getattr(address, name) for name in _KEPT}),
    )

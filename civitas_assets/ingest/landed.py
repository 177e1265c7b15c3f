"""An answer that has landed, and what the index keeps of its address."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from civitas_assets.connectors.http import Response
from civitas_assets.store.landing import Address


@dataclass(frozen=True)
class Landed:
    """A response, and its body as it landed; neither body nor hash where it has none.

    Without a response, the fetch that this one goes on with has had the answer.
    """

    url: str
    response: Response | None
    body: bytes | None = None
    sha256: str = ""


def address_of(landed: Landed, response: Response, known: Address | None) -> Address | None:
    """What is known of the address now: as before where nothing has changed, and nothing where nothing was found."""
    if response.status == 404:
        return None
    if landed.body is None and known is not None:
        return replace(
            known,
            etag=response.validators.etag or known.etag,
            last_modified=response.validators.last_modified or known.last_modified,
            headers=response.headers or known.headers,
        )
    return Address(
        landed.sha256,
        response.content_type,
        response.validators.etag,
        response.validators.last_modified,
        headers=response.headers,
    )

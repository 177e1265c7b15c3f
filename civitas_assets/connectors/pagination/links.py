"""Links that an answer holds: where they lead to, seen from the address of the answer.

Whether a source may go there, the HTTP client decides.
"""

from __future__ import annotations

from urllib.parse import urljoin

from pydantic import Field

from civitas_assets.catalog import Source
from civitas_assets.catalog.model import ADDRESS
from civitas_assets.errors import ReadError


class LinkedSource(Source):
    """A source whose answers lead on by links, in which the server may call itself by another address."""

    advertised_url: str | None = Field(
        None,
        pattern=ADDRESS,
        description="The root that the server's links name, if it is not url; they are followed at url.",
    )


def resolve_link(address: str, link: str, advertised: str | None = None, root: str = "") -> str:
    """The address that a link leads to, which may be relative; what it calls `advertised` is at `root`.

    Raises:
        ReadError: it is no address.
    """
    try:
        url = urljoin(address, link)
    except ValueError as error:
        raise ReadError(f"has a link that is no address, {link!r}: {error}; tell its operator") from None
    wrong = (advertised or "").rstrip("/")
    if wrong and (url == wrong or url.startswith((f"{wrong}/", f"{wrong}?"))):
        return root.partition("?")[0].rstrip("/") + url.removeprefix(wrong)
    return url

"""Links that an answer holds: where they lead to, seen from the address of the answer.

Whether a source may go there, the HTTP client decides.
"""

from __future__ import annotations

import re
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


_COUNTS = re.compile(r"([?&](?:(?:\$|%24)skip|offset|startindex)=)(\d+)(?=&|$)", re.IGNORECASE)
_SIZE = re.compile(r"([?&](?:(?:\$|%24)top|limit|count)=)(\d+)(?=&|$)", re.IGNORECASE)


def step_back(url: str) -> str | None:
    """The address so that the page begins with the entity before; None where it counts none."""
    found = _COUNTS.search(url)
    if found is None or int(found[2]) < 1:
        return None
    return f"{url[: found.start(2)]}{int(found[2]) - 1}{url[found.end(2) :]}"


def read_page_size(url: str) -> int | None:
    """How many entities an address asks for at most."""
    found = _SIZE.search(url)
    return int(found[2]) if found else None


def resize_page(url: str, attempts: int) -> str:
    """The address with another size of pages than in the attempts before, since no address is asked for twice."""
    found = _SIZE.search(url)
    if found is None or attempts == 1:
        return url
    size, less = int(found[2]), attempts - 1
    return f"{url[: found.start(2)]}{size - less if size > less + 1 else size + less}{url[found.end(2) :]}"

"""Links that an answer holds: where they lead to, seen from the address of the answer.

Whether a source may go there, the HTTP client decides.
"""

from __future__ import annotations

from urllib.parse import urljoin

from civitas_assets.errors import ReadError


def led_to(address: str, link: str) -> str:
    """The address that a link leads to, which may be relative.

    Raises:
        ReadError: it is no address.
    """
    try:
        return urljoin(address, link)
    except ValueError as error:
        raise ReadError(f"has a link that is no address, {link!r}: {error}; tell its operator") from None

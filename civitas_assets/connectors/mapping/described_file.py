"""Answers that say where a file is: the address in them, at the path that a source names as `link`.

Of such an answer only the address is kept; what it leads to is fetched like any file.
"""

from __future__ import annotations

from urllib.parse import urljoin

import msgspec

from civitas_assets.catalog import Source
from civitas_assets.connectors.mapping.paths import extract_part
from civitas_assets.errors import ReadError

DESCRIPTION = "description"  # role of an answer that says where the file is


def extract_address(source: Source, body: bytes) -> bytes:
    """The file's address in an answer, as the text of JSON, which is all that is kept of it.

    Raises:
        ReadError: there is none, or the answer is no JSON.
    """
    path = source.link or "@"
    found = msgspec.json.decode(extract_part(body, path))
    if not isinstance(found, str) or not found:
        told = msgspec.json.encode(found).decode()[:60]
        raise ReadError(f"has {told} at link, {path}, which is no address: is the resource gone?")
    return msgspec.json.encode(found)


def resolve_address(asked: str, kept: bytes) -> str:
    """The address that was kept, which may be relative to the one that was asked."""
    return urljoin(asked, msgspec.json.decode(kept, type=str))

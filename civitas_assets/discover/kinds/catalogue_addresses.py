"""Addresses of catalogues: a path below a root, and parameters that count on from part to part."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit


def join_address(root: str, below: str) -> str:
    """The address below a root."""
    return f"{root.rstrip('/')}/{below}"


def replace_parameters(address: str, **changed: str) -> str:
    """The address with other values of some parameters."""
    parts = urlsplit(address)
    query = dict(parse_qsl(parts.query, keep_blank_values=True)) | changed
    return parts._replace(query=urlencode(query)).geturl()


def read_number(address: str, name: str, default: int = 0) -> int:
    """A number among the parameters."""
    written = dict(parse_qsl(urlsplit(address).query)).get(name, "")
    return int(written) if written.isdecimal() else default

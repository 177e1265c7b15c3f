"""What a landing says of answers: a line of a manifest for each, and what is known of each address by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

State = Literal["stored", "unchanged", "not_found"]


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One answer: what was asked, what came, and when; `unchanged` is a 304 or the same body as last time.

    `before` is the hash of the body that it replaces, and `before_seen_at` when that last stood. The body of one that
    is `erased` held something that nobody may keep.
    """

    url: str
    state: State
    status: int
    fetched_at: datetime
    config: str
    sha256: str = ""
    bytes: int = 0
    role: str = "data"
    variables: Mapping[str, str] = {}
    content_type: str = ""
    etag: str | None = None
    last_modified: str | None = None
    headers: Mapping[str, str] = {}
    before: str = ""
    before_seen_at: datetime | None = None
    erased: bool = False


class Address(msgspec.Struct, frozen=True, omit_defaults=True):
    """The last body of an address, and how to ask whether it still stands or what comes after it.

    `seen_in` is the first manifest of the fetch that has seen it last; empty where an older version has.
    `before` is the body that it took the place of, and `before_in` where that was seen last.
    """

    sha256: str
    content_type: str = ""
    etag: str | None = None
    last_modified: str | None = None
    seen_on: str = ""
    seen_at: datetime | None = None
    headers: Mapping[str, str] = {}
    variables: Mapping[str, str] = {}
    seen_in: str = ""
    before: str = ""
    before_in: str = ""


class _Index(msgspec.Struct, frozen=True):
    """What is known of each address by the manifests up to `through`."""

    through: str
    addresses: dict[str, Address]


def encode_index(known: Mapping[str, Address], through: str) -> bytes:
    """The index as it is kept: what is known by the manifests up to that one."""
    return msgspec.json.encode(_Index(through, dict(known)))


def decode_index(index: bytes) -> tuple[dict[str, Address], str]:
    """What is known of each address, and up to which manifest."""
    try:
        found = msgspec.json.decode(index, type=_Index)
    except msgspec.ValidationError:  # as older versions wrote it, not saying what it knows
        return msgspec.json.decode(index, type=dict[str, Address]), ""
    return found.addresses, found.through


def update_addresses(known: dict[str, Address], lines: Sequence[Line], manifest: str = "") -> None:
    """Learn from a manifest's lines, in order."""
    for line in lines:
        if not line.sha256:
            continue
        last = known.get(line.url)
        if last is None or last.sha256 == line.sha256:
            before = (last.before, last.before_in) if last else ("", "")
        else:
            before = last.sha256, last.seen_in
        known[line.url] = Address(
            line.sha256,
            line.content_type,
            line.etag,
            line.last_modified,
            line.fetched_at.date().isoformat(),
            line.fetched_at,
            line.headers,
            line.variables,
            manifest,
            *before,
        )

"""Small files as they are stored, and what becomes of one that somebody or a disk has damaged.

A record of a run is told of and costs no other; nobody can go on from a damaged state, which is an error of its tenant.
What is in them is known where they are kept.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec

from civitas_assets.errors import StoreError
from civitas_assets.store.files import Files

log = logging.getLogger("civitas_assets.report")

T = TypeVar("T")

# What decoding raises where bytes are not those that were written.
DAMAGED = (msgspec.MsgspecError, UnicodeDecodeError)


def read_stored_record(files: Files, key: str, decode: Callable[[bytes], T], what: str) -> T | None:
    """What is stored under the key; None where nothing is any more, or something that is no `what`, with a warning."""
    body = files.read(key)
    if body is None:
        return None
    try:
        return decode(body)
    except DAMAGED as error:
        log.warning("%s is no %s (%s): delete it", files.locate(key), what, error)
        return None


def read_state(files: Files, key: str, kind: type[T]) -> T | None:
    """What a store keeps under the key; None where it has kept nothing yet.

    Raises:
        StoreError: it is damaged.
    """
    body = files.read(key)
    return None if body is None else decode_state(files, key, body, partial(msgspec.json.decode, type=kind))


def decode_state(files: Files, key: str, body: bytes, decode: Callable[[bytes], T]) -> T:
    """What a store keeps under the key, of which this is the body.

    Raises:
        StoreError: it is damaged.
    """
    try:
        return decode(body)
    except DAMAGED as error:
        raise StoreError(
            f"{files.locate(key)} is damaged ({error}); put it back from the last backup, and run again"
        ) from error

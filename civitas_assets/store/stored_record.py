"""Records of runs as they are stored: one that somebody has damaged is told, and costs no other.

What is in them is known where they are kept.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

import msgspec

from civitas_assets.store.files import Files

log = logging.getLogger("civitas_assets.report")

T = TypeVar("T")


def read_stored_record(files: Files, key: str, decode: Callable[[bytes], T], what: str) -> T | None:
    """What is stored under the key; None where nothing is any more, or something that is no `what`, with a warning."""
    body = files.read(key)
    if body is None:
        return None
    try:
        return decode(body)
    except msgspec.MsgspecError as error:
        log.warning("%s is no %s (%s): delete it", files.locate(key), what, error)
        return None

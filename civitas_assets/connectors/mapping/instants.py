"""Instants as services write them in JSON: as text, or as seconds, milliseconds or microseconds since 1970.

A clock that was never set, and whatever else is no time, is not made one here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

# What is sent as JSON is not from before 2001: what are as many seconds as milliseconds since then is past 5138.
_LEAST_SECONDS, _LEAST_MILLISECONDS, _LEAST_MICROSECONDS, _MOST_MICROSECONDS = 1e9, 1e11, 1e14, 1e17


def read_instant(value: Any) -> str | None:
    """An instant as ISO 8601; 0 and nothing mean never, what is no time stays as written, to be found at fault.

    Numbers, also as text, are seconds since 1970, or milliseconds or microseconds where they are as large as that.
    """
    if type(value) is int and _LEAST_SECONDS <= value < _LEAST_MILLISECONDS:
        return datetime.fromtimestamp(value, UTC).isoformat()  # nearly all of them
    if value is None or isinstance(value, bool):
        return None if value is None else str(value)
    return _from_any(value)


def _from_any(value: Any) -> str | None:
    if not isinstance(value, str | int | float):
        return msgspec.json.encode(value).decode()
    text = str(value).strip()
    try:
        seconds = float(text)
    except ValueError:
        return text or None
    if seconds == 0:
        return None
    for least, factor in ((_LEAST_MICROSECONDS, 1e6), (_LEAST_MILLISECONDS, 1e3)):
        if least <= seconds < _MOST_MICROSECONDS:
            seconds /= factor
            break
    if not _LEAST_SECONDS <= seconds < _LEAST_MILLISECONDS:
        return text
    return datetime.fromtimestamp(round(seconds, 3), UTC).isoformat()

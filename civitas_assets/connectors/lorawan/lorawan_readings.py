"""Lists of readings within an uplink, each with a time of its own: what a device has buffered, and normalized payloads.

A reading never takes the time of the uplink that brought it late.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import jmespath.exceptions

from civitas_assets.connectors.lorawan.lorawan_messages import Uplink
from civitas_assets.connectors.mapping.instants import read_instant
from civitas_assets.connectors.mapping.paths import compile_path

# The list that The Things Stack has beside the values of the codec; what says no time is of the uplink's.
NORMALIZED = "normalized_payload"


def read_readings(uplink: Uplink, readings: str, path: str, time: str) -> Iterator[tuple[str | None, Any]]:
    """Time and value of each reading that has one; the time is ISO 8601, or as written where it is none.

    Raises:
        ValueError: an expression cannot be applied.
    """
    is_normalized = readings == NORMALIZED
    try:
        found = uplink.normalized if is_normalized else compile_path(readings).search(uplink.values)
        for reading in _flat(found):
            value = compile_path(path).search(reading)
            if value is not None:
                at = read_instant(compile_path(time).search(reading))
                yield at or (uplink.at if is_normalized else None), value
    except jmespath.exceptions.JMESPathError as error:
        raise ValueError(str(error).partition("\n")[0]) from None


def list_leaves(name: str, value: Any, depth: int = 4) -> Iterator[str]:
    """Paths to what is in a value, such as `history[].temperature`; a mere value has its own name alone."""
    if depth and isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from list_leaves(f"{name}.{key}", inner, depth - 1)
    elif depth and isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for item in value:
            yield from list_leaves(f"{name}[]", item, depth - 1)
    else:
        yield name


def _flat(value: Any) -> Iterator[dict[str, Any]]:
    """The objects of a list, however it is nested."""
    waiting: list[Any] = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting.extend(reversed(part))
        elif isinstance(part, dict):
            yield part


def list_unread(leaves: Sequence[str], read: set[str]) -> Iterator[str]:
    """Of the leaves of one member those that nobody reads; the member alone, where nobody reads any."""
    left = [leaf for leaf in leaves if not any(_covers(path, leaf) for path in read)]
    if len(left) == len(leaves) and left:
        yield left[0].partition(".")[0].partition("[")[0]
    else:
        yield from left


def _covers(path: str, leaf: str) -> bool:
    return leaf == path or leaf.startswith((f"{path}.", f"{path}[]"))

"""The settings of a proposal as values: lists as models take them, and the texts within."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def to_tuples(value: Any) -> Any:
    """The value with tuples for lists, as frozen models want them."""
    if isinstance(value, Mapping):
        return {key: to_tuples(part) for key, part in value.items()}
    return tuple(map(to_tuples, value)) if isinstance(value, list | tuple) else value


def list_texts(value: Any) -> Iterator[str]:
    """Every text within, whatever it is below."""
    if isinstance(value, Mapping):
        for part in value.values():
            yield from list_texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from list_texts(part)
    elif isinstance(value, str):
        yield value

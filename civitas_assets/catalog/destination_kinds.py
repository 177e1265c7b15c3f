"""The kinds of destinations, and how a tenant's file lists those that it is published to.

What destinations do is in the package `publish`.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field

Destination = Literal["duckdb", "postgres"]
DESTINATIONS: tuple[Destination, ...] = get_args(Destination)


def _list_destinations(written: object) -> object:
    """What a file says, as a list also where it is one of them; nothing is listed twice."""
    if not isinstance(written, list | tuple):
        return (written,)
    if len({*map(str, written)}) < len(written):
        raise ValueError("each destination is listed once")
    return tuple(written)


Destinations = Annotated[
    tuple[Destination, ...],
    Field(min_length=1),
    BeforeValidator(_list_destinations, json_schema_input_type=Destination | list[Destination]),
]

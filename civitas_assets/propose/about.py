"""What is known of a body besides itself, such as what a catalogue says of it; it goes into the proposal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_LICENCE = "which one does the publisher name? `proprietary` is for none"


@dataclass(frozen=True)
class About:
    """Name and title, which are made of the address where they are empty; licence, and whom it asks to be named.

    `doubts` are what somebody has to look at, by setting.
    """

    name: str = ""
    title: str = ""
    licence: str = "proprietary"
    attribution: str = ""
    doubts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({"licence": _LICENCE}))


UNKNOWN = About()

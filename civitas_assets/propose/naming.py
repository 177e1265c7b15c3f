"""What a proposed source is called, by its address, and what is known of its body besides, as from a catalogue."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from civitas_assets.propose.concept_vocabulary import split_words

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


# Parts of addresses that say nothing of what is there.
_GENERIC = {
    "items", "query", "data", "json", "csv", "features", "wfs", "ows", "entities", "things", "download", "export",
    "records", "latest", "api", "index", "featureserver", "mapserver", "0",
}  # fmt: skip


def derive_name(address: str) -> str:
    """A source's name made of the last part of an address that says something."""
    path = re.sub(r"^https?://", "", address).split("?")[0].rstrip("/")
    parts = [re.sub(r"\.\w{1,8}$", "", part) for part in path.replace("\\", "/").split("/")[-3:]]
    telling = [part for part in parts if part.lower() not in _GENERIC]
    words = "_".join(split_words((telling or parts)[-1])) or "source"
    return (words if words[0].isalpha() else f"source_{words}")[:48].strip("_")


def derive_title(name: str) -> str:
    """A source's title, the words of its name."""
    return " ".join(split_words(name)).title() or name

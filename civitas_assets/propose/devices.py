"""Uplinks of LoRaWAN devices: a profile for each kind, of the values whose names say what is measured.

What is not known is told; units are what codecs usually give, and have to be looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from civitas_assets.catalog.vocabulary import Vocabulary
from civitas_assets.connectors.lorawan.lorawan_messages import Uplink
from civitas_assets.connectors.lorawan.lorawan_uplinks import parse_uplinks
from civitas_assets.errors import ReadError
from civitas_assets.propose.concept_vocabulary import get_last_part, split_unit
from civitas_assets.propose.numbers import is_number
from civitas_assets.propose.sample import list_flat_members, shorten_names
from civitas_assets.propose.standards import Standard

_MARKS = (b'"deviceInfo"', b'"end_device_ids"')
_STORAGE = "/packages/storage/"


def detect_device_standard(body: bytes, address: str, vocabulary: Vocabulary) -> Standard | None:
    """What uplinks become; None where the body holds none."""
    if not any(mark in body for mark in _MARKS):
        return None
    try:
        found = [uplink for uplink in parse_uplinks(body) if not uplink.unreadable]
    except ReadError:
        return None
    if not found:
        return None
    profiles, unknown = dict[str, list[dict[str, str]]](), dict[str, None]()
    for name, sent in _by_kind(found).items():
        for path, values in sent.items():
            code = _property(path, vocabulary)
            if code is None or not all(is_number(str(value)) for value in values):
                unknown[f"{name}: {path}"] = None
            else:
                quantity = {"path": path, "observed_property": code, "unit": vocabulary.find_unit(code)}
                profiles.setdefault(name, []).append(quantity)
    network = "The Things Stack" if found[0].end_device_ids else "ChirpStack"
    doubts = {}
    if profiles:
        doubts["profiles"] = "the units are the usual ones: what does the codec of the device say?"
    if unknown:
        doubts["profiles"] = f"{doubts.get('profiles', '')} Not known: {shorten_names(unknown, 20)}".strip()
    url = address.partition("?")[0] if _STORAGE in address else address
    return Standard(
        "lorawan", f"uplinks of LoRaWAN devices ({network})", url, {"profiles": profiles} if profiles else {},
        doubts, role="data",
    )  # fmt: skip


def _by_kind(found: list[Uplink]) -> Mapping[str, Mapping[str, list[Any]]]:
    """Values by path and name of the profile that the connector looks for."""
    sent: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for uplink in found:
        name = next(filter(None, uplink.kinds), "*")
        for path, value in list_flat_members(uplink.values):
            if value is not None and not isinstance(value, bool):
                sent[name][path].append(value)
    return sent


def _property(path: str, vocabulary: Vocabulary) -> str | None:
    name = get_last_part(path)
    for text in (name, split_unit(name)[0], name.replace("_", " ")):
        code = vocabulary.find_code(text, "property")
        if code is not None:
            return code
    return None

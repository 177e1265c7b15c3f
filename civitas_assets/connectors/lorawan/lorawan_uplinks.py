"""LoRaWAN uplinks as ChirpStack v3 and v4 and The Things Stack v3 send them, reduced to what may be kept.

Their types are in `lorawan_messages.py`, what values mean is in `lorawan_values.py`.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from civitas_assets.connectors.content.text_encoding import to_utf8
from civitas_assets.connectors.lorawan.lorawan_messages import OldUplink, Unreadable, Uplink
from civitas_assets.connectors.mapping.service_rows import UNREADABLE, replace_nan
from civitas_assets.errors import ReadError

_UNREADABLE = (*UNREADABLE, binascii.Error)
# What The Things Stack sends of a device besides uplinks; ChirpStack's other events have no values.
_EVENTS = (
    *("join_accept", "downlink_ack", "downlink_nack", "downlink_sent", "downlink_failed", "downlink_queued"),
    *("downlink_queue_invalidated", "location_solved", "service_data"),
)
# A device's codec may put out anything. What is called like this is no measurement.
_SECRET = re.compile(r"key(_?id)?$|token|secret|passw|credential", re.IGNORECASE)
_MAY_BE_SECRET = re.compile(rb"key|token|secret|passw|credential|\\u", re.IGNORECASE)


_DECODER, _DECODER_3 = msgspec.json.Decoder(Uplink), msgspec.json.Decoder(OldUplink)
_KEYS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def parse_uplinks(body: bytes) -> list[Uplink]:
    """The uplinks of a list, of JSON lines, or of a stream of JSON objects, in their order.

    Raises:
        ReadError: not one of its elements is an uplink, or the stream ends with an error of the server.
    """
    found = [_uplink(bytes(element)) for element in _elements(to_utf8(body))]
    lost = [uplink.unreadable for uplink in found if uplink.unreadable and not uplink.unreadable.topic]
    if found and len(lost) == len(found):
        raise ReadError(f"holds no uplink of ChirpStack or The Things Stack v3: {lost[0].reason}")
    return found


def parse_queued_uplink(body: bytes, topic: str) -> Uplink:
    """A single message; one that is no uplink is only named, so that it does not hold up the others."""
    try:
        found = parse_uplinks(body)
        reason = "" if len(found) == 1 and not found[0].unreadable else "is not one uplink"
    except ReadError as error:
        found, reason = [], str(error)
    return Uplink(unreadable=Unreadable(reason, len(body), topic)) if reason else found[0]


def encode_uplinks(found: Sequence[Uplink], tags: Collection[str] = ()) -> bytes:
    """The uplinks as JSON lines, of their tags only those that are named."""
    for uplink in found:
        if uplink.info is not None:
            uplink.info.tags = {k: v for k, v in uplink.tags.items() if k in tags} or None
        elif uplink.uplink_message is not None:
            uplink.uplink_message.attributes = {k: v for k, v in uplink.tags.items() if k in tags} or None
    return msgspec.json.Encoder().encode_lines(found) or b"[]\n"


def _elements(text: bytes) -> list[msgspec.Raw]:
    """The objects of a list or a stream; where it is torn, each line for itself."""
    if not text.strip():
        raise ReadError("is empty")
    try:
        if text.lstrip().startswith(b"["):
            return msgspec.json.decode(text, type=list[msgspec.Raw])
        return msgspec.json.Decoder(msgspec.Raw).decode_lines(text)
    except UNREADABLE:
        if (mended := replace_nan(text)) != text:
            return _elements(mended)
        return [msgspec.Raw(line) for line in text.splitlines() if line.strip()]


def _uplink(element: bytes) -> Uplink:
    """One element; what is no uplink is counted, and nothing of it is kept.

    Raises:
        ReadError: it is not an uplink but an error of the server.
    """
    try:
        uplink = _DECODER.decode(element)
        if uplink.result is not None:
            uplink = uplink.result
        elif b'"error"' in element[:16]:
            raise ReadError("ends with an error of the server, so that uplinks are missing")
        if uplink.unreadable is not None:
            return Uplink(unreadable=uplink.unreadable)
        if uplink.event or (uplink.info is None and not (uplink.end_device_ids and uplink.uplink_message)):
            return _other(element)
        if b'"integrationName"' in element and "integrationName" in _KEYS.decode(element):
            return Uplink(event="integration")
        _drop_secrets(uplink, element)
    except _UNREADABLE as error:
        return _lost("is nested too deeply" if isinstance(error, RecursionError) else str(error), element)
    return uplink


def _other(element: bytes) -> Uplink:
    """An uplink of ChirpStack v3, or a message that is none, such as a join; else one that is lost."""
    keys = _KEYS.decode(element)
    if keys.keys() == {"event"}:
        return _DECODER.decode(element)
    if keys.keys() >= {"devEUI", "rxInfo"}:
        uplink = _DECODER_3.decode(element).to_current()
        _drop_secrets(uplink, element)
        return uplink
    known = next((name for name in _EVENTS if name in keys), None)
    if known is None:
        return _lost("has neither deviceInfo nor end_device_ids with uplink_message", element)
    return Uplink(event=known)


def _drop_secrets(uplink: Uplink, element: bytes) -> None:
    if _MAY_BE_SECRET.search(element):
        _without_secrets(uplink.values)
        _without_secrets(uplink.normalized)


def _lost(reason: str, element: bytes) -> Uplink:
    return Uplink(unreadable=Unreadable(reason, len(element)))


def _without_secrets(value: Any) -> None:
    """Take out, at any depth, the members whose names are those of secrets."""
    if isinstance(value, dict):
        for name in [name for name in value if _SECRET.search(name)]:
            del value[name]
        for inner in value.values():
            _without_secrets(inner)
    elif isinstance(value, list):
        for inner in value:
            _without_secrets(inner)

"""LoRaWAN uplinks as ChirpStack v4 and The Things Stack v3 send them, reduced to what may be kept.

Only members that are named here are ever decoded, so nothing else can land; what values mean is in
`lorawan_values.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from civitas_assets.connectors.rows import UNREADABLE
from civitas_assets.connectors.text import to_utf8
from civitas_assets.errors import ReadError

_NO_TIME = "0001-01-01T00:00:00Z"
# A device's codec may put out anything. What is called like this is no measurement.
_SECRET = re.compile(r"key(_?id)?$|token|secret|passw|credential", re.IGNORECASE)
_MAY_BE_SECRET = re.compile(rb"key|token|secret|passw|credential|\\u", re.IGNORECASE)


class Unreadable(msgspec.Struct, omit_defaults=True):
    """What is left of a message that cannot be kept: that there was one, and why; none of its content."""

    reason: str
    bytes: int
    topic: str = ""


class _DeviceInfo(msgspec.Struct, omit_defaults=True, rename="camel"):
    dev_eui: str
    device_name: str = ""
    device_profile_name: str = ""
    application_name: str = ""
    tags: dict[str, str] | None = None


class _Application(msgspec.Struct, omit_defaults=True):
    application_id: str = ""


class _DeviceIds(msgspec.Struct, omit_defaults=True):
    device_id: str
    dev_eui: str = ""
    application_ids: _Application = msgspec.field(default_factory=_Application)


class Location(msgspec.Struct, omit_defaults=True):
    """A place in degrees WGS 84 and metres; what is zero is left out."""

    latitude: float = 0.0
    longitude: float = 0.0
    altitude: float | None = None


class _Locations(msgspec.Struct, omit_defaults=True):
    """Only where people have put it: estimates and tracks are no place of a station."""

    user: Location | None = None


class _Version(msgspec.Struct, omit_defaults=True):
    model_id: str = ""


class _Message(msgspec.Struct, omit_defaults=True):
    received_at: str = ""
    f_port: int = 0
    f_cnt: int = 0
    decoded_payload: dict[str, Any] | None = None
    locations: _Locations | None = None
    version_ids: _Version | None = None
    attributes: dict[str, str] | None = None


class Uplink(msgspec.Struct, omit_defaults=True):
    """One uplink of either network server; members that are empty are left out, as both servers do."""

    time: str | None = None
    info: _DeviceInfo | None = msgspec.field(default=None, name="deviceInfo")
    count: int = msgspec.field(default=0, name="fCnt")
    port: int = msgspec.field(default=0, name="fPort")
    object: dict[str, Any] | None = None
    end_device_ids: _DeviceIds | None = None
    received_at: str = ""
    simulated: bool = False
    uplink_message: _Message | None = None
    result: Uplink | None = None
    unreadable: Unreadable | None = None

    @property
    def device(self) -> str:
        """The device's EUI in lower case; its id in the network where it has none."""
        if self.info is not None:
            return self.info.dev_eui.lower()
        ids = self.end_device_ids or _DeviceIds("")
        return ids.dev_eui.lower() or f"{ids.application_ids.application_id}/{ids.device_id}"

    @property
    def device_name(self) -> str:
        """What people call the device."""
        if self.info is not None:
            return self.info.device_name
        return self.end_device_ids.device_id if self.end_device_ids else ""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What a profile may be called: the kind of device, then its application."""
        if self.info is not None:
            return self.info.device_profile_name, self.info.application_name
        version = self.uplink_message.version_ids if self.uplink_message else None
        application = self.end_device_ids.application_ids.application_id if self.end_device_ids else ""
        return version.model_id if version else "", application

    @property
    def at(self) -> str | None:
        """When the network server had it, ISO 8601 with offset."""
        times = (self.uplink_message.received_at, self.received_at) if self.uplink_message else (self.time,)
        return next((time for time in times if time and time != _NO_TIME), None)

    @property
    def values(self) -> dict[str, Any]:
        """What the device's codec made of its bytes."""
        return (self.uplink_message.decoded_payload if self.uplink_message else self.object) or {}

    @property
    def frame(self) -> tuple[int, int]:
        """Port and counter; a server leaves out what is zero."""
        message = self.uplink_message
        return (message.f_port, message.f_cnt) if message else (self.port, self.count)

    @property
    def tags(self) -> dict[str, str]:
        """What the operator has noted of the device."""
        noted = self.info.tags if self.info else self.uplink_message and self.uplink_message.attributes
        return noted or {}

    @property
    def place(self) -> Location | None:
        """Where the operator says that the device is; the places of gateways say nothing about it."""
        locations = self.uplink_message.locations if self.uplink_message else None
        return locations.user if locations else None


_DECODER = msgspec.json.Decoder(Uplink)


def uplinks(body: bytes) -> list[Uplink]:
    """The uplinks of a list, of JSON lines, or of a stream of JSON objects, in their order.

    Raises:
        ReadError: not one of its elements is an uplink, or the stream ends with an error of the server.
    """
    found = [_uplink(bytes(element)) for element in _elements(to_utf8(body))]
    lost = [uplink.unreadable for uplink in found if uplink.unreadable and not uplink.unreadable.topic]
    if found and len(lost) == len(found):
        raise ReadError(f"holds no uplink of ChirpStack v4 or The Things Stack v3: {lost[0].reason}")
    return found


def from_queue(body: bytes, topic: str) -> Uplink:
    """A single message; one that is no uplink is only named, so that it does not hold up the others."""
    try:
        found = uplinks(body)
        reason = "" if len(found) == 1 and not found[0].unreadable else "is not one uplink"
    except ReadError as error:
        found, reason = [], str(error)
    return Uplink(unreadable=Unreadable(reason, len(body), topic)) if reason else found[0]


def written(found: Sequence[Uplink], tags: Collection[str] = ()) -> bytes:
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
        if uplink.info is None and (uplink.end_device_ids is None or uplink.uplink_message is None):
            return _lost("has neither deviceInfo nor end_device_ids with uplink_message", element)
        if _MAY_BE_SECRET.search(element):
            _without_secrets(uplink.values)
    except UNREADABLE as error:
        return _lost("is nested too deeply" if isinstance(error, RecursionError) else str(error), element)
    return uplink


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

"""What LoRaWAN network servers send, as types: only members that are named here are ever decoded and kept.

Which of them a body holds is read in `lorawan_uplinks.py`.
"""

from __future__ import annotations

import base64
import re
from typing import Any

import msgspec

NO_TIME = "0001-01-01T00:00:00Z"
_EUI = re.compile(r"[0-9A-Fa-f]{16}")


class Unreadable(msgspec.Struct, omit_defaults=True):
    """What is left of a message that cannot be kept: that there was one, and why; none of its content."""

    reason: str
    bytes: int
    topic: str = ""


class DeviceInfo(msgspec.Struct, omit_defaults=True, rename="camel"):
    """A device as ChirpStack describes it."""

    dev_eui: str
    device_name: str | None = None
    device_profile_name: str | None = None
    application_name: str | None = None
    tags: dict[str, Any] | None = None


class _Application(msgspec.Struct, omit_defaults=True):
    application_id: str | None = None


class _DeviceIds(msgspec.Struct, omit_defaults=True):
    device_id: str | None = None
    dev_eui: str | None = None
    application_ids: _Application | None = None

    @property
    def application(self) -> str:
        return (self.application_ids and self.application_ids.application_id) or ""


class Location(msgspec.Struct, omit_defaults=True):
    """A place in degrees WGS 84 and metres; what is zero is left out."""

    latitude: float | None = 0.0
    longitude: float | None = 0.0
    altitude: float | None = None


class _Locations(msgspec.Struct, omit_defaults=True):
    """Only where people have put it: estimates and tracks are no place of a station."""

    user: Location | None = None


class _Version(msgspec.Struct, omit_defaults=True):
    model_id: str | None = None


class _Message(msgspec.Struct, omit_defaults=True):
    received_at: str | None = None
    f_port: int | None = None
    f_cnt: int | None = None
    decoded_payload: dict[str, Any] | None = None
    decoded_payload_warnings: list[Any] | None = None
    normalized_payload: list[Any] | None = None
    locations: _Locations | None = None
    version_ids: _Version | None = None
    attributes: dict[str, Any] | None = None


class _Reception(msgspec.Struct):
    time: str | None = None


class Uplink(msgspec.Struct, omit_defaults=True):
    """One uplink of any of the network servers; members that are empty are left out, and null is empty as well.

    `event` names another message than an uplink, of which nothing else is kept.
    """

    time: str | None = None
    info: DeviceInfo | None = msgspec.field(default=None, name="deviceInfo")
    count: int | None = msgspec.field(default=None, name="fCnt")
    port: int | None = msgspec.field(default=None, name="fPort")
    object: dict[str, Any] | None = None
    end_device_ids: _DeviceIds | None = None
    received_at: str | None = None
    simulated: bool | None = None
    uplink_message: _Message | None = None
    result: Uplink | None = None
    unreadable: Unreadable | None = None
    event: str = ""

    @property
    def device(self) -> str:
        """The device's EUI in lower case; its id in the network where it has none."""
        if self.info is not None:
            return self.info.dev_eui.lower()
        ids = self.end_device_ids or _DeviceIds()
        return (ids.dev_eui or "").lower() or f"{ids.application}/{ids.device_id or ''}"

    @property
    def device_name(self) -> str:
        """What people call the device."""
        if self.info is not None:
            return self.info.device_name or ""
        return (self.end_device_ids and self.end_device_ids.device_id) or ""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What a profile may be called: the kind of device, then its application."""
        if self.info is not None:
            return self.info.device_profile_name or "", self.info.application_name or ""
        version = self.uplink_message.version_ids if self.uplink_message else None
        application = self.end_device_ids.application if self.end_device_ids else ""
        return (version and version.model_id) or "", application

    @property
    def at(self) -> str | None:
        """When the network server had it, ISO 8601 with offset."""
        times = (self.uplink_message.received_at, self.received_at) if self.uplink_message else (self.time,)
        return next((time for time in times if time and time != NO_TIME), None)

    @property
    def values(self) -> dict[str, Any]:
        """What the device's codec made of its bytes."""
        return (self.uplink_message.decoded_payload if self.uplink_message else self.object) or {}

    @property
    def normalized(self) -> list[Any]:
        """What the codec made of it in the common structure of The Things Stack, as a list of measurements."""
        return (self.uplink_message and self.uplink_message.normalized_payload) or []

    @property
    def warnings(self) -> list[Any]:
        """What the codec found odd."""
        return (self.uplink_message and self.uplink_message.decoded_payload_warnings) or []

    @property
    def frame(self) -> tuple[int, int]:
        """Port and counter; a server leaves out what is zero."""
        message = self.uplink_message
        port, count = (message.f_port, message.f_cnt) if message else (self.port, self.count)
        return port or 0, count or 0

    @property
    def tags(self) -> dict[str, str]:
        """What the operator has noted of the device."""
        noted = self.info.tags if self.info else self.uplink_message and self.uplink_message.attributes
        return {tag: str(text) for tag, text in (noted or {}).items() if text is not None}

    @property
    def place(self) -> Location | None:
        """Where the operator says that the device is; the places of gateways say nothing about it."""
        locations = self.uplink_message.locations if self.uplink_message else None
        return locations.user if locations else None


class OldUplink(msgspec.Struct, rename="camel"):
    """An uplink of ChirpStack v3: the device beside its values, and no time of the network server before 3.13."""

    dev_eui: str = msgspec.field(name="devEUI")
    device_name: str | None = None
    device_profile_name: str | None = None
    application_name: str | None = None
    tags: dict[str, Any] | None = None
    f_cnt: int | None = None
    f_port: int | None = None
    object: dict[str, Any] | None = None
    object_json: str | None = msgspec.field(default=None, name="objectJSON")
    published_at: str | None = None
    rx_info: list[_Reception] | None = None

    def to_current(self) -> Uplink:
        """The same as version 4 writes it."""
        eui = self.dev_eui if _EUI.fullmatch(self.dev_eui) else base64.b64decode(self.dev_eui).hex()
        named = (self.device_name, self.device_profile_name, self.application_name)
        times = [self.published_at, *(reception.time for reception in self.rx_info or ())]
        values = msgspec.json.decode(self.object_json) if self.object is None and self.object_json else None
        return Uplink(
            time=next((time for time in times if time and time != NO_TIME), None),
            info=DeviceInfo(eui, *named, self.tags),
            count=self.f_cnt,
            port=self.f_port,
            object=self.object if self.object is not None else values if isinstance(values, dict) else None,
        )

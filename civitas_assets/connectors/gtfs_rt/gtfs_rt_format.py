"""The messages of GTFS-Realtime as types of Protocol Buffers, of which only what is read is declared.

The package gtfs-realtime-bindings would hide what it does not know: a code that is newer than it, or that nobody
wrote, it reads as SCHEDULED, and its version 3 needs a runtime that Dagster does not allow. Here a code is the number
that is written, and a text its bytes; entities are bytes, too, so that one that is damaged costs no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from civitas_assets.errors import ReadError

_PACKAGE = "civitas_gtfs_rt"
_KINDS = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "bytes": _KINDS.TYPE_BYTES,
    "bool": _KINDS.TYPE_BOOL,
    "int32": _KINDS.TYPE_INT32,  # codes as well
    "int64": _KINDS.TYPE_INT64,
    "uint32": _KINDS.TYPE_UINT32,
    "uint64": _KINDS.TYPE_UINT64,
}
# By message, the number, name and type of its fields; a type with * is repeated.
# https://gtfs.org/documentation/realtime/proto/
_MESSAGES: Mapping[str, tuple[tuple[int, str, str], ...]] = {
    "FeedMessage": ((1, "header", "FeedHeader"), (2, "entity", "bytes*")),
    "FeedHeader": (
        (1, "gtfs_realtime_version", "bytes"), (2, "incrementality", "int32"), (3, "timestamp", "uint64"),
    ),
    "FeedEntity": (
        (1, "id", "bytes"), (2, "is_deleted", "bool"), (3, "trip_update", "TripUpdate"), (4, "vehicle", "bytes"),
        (5, "alert", "Alert"),
    ),
    "TripUpdate": (
        (1, "trip", "TripDescriptor"), (2, "stop_time_update", "StopTimeUpdate*"), (3, "vehicle", "bytes"),
        (4, "timestamp", "uint64"),
        (5, "delay", "int32"), (6, "trip_properties", "TripProperties"),
    ),
    "TripProperties": ((1, "trip_id", "bytes"), (2, "start_date", "bytes")),
    "TripDescriptor": (
        (1, "trip_id", "bytes"), (3, "start_date", "bytes"), (4, "schedule_relationship", "int32"),
        (5, "route_id", "bytes"),
    ),
    "StopTimeUpdate": (
        (1, "stop_sequence", "uint32"), (2, "arrival", "StopTimeEvent"), (3, "departure", "StopTimeEvent"),
        (4, "stop_id", "bytes"), (5, "schedule_relationship", "int32"),
    ),
    "StopTimeEvent": ((1, "delay", "int32"), (2, "time", "int64")),
    "Alert": (
        (1, "active_period", "TimeRange*"), (5, "informed_entity", "EntitySelector*"), (6, "cause", "int32"),
        (7, "effect", "int32"), (8, "url", "TranslatedString"), (10, "header_text", "TranslatedString"),
        (11, "description_text", "TranslatedString"), (14, "severity_level", "int32"),
    ),
    "TimeRange": ((1, "start", "uint64"), (2, "end", "uint64")),
    "EntitySelector": (
        (1, "agency_id", "bytes"), (2, "route_id", "bytes"), (4, "trip", "TripDescriptor"), (5, "stop_id", "bytes"),
    ),
    "TranslatedString": ((1, "translation", "Translation*"),),
    "Translation": ((1, "text", "bytes"), (2, "language", "bytes")),
}  # fmt: skip


def _build_types() -> Mapping[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name=f"{_PACKAGE}.proto", package=_PACKAGE, syntax="proto2")
    for message, fields in _MESSAGES.items():
        made = file.message_type.add(name=message)
        for number, name, kind in fields:
            scalar = _SCALARS.get(kind.removesuffix("*"))
            made.field.add(
                name=name,
                number=number,
                label=_KINDS.LABEL_REPEATED if kind.endswith("*") else _KINDS.LABEL_OPTIONAL,
                type=_KINDS.TYPE_MESSAGE if scalar is None else scalar,
                type_name=f".{_PACKAGE}.{kind.removesuffix('*')}" if scalar is None else None,
            )
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    find = pool.FindMessageTypeByName
    return {name: message_factory.GetMessageClass(find(f"{_PACKAGE}.{name}")) for name in _MESSAGES}


_TYPES = _build_types()


def decode_feed(body: bytes) -> Any:
    """The feed, with its entities as bytes.

    Raises:
        ReadError: the body is no feed.
    """
    try:
        feed = _TYPES["FeedMessage"].FromString(body)
    except DecodeError as error:
        raise ReadError(f"is no feed of GTFS-Realtime: {error}") from None
    if not feed.HasField("header") or not feed.header.gtfs_realtime_version:
        raise ReadError("is no feed of GTFS-Realtime: it has no header with a version")
    return feed


def decode_entity(body: bytes) -> Any:
    """An entity of a feed.

    Raises:
        ReadError: it is damaged.
    """
    try:
        return _TYPES["FeedEntity"].FromString(body)
    except DecodeError as error:
        raise ReadError(f"is damaged: {error}") from None


def discard_vehicles(body: bytes) -> bytes:
    """The feed without where vehicles are, and which ones they are; an entity that is damaged stays as it came.

    Raises:
        ReadError: the body is no feed.
    """
    feed = decode_feed(body)
    for row, written in enumerate(feed.entity):
        with suppress(ReadError):
            entity = decode_entity(written)
            entity.ClearField("vehicle")
            if entity.HasField("trip_update"):
                entity.trip_update.ClearField("vehicle")
            feed.entity[row] = entity.SerializeToString()
    kept: bytes = feed.SerializeToString()
    return kept


def read_optional(message: Any, field: str) -> Any:
    """The value of a field that is there; none of one that is not, whatever its default."""
    return getattr(message, field) if message.HasField(field) else None

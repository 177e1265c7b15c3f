"""Messages of MQTT as they land: a line of JSON each, with the topic and what was sent.

One that is no JSON is kept as text, with the reason, so that it holds up no other. What messages mean, the source says.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from paho.mqtt.client import MQTTMessage

from civitas_assets.connectors.content.sequences import is_whole
from civitas_assets.connectors.content.text_encoding import to_utf8
from civitas_assets.connectors.mapping.projection import Projection, project_value
from civitas_assets.connectors.mapping.service_rows import UNREADABLE, normalise_member_names, replace_nan
from civitas_assets.errors import ReadError

_NONE = b"[]\n"  # a line that is no message: the session is known, and nothing has come
_NOTHING = msgspec.Raw(b"")


class TopicMessage(msgspec.Struct, omit_defaults=True):
    """One message: `body` is its JSON text; `retained` says that the broker had kept it as the last of its topic.

    An empty one, by which a retained one is taken back, has neither `body` nor `unreadable`. `landed_at` is there where
    the time of receiving is that of the record: the same message again is another one then.
    """

    topic: str
    retained: bool = False
    body: msgspec.Raw = _NOTHING
    unreadable: str = ""
    text: str = ""
    landed_at: str = ""


def encode_messages(messages: Iterable[MQTTMessage], landed_at: str = "") -> bytes:
    """The messages as lines of JSON."""
    found = [parse_message(message.topic, bytes(message.payload), message.retain) for message in messages]
    for message in found:
        message.landed_at = landed_at
    return msgspec.json.Encoder().encode_lines(found) or _NONE


def parse_message(topic: str, payload: bytes, retained: bool = False) -> TopicMessage:
    """One message; what is no JSON is named as such."""
    if not payload.strip():
        return TopicMessage(topic, retained)
    try:
        text = replace_nan(to_utf8(payload))
    except ReadError as error:
        return TopicMessage(topic, retained, unreadable=str(error), text=payload.decode(errors="replace"))
    if not is_whole(text):
        return TopicMessage(topic, retained, unreadable="is no JSON", text=text.decode(errors="replace"))
    if b"\n" in text or b"\r" in text:
        text = msgspec.json.format(text, indent=-1)  # a message is a line
    return TopicMessage(topic, retained, msgspec.Raw(normalise_member_names(text.strip())))


def parse_messages(body: bytes) -> list[TopicMessage]:
    """The messages that have landed, in their order.

    Raises:
        ReadError: the body is something else.
    """
    if body.strip() == _NONE.strip():
        return []
    try:
        found = msgspec.json.Decoder(TopicMessage).decode_lines(body)
    except UNREADABLE as error:
        raise ReadError(f"holds no messages as they land: {error}") from None
    if not found:
        raise ReadError("is empty")
    return found


def project_messages(body: bytes, reach: Projection) -> bytes:
    """The messages with nothing but what counts; of those that are no JSON only the reason is left.

    Raises:
        ReadError: the body is something else.
    """
    found = parse_messages(body)
    for message in found:
        message.text = ""
        if has_content(message):
            value = project_value(msgspec.json.decode(message.body), [reach])
            message.body = msgspec.Raw(msgspec.json.encode(value))
    return msgspec.json.Encoder().encode_lines(found) or _NONE


def has_content(message: TopicMessage) -> bool:
    """Whether there is anything in JSON to read."""
    return len(memoryview(message.body)) > 0

"""MQTT: messages in JSON of any topics, from the queue that a broker keeps.

Uplinks of LoRaWAN have a connector of their own, which knows what network servers say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar, Literal, Self
from zoneinfo import ZoneInfo

from paho.mqtt.client import MQTTMessage
from pydantic import AfterValidator, Field, model_validator

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.model import Slug
from civitas_assets.connectors.base import FetchSession, Payload, read_clock
from civitas_assets.connectors.mapping.levels import FieldPlace, make_one_or_many, validate_place
from civitas_assets.connectors.mapping.nested_source import NestedSource
from civitas_assets.connectors.mapping.projection import Each, Projection
from civitas_assets.connectors.mqtt.mqtt_messages import encode_messages, parse_messages, project_messages
from civitas_assets.connectors.mqtt.mqtt_rows import build_message_table
from civitas_assets.connectors.mqtt.mqtt_topics import (
    TOPIC,
    TopicNames,
    check_topic,
    list_topic_names,
    parse_topic_name,
    to_filter,
)
from civitas_assets.connectors.transport.mqtt_queue import Queue, check_broker_address, land_queue
from civitas_assets.records import RawTable


def _validate_topic_place(text: str) -> str:
    return text if parse_topic_name(text) else validate_place(text)


class TopicQueue(Queue):
    """A queue of messages whose topics may name what they are about."""

    topics: tuple[Annotated[str, AfterValidator(check_topic)], ...] = Field(
        min_length=1, description="Topic filters: +, #, and {name} for a level that fields can name."
    )

    @property
    def filters(self) -> tuple[str, ...]:
        """See `Queue`."""
        return tuple(map(to_filter, self.topics))


class MqttSource(NestedSource):
    """Messages of a broker at mqtt(s)://host:port."""

    connector: Literal["mqtt"]
    url: str = Field(pattern=r"^mqtts?://", description="The broker: mqtt(s)://host:port.")
    queue: TopicQueue = Field(description="The session at the broker.")
    fields: Mapping[Slug, make_one_or_many(_validate_topic_place)] = Field(  # type: ignore[valid-type]
        min_length=1,
        description="Contract field by path in a message, or {name} of a level of its topic; ^. leads to the record "
        "outside, @key to a member's name.",
    )

    @property
    def levels(self) -> tuple[str, ...]:
        """See `NestedSource`; the outermost is what topics say, the next the messages themselves."""
        return ("@", "@", *self.nested)

    def parse_place(self, text: str) -> FieldPlace:
        """See `NestedSource`."""
        if name := parse_topic_name(text):
            return FieldPlace(len(self.nested) + 1, name)
        return super().parse_place(text)

    def build_projection(self) -> Projection:
        """See `NestedSource`; of a single message."""
        root = Projection()
        self.include_levels(root, 1)
        return root if self.keyed[1] else root.step(Each.ITEM)

    def project_answer(self, body: bytes) -> bytes:
        """See `SelectiveSource`."""
        return project_messages(body, self.build_projection())

    @property
    def has_time_of_receiving(self) -> bool:
        """Whether records have no other time than that at which they were received."""
        return self.contract.event_time is not None and self.time is not None and self.time.zone == "received"

    def listed_record_types(self) -> frozenset[str]:
        """None: a queue has what was sent meanwhile."""
        return frozenset()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_broker_address(self.url)
        if self.each:
            raise ValueError(
                "each: fills addresses, and a broker has one: leave it out, and name topics in queue"
            )
        if self.snapshot:
            raise ValueError(
                "snapshot: a queue has only what was sent meanwhile, so that nothing in it is gone"
            )
        known = {TOPIC, *(name for topic in self.queue.topics for name in list_topic_names(topic))}
        for field, texts in self._written.items():
            for name in filter(None, map(parse_topic_name, texts)):
                if name not in known:
                    raise ValueError(
                        f"{field} is filled by {{{name}}}, which is in no topic of queue; there are: "
                        f"{', '.join(f'{{{each}}}' for each in sorted(known))}"
                    )
        return self


@dataclass(frozen=True)
class MqttConnector:
    """Fetches and reads messages in JSON; its clock tells messages from each other that have no time of their own."""

    clock: Callable[[], datetime] = read_clock
    name: ClassVar[str] = "mqtt"
    source_model: ClassVar[type[Source]] = MqttSource

    def fetch(self, source: MqttSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """What the broker has kept since the last time."""

        def encode(messages: Sequence[MQTTMessage]) -> bytes:
            # An answer that says the same as the one before is not read again, but here it has another time.
            return encode_messages(messages, self.clock().isoformat() if source.has_time_of_receiving else "")

        land_queue(source, source.queue, session, encode)

    def read(self, source: MqttSource, payload: Payload) -> Iterator[RawTable]:
        """One table; values keep their JSON type."""
        yield build_message_table(
            source,
            TopicNames(source.queue.topics),
            parse_messages(payload.body),
            has_retained=not source.has_time_of_receiving,
        )

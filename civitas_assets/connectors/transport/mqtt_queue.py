"""The queue that a broker of MQTT keeps for a source: how a tenant's file names it, and how it lands.

What the messages say is not known here; each protocol says what of them may land. Draining is
in `mqtt.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, Self
from urllib.parse import urlsplit

from paho.mqtt.client import MQTTMessage
from pydantic import Field, model_validator

from civitas_assets.catalog import Source
from civitas_assets.catalog.model import Model, SecretRef
from civitas_assets.catalog.window import Duration
from civitas_assets.connectors.base import FetchSession, Request
from civitas_assets.connectors.reachable import PUBLIC, Reachable
from civitas_assets.connectors.transport.mqtt import Drained, Subscription, drain
from civitas_assets.errors import FetchError

PORTS = {"mqtt": 1883, "mqtts": 8883}
_BELL_QUIET, _BELL_LONGEST = 0.5, 10.0  # seconds: who asks the bell has others to ask


class Queue(Model):
    """The session that a broker keeps for this source between two fetches."""

    client_id: str = Field(
        min_length=1,
        description="Name of the session: always the same, and used by nobody else at the broker.",
    )
    topics: tuple[str, ...] = Field(min_length=1, description="Topic filters.")
    username: str | SecretRef | None = Field(None, description="Whom the broker knows.")
    password: SecretRef | None = Field(None, description="Name of the secret.")
    ca_file: str | None = Field(
        None, description="Certificates to trust with mqtts, as a PEM file; default: the system's."
    )
    bell: str | None = Field(
        None,
        description="Name of a second session, used by nobody else, whose messages only tell that some wait.",
    )
    version: Literal["5", "3.1.1"] = Field("5", description="MQTT version.")
    keep: Duration = Field(
        "30 days", validate_default=True, description="How long the broker is asked to keep the session."
    )
    quiet: Duration = Field(
        "3 s", validate_default=True, description="Silence that means the queue is drained."
    )
    batch: int = Field(
        500, ge=1, le=65_535, description="Messages that land, and are acknowledged, together."
    )
    max_messages: int = Field(1_000_000, ge=1, description="Where one fetch stops; the next one goes on.")
    qos0: Literal["lost", "queued"] = Field(
        "lost",
        description="queued: the broker keeps messages with QoS 0 as well, so that they are no sign of lost ones.",
    )

    @property
    def filters(self) -> tuple[str, ...]:
        """What is subscribed to."""
        return self.topics

    @model_validator(mode="after")
    def _rings(self) -> Self:
        if self.bell == self.client_id:
            raise ValueError("bell is a session of its own, with another name than client_id")
        if self.bell is not None and any(topic.startswith("$share/") for topic in self.topics):
            raise ValueError(
                "bell would take messages of a shared subscription ($share/) from others: leave it out"
            )
        return self


def check_broker_address(url: str) -> None:
    """Check that an address has scheme, host and port of a broker, and nothing else.

    Raises:
        ValueError: it has something else.
    """
    address = urlsplit(url)
    if "@" in address.netloc or address.path.strip("/") or address.query or not address.hostname:
        raise ValueError(
            "url is only scheme, host and port of the broker; topics, username and password are in queue"
        )
    _ = address.port  # raises for what is no port


def land_queue(
    source: Source, queue: Queue, session: FetchSession, encode: Callable[[Sequence[MQTTMessage]], bytes]
) -> None:
    """Land what the broker has kept, as `encode` writes it; only what has landed is acknowledged.

    Raises:
        FetchError: something was lost, or will be; what came has landed.
    """
    broker = replace(_subscription(source, queue, session.read_secret), reachable=session.reachable)
    known = session.read_delivered(broker.address).get("client_id") == queue.client_id

    def land(messages: Sequence[MQTTMessage]) -> None:
        session.deliver(
            Request(broker.address, role="messages", variables={"client_id": queue.client_id}),
            encode(messages),
            "application/jsonl",
        )

    drained = drain(broker, land)
    if not known and not drained.messages:
        land([])  # so that the next fetch knows that there is a session
    _check_drained(broker, queue, drained, known=known)


def _check_drained(broker: Subscription, queue: Queue, drained: Drained, *, known: bool) -> None:
    if known and not drained.resumed:
        raise FetchError(
            f"{broker.address} had forgotten the session {queue.client_id}: what was sent since the last fetch is "
            "lost; have the broker keep its state on disk, and sessions longer than fetches are apart"
        )
    if drained.unqueued and queue.qos0 == "lost":
        raise FetchError(
            f"{broker.address} sent {drained.unqueued} of {drained.messages} messages with QoS 0, which it does not "
            "keep between fetches: publish with QoS 1, in ChirpStack by qos=1 in [integration.mqtt]; for a broker "
            "that keeps them all the same, say qos0: queued in queue"
        )


def has_new_messages(
    source: Source, queue: Queue, secret: Callable[[str], str], reachable: Reachable = PUBLIC
) -> bool:
    """Whether messages have come since the bell was last asked; those of the queue itself are not touched.

    The broker keeps a copy of each message for the bell's own session, and only these are taken.

    Raises:
        FetchError: the broker is not reached, or refuses.
    """
    if queue.bell is None:
        return False
    waiting = replace(
        _subscription(source, queue, secret),
        client_id=queue.bell,
        quiet=_BELL_QUIET,
        longest=_BELL_LONGEST,
        timeout=_BELL_LONGEST,
        reachable=reachable,
    )
    return drain(waiting, lambda _: None).messages > 0


def _subscription(source: Source, queue: Queue, secret: Callable[[str], str]) -> Subscription:
    def resolved(value: str | SecretRef | None) -> str | None:
        return value.prefix + value.encode(secret(value.secret)) if isinstance(value, SecretRef) else value

    address = urlsplit(source.url)
    return Subscription(
        host=address.hostname or "",
        port=address.port or PORTS[address.scheme],
        client_id=queue.client_id,
        topics=queue.filters,
        tls=address.scheme == "mqtts",
        ca_file=queue.ca_file,
        username=resolved(queue.username),
        password=resolved(queue.password),
        version=queue.version,
        keep=queue.keep.total_seconds(),
        batch=queue.batch,
        quiet=queue.quiet.total_seconds(),
        longest=source.http.total_time.total_seconds(),
        most=queue.max_messages,
        timeout=source.http.timeout.total_seconds(),
    )

"""LoRaWAN: uplinks of ChirpStack and The Things Stack v3, from its storage, from files, or from an MQTT queue.

What may be kept of an uplink is in `lorawan_uplinks.py`, what its values mean in `lorawan_values.py`, the queue in
`mqtt.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal, Self
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from paho.mqtt.client import MQTTMessage
from pydantic import Field, model_validator

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.model import Model, SecretRef, Slug
from civitas_assets.catalog.template import expand
from civitas_assets.catalog.window import Duration
from civitas_assets.connectors.base import Answer, FetchSession, Payload, Request
from civitas_assets.connectors.fetching import fetch_addresses
from civitas_assets.connectors.lorawan.lorawan_profiles import Profiles
from civitas_assets.connectors.lorawan.lorawan_uplinks import (
    encode_uplinks,
    parse_queued_uplink,
    parse_uplinks,
)
from civitas_assets.connectors.lorawan.lorawan_values import build_uplink_tables
from civitas_assets.connectors.pagination.pagination import can_be_cut
from civitas_assets.connectors.reachable import PUBLIC, Reachable
from civitas_assets.connectors.transport.mqtt import Subscription, drain
from civitas_assets.errors import FetchError
from civitas_assets.records import RECORD_TYPES, RawTable

_STORAGE = "/packages/storage/"
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_BELL_QUIET, _BELL_LONGEST = 0.5, 10.0  # seconds: who asks the bell has others to ask


class Queue(Model):
    """The session that a broker keeps for this source between two fetches."""

    client_id: str = Field(
        min_length=1,
        description="Name of the session: always the same, and used by nobody else at the broker.",
    )
    topics: tuple[str, ...] = Field(
        ("application/+/device/+/event/up",), min_length=1, description="Topic filters."
    )
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

    @model_validator(mode="after")
    def _rings(self) -> Self:
        if self.bell == self.client_id:
            raise ValueError("bell is a session of its own, with another name than client_id")
        if self.bell is not None and any(topic.startswith("$share/") for topic in self.topics):
            raise ValueError(
                "bell would take messages of a shared subscription ($share/) from others: leave it out"
            )
        return self


class LorawanSource(Source):
    """Uplinks at an http(s) address, or of a broker at mqtt(s)://host:port."""

    connector: Literal["lorawan"]
    url: str = Field(
        pattern=r"^(https?|mqtts?)://",
        description="Storage API or file with {name} of each:, {day:…}, {month:…}; or mqtt(s)://host:port.",
    )
    profiles: Profiles = Field(
        {},
        description="By device profile, model, application, or * for all others: the values that it sends.",
    )
    tags: Mapping[Slug, str] = Field(
        {}, description="Field of the station by the tag, or attribute, that holds it; no other tag is kept."
    )
    page_size: int = Field(1000, ge=2, description="Uplinks per request to the storage API.")
    queue: Queue | None = Field(None, description="With mqtt(s): the session at the broker.")

    @property
    def asks_for_days(self) -> bool:
        """See `Source`."""
        return _STORAGE in self.url or super().asks_for_days

    def record_types(self) -> frozenset[str]:
        """Devices are stations, and each of their values is a datastream."""
        return frozenset({"station", "datastream", "observation"})

    def redact_answer(self, role: str, body: bytes) -> bytes:
        """Of each uplink only what is known to be needed: no keys, tokens, gateways or raw frames."""
        if role == "storage" and not body.strip():
            return encode_uplinks([])
        return encode_uplinks(parse_uplinks(body), self.tags.values())

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        address = urlsplit(self.url)
        if (address.scheme in _PORTS) != (self.queue is not None):
            raise ValueError(
                "queue with a client_id that nobody else uses at the broker, such as civitas-musterstadt-lorawan, "
                "is needed with mqtt:// and mqtts://, and has no meaning with others"
            )
        if self.queue is not None:
            if "@" in address.netloc or address.path.strip("/") or address.query or not address.hostname:
                raise ValueError(
                    "url is only scheme, host and port of the broker; topics, username and password are in queue"
                )
            _ = address.port  # raises for what is no port
        for name, quantities in self.profiles.items():
            keys = [(quantity.key, quantity.f_port, quantity.readings) for quantity in quantities]
            twice = next((key[0] for key in keys if keys.count(key) > 1), None)
            if twice is not None:
                raise ValueError(f"profiles.{name} has two values called {twice}: name one of them otherwise")
        allowed = [column.name for column in RECORD_TYPES["station"].columns if column.name != "station_id"]
        for name in self.tags:
            if name not in allowed:
                raise ValueError(f"tags.{name} is no field of station; allowed: {', '.join(allowed)}")
        return self


class LorawanConnector:
    """Fetches and reads LoRaWAN uplinks."""

    name = "lorawan"
    source_model: type[Source] = LorawanSource

    def fetch(self, source: LorawanSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """What the queue holds, what the storage has for each day of the window, or the files."""
        if source.queue is not None:
            _drain(source, source.queue, session)
        elif _STORAGE in source.url:
            _ask_storage(source, window, zone, session)
        else:
            fetch_addresses(source, window, session)

    def read(self, source: LorawanSource, payload: Payload) -> Iterator[RawTable]:
        """Stations, datastreams and observations."""
        yield from build_uplink_tables(
            parse_uplinks(payload.body), source.profiles, source.nulls, source.tags
        )


def _ask_storage(source: LorawanSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
    """Each day for itself, so that a past one is the same answer every night.

    What comes after a page is asked for where it is full, or as long as a server's own ceiling could be.
    """

    def page(address: str, after: str, before: str) -> Request:
        query = f"order=received_at&limit={source.page_size}&after={quote(after)}&before={quote(before)}"
        return Request(
            f"{address}{'&' if '?' in address else '?'}{query}",
            role="storage",
            variables={"address": address, "before": before},
            headers={"Accept": "text/event-stream"},
        )

    def follow(answer: Answer) -> Iterator[Request]:
        found = parse_uplinks(answer.content())
        if can_be_cut(len(found), source.page_size) and found[-1].received_at:
            variables = answer.request.variables
            yield page(variables["address"], found[-1].received_at, variables["before"])

    first = [
        page(expansion.url, *(f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in part.to_instants(zone)))
        for expansion in expand(source.url, source.each, window, source.http.max_pages)
        for part in window.split(1)
    ]
    for _ in session.crawl(first, follow):
        pass


def _drain(source: LorawanSource, queue: Queue, session: FetchSession) -> None:
    """Land what the broker has kept; only what has landed is acknowledged.

    Raises:
        FetchError: something was lost, or will be; what came has landed.
    """
    broker = replace(_subscription(source, queue, session.read_secret), reachable=session.reachable)
    known = session.read_delivered(broker.address).get("client_id") == queue.client_id

    def land(messages: Sequence[MQTTMessage]) -> None:
        found = [parse_queued_uplink(bytes(message.payload), message.topic) for message in messages]
        session.deliver(
            Request(broker.address, role="messages", variables={"client_id": queue.client_id}),
            encode_uplinks(found, source.tags.values()),
            "application/jsonl",
        )

    drained = drain(broker, land)
    if not known and not drained.messages:
        land([])  # so that the next fetch knows that there is a session
    if known and not drained.resumed:
        raise FetchError(
            f"{broker.address} had forgotten the session {queue.client_id}: what was sent since the last fetch is "
            "lost; have the broker keep its state on disk, and sessions longer than fetches are apart"
        )
    if drained.unqueued:
        raise FetchError(
            f"{broker.address} sent {drained.unqueued} of {drained.messages} messages with QoS 0, which it does not "
            "keep between fetches: publish with QoS 1, in ChirpStack by qos=1 in [integration.mqtt]"
        )


def has_new_messages(
    source: LorawanSource, secret: Callable[[str], str], reachable: Reachable = PUBLIC
) -> bool:
    """Whether messages have come since the bell was last asked; those of the queue itself are not touched.

    The broker keeps a copy of each message for the bell's own session, and only these are taken.

    Raises:
        FetchError: the broker is not reached, or refuses.
    """
    if source.queue is None or source.queue.bell is None:
        return False
    waiting = replace(
        _subscription(source, source.queue, secret),
        client_id=source.queue.bell,
        quiet=_BELL_QUIET,
        longest=_BELL_LONGEST,
        timeout=_BELL_LONGEST,
        reachable=reachable,
    )
    return drain(waiting, lambda _: None).messages > 0


def _subscription(source: LorawanSource, queue: Queue, secret: Callable[[str], str]) -> Subscription:
    def resolved(value: str | SecretRef | None) -> str | None:
        return value.prefix + secret(value.secret) if isinstance(value, SecretRef) else value

    address = urlsplit(source.url)
    return Subscription(
        host=address.hostname or "",
        port=address.port or _PORTS[address.scheme],
        client_id=queue.client_id,
        topics=queue.topics,
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

"""LoRaWAN: uplinks of ChirpStack and The Things Stack v3, from its storage, from files, or from an MQTT queue.

What may be kept of an uplink is in `lorawan_uplinks.py`, what its values mean in `lorawan_values.py`, the queue in
`transport/mqtt_queue.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Literal, Self
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from paho.mqtt.client import MQTTMessage
from pydantic import Field, model_validator

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.model import Slug
from civitas_assets.catalog.template import expand
from civitas_assets.connectors.base import FetchSession, Payload, Request
from civitas_assets.connectors.fetching import fetch_addresses, fetch_all
from civitas_assets.connectors.lorawan.lorawan_profiles import Profiles
from civitas_assets.connectors.lorawan.lorawan_uplinks import (
    encode_uplinks,
    parse_queued_uplink,
    parse_uplinks,
)
from civitas_assets.connectors.lorawan.lorawan_values import build_uplink_tables
from civitas_assets.connectors.pagination.pagination import can_be_cut
from civitas_assets.connectors.transport.mqtt_queue import PORTS, Queue, check_broker_address, land_queue
from civitas_assets.records import RECORD_TYPES, RawTable

_STORAGE = "/packages/storage/"


class UplinkQueue(Queue):
    """A queue of uplinks, those of ChirpStack by default."""

    topics: tuple[str, ...] = Field(
        ("application/+/device/+/event/up",), min_length=1, description="Topic filters."
    )


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
    queue: UplinkQueue | None = Field(None, description="With mqtt(s): the session at the broker.")

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
        if (urlsplit(self.url).scheme in PORTS) != (self.queue is not None):
            raise ValueError(
                "queue with a client_id that nobody else uses at the broker, such as civitas-musterstadt-lorawan, "
                "is needed with mqtt:// and mqtts://, and has no meaning with others"
            )
        if self.queue is not None:
            check_broker_address(self.url)
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
            land_queue(source, source.queue, session, partial(_encode_messages, source.tags.values()))
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

    def follow(answer: Payload) -> Iterator[Request]:
        found = parse_uplinks(answer.body)
        if can_be_cut(len(found), source.page_size) and found[-1].received_at:
            variables = answer.request.variables
            yield page(variables["address"], found[-1].received_at, variables["before"])

    first = [
        page(expansion.url, *(f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in part.to_instants(zone)))
        for expansion in expand(source.url, source.each, window, source.http.max_pages)
        for part in window.split(1)
    ]
    fetch_all(session, first, follow)


def _encode_messages(tags: Collection[str], messages: Sequence[MQTTMessage]) -> bytes:
    found = [parse_queued_uplink(bytes(message.payload), message.topic) for message in messages]
    return encode_uplinks(found, tags)

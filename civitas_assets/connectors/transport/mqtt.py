"""Draining an MQTT queue: a persistent session whose messages are acknowledged only after they were taken.

What the messages say is not known here; which address, topics and secrets are used, the caller decides.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from civitas_assets.connectors.reachable import PUBLIC, Reachable
from civitas_assets.errors import FetchError

# Silence after which a broker waits for acknowledgements, or has no more: what is there is taken then.
_LINGER = 0.02
_KEEP_ALIVE = 60


@dataclass(frozen=True)
class Subscription:
    """A session of one client at one broker; durations are in seconds.

    `batch` is also how many unacknowledged messages the broker is allowed to send with MQTT 5. `quiet` is the
    silence that ends a drain, `longest` and `most` end it before.
    """

    host: str
    port: int
    client_id: str
    topics: tuple[str, ...]
    tls: bool = False
    ca_file: str | None = None
    username: str | None = None
    password: str | None = None
    version: Literal["5", "3.1.1"] = "5"
    keep: float = 30 * 86400
    batch: int = 500
    quiet: float = 3.0
    longest: float = 600.0
    most: int = 1_000_000
    timeout: float = 30.0
    reachable: Reachable = PUBLIC

    @property
    def address(self) -> str:
        """The broker, as errors name it."""
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


@dataclass(frozen=True)
class Drained:
    """What a drain found: whether the broker still had the session, how many messages, how many with QoS 0."""

    resumed: bool
    messages: int
    unqueued: int


def drain(
    subscription: Subscription,
    take: Callable[[Sequence[MQTTMessage]], None],
    monotonic: Callable[[], float] = time.monotonic,
) -> Drained:
    """Take the queue's messages in batches until it is quiet; a batch is acknowledged when `take` returns.

    What was not acknowledged, whatever happened, the broker sends again.

    Raises:
        FetchError: the broker is not reached, refuses, or goes away.
    """
    return _Drain(subscription, take, monotonic).run()


class _Client(Client):
    """A client that connects to addresses that may be reached; paho-mqtt 2.2 takes no connection of ours."""

    reachable: Reachable

    def _create_socket_connection(self) -> socket.socket:
        return self.reachable.connect(self._host, self._port, self._connect_timeout)


class _Drain:
    """One connection, served in this thread alone."""

    def __init__(
        self,
        subscription: Subscription,
        take: Callable[[Sequence[MQTTMessage]], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._wanted, self._take, self._monotonic = subscription, take, monotonic
        self._failure = ""
        self._resumed, self._subscribed = False, False
        self._batch: list[MQTTMessage] = []
        self._messages, self._unqueued = 0, 0
        self._heard = monotonic()
        self._client = self._new_client()

    def _new_client(self) -> Client:
        wanted, five = self._wanted, self._wanted.version == "5"
        client = _Client(
            CallbackAPIVersion.VERSION2,
            wanted.client_id,
            clean_session=None if five else False,
            protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.reachable, client.connect_timeout = wanted.reachable, wanted.timeout
        client.on_connect, client.on_subscribe = self._on_connect, self._on_subscribe
        client.on_message, client.on_disconnect = self._on_message, self._on_disconnect
        if wanted.username is not None:
            client.username_pw_set(wanted.username, wanted.password)
        return client

    def run(self) -> Drained:
        started = self._monotonic()
        self._connect()
        try:
            while not self._done(started):
                self._listen()
                silent = self._monotonic() - self._heard > _LINGER
                if self._batch and (silent or len(self._batch) >= self._wanted.batch):
                    self._land()
            self._settle()
        finally:
            self._client.disconnect()
        return Drained(self._resumed, self._messages, self._unqueued)

    def _connect(self) -> None:
        wanted, session = self._wanted, dict[str, Any]()
        if wanted.version == "5":
            terms = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            terms.SessionExpiryInterval = min(int(wanted.keep), 0xFFFF_FFFE)
            terms.ReceiveMaximum = wanted.batch
            session = {"clean_start": False, "properties": terms}
        try:
            if wanted.tls:
                self._client.tls_set(ca_certs=wanted.ca_file, cert_reqs=ssl.CERT_REQUIRED)
            self._client.connect(wanted.host, wanted.port, _KEEP_ALIVE, **session)
        except OSError as error:
            raise FetchError(f"{wanted.address} is not reached: {error}") from None
        except ValueError as error:
            raise FetchError(f"{wanted.address} is no broker's address: {error}") from None

    def _listen(self) -> None:
        code = self._client.loop(_LINGER / 2 if self._batch else 0.2)
        if not self._failure and code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._failure = f"the connection was lost ({code.name}); what was not acknowledged comes again"
        if not self._failure and not self._subscribed:
            waited = self._monotonic() - self._heard
            if waited > self._wanted.timeout:
                self._failure = f"says nothing for {waited:.0f} s"
        if self._failure:
            raise FetchError(f"{self._wanted.address}: {self._failure}")

    def _land(self) -> None:
        batch, self._batch = self._batch, []
        self._take(batch)
        for message in batch:
            if message.qos:
                self._client.ack(message.mid, message.qos)
        self._messages += len(batch)
        self._unqueued += sum(message.qos == 0 and not message.retain for message in batch)
        # Taking may be slow; silence counts from here, because only now the broker may go on.
        self._heard = self._monotonic()

    def _settle(self) -> None:
        """Read what the broker goes on sending, to be sent again: closing over it could lose acknowledgements."""
        deadline = self._monotonic() + self._wanted.timeout
        while self._monotonic() - self._heard <= _LINGER and self._monotonic() < deadline:
            self._listen()

    def _done(self, started: float) -> bool:
        if self._batch or not self._subscribed:
            return False
        now, wanted = self._monotonic(), self._wanted
        return (
            now - self._heard >= wanted.quiet
            or now - started >= wanted.longest
            or self._messages >= wanted.most
        )

    def _on_connect(self, client: Client, _data: Any, flags: Any, code: Any, _properties: Any) -> None:
        self._heard = self._monotonic()
        if code.is_failure:
            self._failure = f"refuses the connection: {code}; check username, password and client_id"
            return
        self._resumed = bool(flags.session_present)
        if self._wanted.version == "5":
            # What the broker retains it sends to a new session alone, not at each fetch again.
            once = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
            client.subscribe([(topic, once) for topic in self._wanted.topics])
        else:
            client.subscribe([(topic, 1) for topic in self._wanted.topics])

    def _on_subscribe(self, _client: Client, _data: Any, _mid: int, codes: Any, _properties: Any) -> None:
        self._heard = self._monotonic()
        for topic, code in zip(self._wanted.topics, codes, strict=False):
            if code.is_failure:
                self._failure = f"refuses the topic {topic}: {code}"
            elif code.value == 0:
                self._failure = (
                    f"grants {topic} only QoS 0: it keeps no messages for later, so nothing is drained"
                )
        self._subscribed = not self._failure

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self._batch.append(message)
        self._heard = self._monotonic()

    def _on_disconnect(self, _client: Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        if code.is_failure and not self._failure:
            self._failure = f"ends the connection: {code}; is client_id used by nobody else?"

"""A sample MQTT broker on loopback, with messages that wait in persistent sessions.

It forgets them when it stops, unlike a real one, and is filled anew when it starts.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Self

from amqtt.broker import Broker
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from civitas_assets.connectors.reachable import LOCAL
from civitas_assets.connectors.transport.mqtt import Subscription, drain

_HOST = "127.0.0.1"
_USER = "demo"  # the broker keeps nothing for who has no name
_SECONDS = 20.0
_PLUGINS = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": False}}

Messages = Iterable[tuple[str, bytes]]


class SampleBroker:
    """The broker, in a thread of this process; `sessions` are the waiting messages by client and topic filter."""

    def __init__(self, port: int, sessions: Mapping[tuple[str, str], Messages]) -> None:
        self.url = f"mqtt://{_HOST}:{port}"
        self._port, self._sessions = port, sessions
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self._running())
            for (client, topics), messages in self._sessions.items():
                drain(self._session(client, topics), lambda _: None)
                self._publish(messages)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @contextmanager
    def _running(self) -> Iterator[None]:
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="sample broker")
        thread.start()
        try:
            broker = asyncio.run_coroutine_threadsafe(self._started(), loop).result(_SECONDS)
            yield
            asyncio.run_coroutine_threadsafe(broker.shutdown(), loop).result(_SECONDS)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    async def _started(self) -> Broker:
        listener = {"type": "tcp", "bind": f"{_HOST}:{self._port}"}
        broker = Broker({"listeners": {"default": listener}, "plugins": _PLUGINS})
        await broker.start()
        return broker

    def _session(self, client: str, topics: str) -> Subscription:
        return Subscription(
            _HOST,
            self._port,
            client,
            (topics,),
            username=_USER,
            version="3.1.1",
            reachable=LOCAL,
            quiet=0.0,
            timeout=_SECONDS,
        )

    def _publish(self, messages: Messages) -> None:
        client = Client(CallbackAPIVersion.VERSION2, "network-server")
        client.username_pw_set(_USER)
        client.connect(_HOST, self._port)
        client.loop_start()
        try:
            for sent in [client.publish(topic, body, 1) for topic, body in messages]:
                sent.wait_for_publish(_SECONDS)
        finally:
            client.disconnect()
            client.loop_stop()

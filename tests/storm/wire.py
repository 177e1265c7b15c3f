"""The way from runs to PostgreSQL, on which something happens at the n-th thing that a run says.

The driver speaks in native code, where nothing else in Python sees it.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

_ASKS_FOR_TLS = {80877103, 80877104}  # which the server answers by one byte, before anything begins
_LONGEST_ANSWER = 10.0


@dataclass
class Blow:
    """What happens at the n-th message that holds a text; `after` means that it was carried out, and no answer came."""

    text: bytes
    nth: int
    do: Callable[[], None]
    after: bool = False
    has_fallen: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def is_due(self, message: bytes) -> bool:
        """Whether this message is the one."""
        if self.text not in message.lower():
            return False
        with self._lock:
            self.nth -= 1
            return self.nth == 0


class Wire:
    """Takes connections on loopback and passes them on; `blow` is what happens next, where anything does."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "", parts.port or 0)
        self._listening = socket.create_server(("127.0.0.1", 0))
        account = parts.netloc.rpartition("@")[0]
        at = f"{account}@127.0.0.1:{self._listening.getsockname()[1]}"
        self.url = urlunsplit(parts._replace(netloc=at))
        self.blow: Blow | None = None
        self.said = 0
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def close(self) -> None:
        """Take no further connections."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._accepting.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target)
            except OSError:
                client.close()
                continue
            _Line(self, client, server).start()


class _Line:
    """One connection: a thread for each direction."""

    def __init__(self, wire: Wire, client: socket.socket, server: socket.socket) -> None:
        self._wire, self._client, self._server = wire, client, server
        for end in (client, server):  # what is said goes out at once
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._is_mute, self._was_answered = False, threading.Event()

    def start(self) -> None:
        for direction in (self._up, self._down):
            threading.Thread(target=direction, daemon=True).start()

    def _up(self) -> None:
        with suppress(OSError):
            for message in _messages(self._client):
                self._wire.said += 1
                blow = self._wire.blow
                if blow is None or not blow.is_due(message):
                    self._server.sendall(message)
                    continue
                if blow.after:
                    self._is_mute = True
                    self._server.sendall(message)
                    self._was_answered.wait(_LONGEST_ANSWER)
                blow.has_fallen = True
                self._end()
                blow.do()
                return
        self._end()

    def _down(self) -> None:
        with suppress(OSError):
            while found := self._server.recv(65536):
                if self._is_mute:
                    self._was_answered.set()
                else:
                    self._client.sendall(found)
        self._end()

    def _end(self) -> None:
        for end in (self._client, self._server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def _messages(client: socket.socket) -> Iterator[bytes]:
    """What a client says, message by message: its greeting has no letter in front, all others have."""
    with client.makefile("rb") as stream:
        while True:
            size = stream.read(4)
            length = int.from_bytes(size, "big")
            if length < 8:
                return
            body = stream.read(length - 4)
            yield size + body
            if int.from_bytes(body[:4], "big") not in _ASKS_FOR_TLS:
                break
        while letter := stream.read(1):
            size = stream.read(4)
            if len(size) < 4:
                return
            yield letter + size + stream.read(int.from_bytes(size, "big") - 4)

"""Deadlines: the moment at which something ends, and a network whose every wait ends there as well.

The HTTP library bounds each wait by itself, so that a server which sends a line now and then is waited for without end.
The network connects to addresses that may be reached, and to no others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import httpcore2
import httpx2

from civitas_assets.connectors.reachable import Reachable, connect_first


@dataclass(frozen=True, order=True)
class Deadline:
    """A moment of a monotonic clock, in seconds; `limit` names who sets it, and `advice` says what to do about it."""

    moment: float
    limit: str = field(default="", compare=False)
    advice: str = field(default="", compare=False)


NEVER = Deadline(math.inf)


class Late(Exception):
    """The deadline has passed, or would before anything can be done."""


# Of the request that the thread works on: its moment, and the clock of that.
_current: ContextVar[tuple[float, Callable[[], float]] | None] = ContextVar("deadline", default=None)


@contextmanager
def enforce_deadline(deadline: Deadline, monotonic: Callable[[], float]) -> Iterator[None]:
    """Let every wait of a bounded client in this thread end at the deadline."""
    token = _current.set((deadline.moment, monotonic))
    try:
        yield
    finally:
        _current.reset(token)


def bind_client(client: httpx2.Client, reachable: Reachable) -> httpx2.Client:
    """The client, with connections that keep to the deadline of their thread, and to what may be reached.

    httpx2 2.16 takes no network of ours, and its pool, also those of proxies, asks its own at each connection. A proxy
    is the operator's, wherever it is; see `check_proxy_target` for what is behind it.
    """
    for transport in (client._transport, *client._mounts.values()):
        pool = getattr(transport, "_pool", None)
        if pool is not None:
            guard = reachable if transport is client._transport else None
            pool._network_backend = _Backend(pool._network_backend, guard)
    return client


def check_proxy_target(client: httpx2.Client, url: httpx2.URL, reachable: Reachable) -> None:
    """See that what a proxy connects to may be reached; a name that only the proxy resolves is for that to refuse.

    Raises:
        FetchError: it may not.
    """
    if client._transport_for_url(url) is not client._transport:
        with suppress(OSError):
            reachable.resolve_host(url.host, url.origin.port or 443)


def _left(timeout: float | None, error: type[Exception]) -> float | None:
    current = _current.get()
    if current is None or current[0] == math.inf:
        return timeout
    moment, monotonic = current
    left = moment - monotonic()
    if left <= 0:
        raise error("the deadline has passed")
    return left if timeout is None else min(timeout, left)


class _Stream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = _left(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore2.NetworkBackend):
    def __init__(self, backend: httpcore2.NetworkBackend, reachable: Reachable | None) -> None:
        self._backend, self._reachable = backend, reachable

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        def connect(address: str) -> httpcore2.NetworkStream:
            left = _left(timeout, httpcore2.ConnectTimeout)
            return _Stream(self._backend.connect_tcp(address, port, left, local_address, socket_options))

        if self._reachable is None:
            return connect(host)
        try:
            addresses = self._reachable.resolve_host(host, port)
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from error
        return connect_first(addresses, connect, httpcore2.ConnectError)

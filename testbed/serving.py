"""Servers of scenarios and tests: on a free port of the loopback, and gone at the end."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager


class Request(http.server.BaseHTTPRequestHandler):
    """A request to a server, of which nothing is printed."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def reply(self, body: bytes = b"", status: int = 200, **headers: str) -> None:
        """See `answer`."""
        answer(self, body, status, **headers)


def answer(
    request: http.server.BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str
) -> None:
    """Send a body, of which a HEAD request gets the length alone; headers are named with underlines."""
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(body)


class Loopback:
    """A server on a free port of the loopback that answers each request in a thread of its own, until it is closed."""

    def __init__(self, handler: Callable[..., http.server.BaseHTTPRequestHandler]) -> None:
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.port = self._server.server_port

    def close(self) -> None:
        """Answer nobody any more; whoever is being answered is waited for."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def serving(get: Callable[[Request], None]) -> Iterator[int]:
    """The port at which requests are answered by `get`, until the end."""

    class Handler(Request):
        def do_GET(self) -> None:
            get(self)

    with closing(Loopback(Handler)) as server:
        yield server.port

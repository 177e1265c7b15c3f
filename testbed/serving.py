"""Servers of scenarios and tests: on a free port of the loopback, and gone at the end."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

Request = http.server.BaseHTTPRequestHandler


def answer(request: Request, body: bytes, status: int = 200, *, tag: str = "") -> None:
    """Send a body, with an ETag where one is given."""
    request.send_response(status)
    if tag:
        request.send_header("ETag", tag)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


class Loopback:
    """A server on a free port of the loopback that answers each request in a thread of its own, until it is closed."""

    def __init__(self, handler: type[Request]) -> None:
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

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            get(self)

    with closing(Loopback(Handler)) as server:
        yield server.port

"""Servers of scenarios: on a free port of the loopback, without a word, and gone at the end."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Request = http.server.BaseHTTPRequestHandler


def answer(request: Request, body: bytes, status: int = 200, *, tag: str = "") -> None:
    """Send a body, with an ETag where one is given."""
    request.send_response(status)
    if tag:
        request.send_header("ETag", tag)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


@contextmanager
def serving(get: Callable[[Request], None]) -> Iterator[int]:
    """The port at which requests are answered by `get`, each in a thread of its own, until the end."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            get(self)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

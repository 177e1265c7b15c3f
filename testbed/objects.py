"""An S3-compatible object store for tests and measurements: moto's, in this process, on a free port of loopback.

It can be told to fail or to be slow, which moto itself cannot.
"""

from __future__ import annotations

import io
import logging
import threading
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

BUCKET = "civitas"
KEY, SECRET = "civitas", "cloud-cuckoo-land"


@dataclass
class ObjectServer:
    """The server's address, what it was asked, and the answers that it is to give instead of the right ones.

    `watch` is told `before` a request is done and `after` it, before its answer goes out, what was asked, with what;
    where it says False before, nothing is done.
    """

    address: str = ""
    asked: list[str] = field(default_factory=list)
    faults: list[int] = field(default_factory=list)
    answer_lost: list[str] = field(default_factory=list)
    watch: Callable[[str, str, bytes], object] = lambda moment, asked, body: None

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that lead to it."""
        return {
            "AWS_ENDPOINT_URL": self.address,
            "AWS_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }

    def fill(self, keys: Iterable[str]) -> None:
        """Put objects of one byte, past the network."""
        from moto.s3.models import s3_backends  # noqa: PLC0415 - slow to import

        backend = s3_backends["123456789012"]["aws"]
        for key in keys:
            backend.put_object(BUCKET, key, b"x")

    def list_keys(self, prefix: str) -> set[str]:
        """What is there, without the prefix."""
        from moto.s3.models import s3_backends  # noqa: PLC0415 - slow to import

        found = s3_backends["123456789012"]["aws"].buckets[BUCKET].keys
        return {key.removeprefix(prefix) for key in list(found.keys()) if key.startswith(prefix)}

    def bodies(self, prefix: str) -> Mapping[str, bytes]:
        """What objects hold, by key; of those that were deleted, a versioned bucket has only marks."""
        from moto.s3.models import FakeKey, s3_backends  # noqa: PLC0415 - slow to import

        found = s3_backends["123456789012"]["aws"].buckets[BUCKET].keys
        there = {key: found[key] for key in list(found.keys()) if key.startswith(prefix)}
        return {key: held.value for key, held in there.items() if isinstance(held, FakeKey)}

    def age(self, prefix: str, by: timedelta) -> None:
        """Make objects older by so much, as the server's clock has it."""
        from moto.s3.models import s3_backends  # noqa: PLC0415 - slow to import

        keys = s3_backends["123456789012"]["aws"].buckets[BUCKET].keys
        for key, found in keys.items():
            if key.startswith(prefix):
                found.last_modified -= by

    def serving(self, application: Callable[..., Any]) -> Callable[..., Any]:
        """The application, with the faults before it: a status in place of the answer, or the answer lost."""

        def serve(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
            asked = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
            self.asked.append(asked)
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
            if self.watch("before", asked, body) is False:
                start("503 Slow Down", [("Content-Length", "0")])
                return [b""]
            if self.faults:
                start(f"{self.faults.pop(0)} Fault", [("Content-Length", "0")])
                return [b""]
            if environ["REQUEST_METHOD"] in self.answer_lost:
                self.answer_lost.remove(environ["REQUEST_METHOD"])
                b"".join(application(environ, lambda *_: None))
                start("503 Slow Down", [("Content-Length", "0")])
                return [b""]
            given = application(environ, start)
            self.watch("after", asked, body)
            return given

        return serve


@contextmanager
def object_server() -> Iterator[ObjectServer]:
    """The server, with an empty bucket."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415 - slow to import
    from werkzeug.serving import make_server  # noqa: PLC0415

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ObjectServer()
    application = server.serving(DomainDispatcherApplication(create_backend_app))
    http = make_server("127.0.0.1", 0, application, threaded=True)
    server.address = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        make = urllib.request.Request(f"{server.address}/{BUCKET}", method="PUT")
        urllib.request.urlopen(make).close()
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()

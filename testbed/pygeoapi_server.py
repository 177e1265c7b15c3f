"""A real pygeoapi, with a configuration that somebody has written.

It is a process of its own, from an environment that whoever asks has made.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

PYGEOAPI = "0.21.0"
_SERVE = "import sys; from pygeoapi.flask_app import APP; APP.run('127.0.0.1', int(sys.argv[1]), debug=False)"


@contextmanager
def start_pygeoapi(python: Path, configuration: Path, described: Path, port: int) -> Iterator[str]:
    """The address of a server that has read its configuration, and what describes its interface."""
    environment = {**os.environ, "PYGEOAPI_CONFIG": str(configuration), "PYGEOAPI_OPENAPI": str(described)}
    address, log = f"http://127.0.0.1:{port}", described.with_suffix(".log")
    with log.open("wb") as told:
        command = [str(python), "-c", _SERVE, str(port)]
        server = subprocess.Popen(command, env=environment, stdout=told, stderr=subprocess.STDOUT)
    try:
        until = time.monotonic() + 120
        while not _answers(f"{address}/collections?f=json"):
            if server.poll() is not None or time.monotonic() > until:
                raise AssertionError(log.read_text(encoding="utf-8", errors="replace")[-3000:])
            threading.Event().wait(0.2)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def _answers(url: str) -> bool:
    try:
        with closing(urllib.request.urlopen(url, timeout=60)):
            return True
    except OSError:
        return False

"""Serving the browser on loopback, in a process of its own that asks for a token."""

from __future__ import annotations

import importlib.util
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

from civitas_assets.endpoint import find_free_port
from civitas_assets.errors import PublishError

if TYPE_CHECKING:
    from civitas_assets.settings import Settings

HOST = "127.0.0.1"
_PATIENCE = 60.0  # seconds


@contextmanager
def serve(settings: Settings, tenant: str, port: int = 0) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address with the token that opens it, and the process, once it answers; it ends with the block.

    Whoever has an account on the same machine can reach loopback, too: without the token nothing is shown. It is handed
    over by standard input, so that it is in no list of processes.

    Raises:
        PublishError: marimo is not installed, there is nothing published to see yet, or the server did not start.
    """
    if importlib.util.find_spec("marimo") is None:
        raise PublishError("the browser needs marimo; install it: pip install 'civitas-assets[browse]'")
    port, token = port or find_free_port(), secrets.token_urlsafe(24)
    command = [sys.executable, "-m", "civitas_assets.browse", tenant, str(port)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 - our own interpreter and arguments
    try:
        assert process.stdin is not None  # noqa: S101 - a pipe was asked for
        process.stdin.write(token.encode())
        process.stdin.close()
        _check_output(settings, tenant)
        address = f"http://{HOST}:{port}"
        _await(address, process)
        yield f"{address}/?access_token={token}", process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _check_output(settings: Settings, tenant: str) -> None:
    """See that there is something to show, while the server starts."""
    from civitas_assets.publish.reading import open_published  # noqa: PLC0415 - loaded meanwhile, too

    with open_published(settings, tenant):
        pass


def _await(address: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            raise PublishError(f"the browser's server ended with {process.returncode}")
        try:
            with urlopen(f"{address}/health", timeout=5):  # noqa: S310 - our own server
                return
        except (URLError, OSError):
            time.sleep(0.05)
    raise PublishError(f"the browser's server does not answer at {address}")

"""Host and port of an address, in whichever way it is written, and free ports of this machine."""

from __future__ import annotations

import re
import socket
from urllib.parse import parse_qsl, urlsplit

_PORTS = {"http": 80, "https": 443}
_PORT = 5432  # of a database


def parse_endpoint(address: str) -> tuple[str, int]:
    """Host and port of a URL, or of what libpq takes as names and values."""
    if "://" in address:
        parts = urlsplit(address)
        named = dict(parse_qsl(parts.query))
        host, port = parts.hostname or named.get("host", ""), parts.port or named.get("port")
        default = _PORTS.get(parts.scheme, _PORT)
    else:
        named = dict(re.findall(r"(host|port)\s*=\s*'?([^\s']+)", address))
        host, port, default = named.get("host", ""), named.get("port"), _PORT
    return ("localhost" if not host or host.startswith("/") else host.lower()), int(port or default)


def find_free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

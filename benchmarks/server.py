"""A SensorThings service with a million observations that answers 50 ms late, in a process of its own.

Called as `python -m benchmarks.server <plain|compact>`, it prints its port and serves until its input closes.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from datetime import datetime, timedelta
from urllib.parse import quote, unquote

from benchmarks.data import CHANNELS, ROWS, START, observation_rows

LATENCY = 0.05
DATA_ARRAYS = "http://www.opengis.net/spec/iot_sensing/1.1/req/data-array/data-array"
_STEP = timedelta(minutes=15)
_ASKED = re.compile(
    r"/v1\.1/Datastreams\((\d+)\)/Observations\?\$filter=phenomenonTime ge (\S+) and phenomenonTime lt (\S+)"
    r"&.*\$top=(\d+)(?:.*\$skip=(\d+))?"
)


class Service:
    """The answers, each observation rendered once."""

    def __init__(self, *, compact: bool) -> None:
        self._compact = compact
        self._rows = [
            [json.dumps(row).encode() for row in observation_rows(channel, compact=compact)]
            for channel in range(CHANNELS)
        ]

    def answer(self, address: str) -> bytes:
        """The body for an address."""
        path = unquote(address)
        asked = _ASKED.match(path)
        if asked:
            return self._page(
                address, int(asked[1]) - 1000, asked[2], asked[3], int(asked[4]), int(asked[5] or 0)
            )
        if path.startswith("/v1.1/Things"):
            streams = [{"@iot.id": 1000 + channel, "name": f"Kanal {channel}"} for channel in range(CHANNELS)]
            return json.dumps({"value": [{"@iot.id": 1, "name": "A", "Datastreams": streams}]}).encode()
        conformance = [DATA_ARRAYS] if self._compact else []
        return json.dumps({"value": [], "serverSettings": {"conformance": conformance}}).encode()

    def _page(self, address: str, channel: int, start: str, end: str, top: int, skip: int) -> bytes:  # noqa: PLR0917
        first, last = (
            min(max(-((START - datetime.fromisoformat(at)) // _STEP), 0), ROWS) for at in (start, end)
        )
        rows = self._rows[channel][first:last]
        value = b",".join(rows[skip : skip + top])
        if self._compact:
            names = b'"id","phenomenonTime","resultTime","result"'
            value = b'{"components":[' + names + b'],"dataArray":[' + value + b"]}"
        more = b""
        if skip + top < len(rows):
            link = f"{address.partition('&$skip=')[0]}&$skip={skip + top}"
            more = b',"@iot.nextLink":' + json.dumps(quote(link, safe="%/?&=$()',:")).encode()
        return b'{"value":[' + value + b"]" + more + b"}"


class Connection(asyncio.Protocol):
    """One connection that stays open: each request is answered late, and none waits for another connection's."""

    def __init__(self, service: Service) -> None:
        self._service, self._pending = service, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._pending += data
        while b"\r\n\r\n" in self._pending:
            head, self._pending = self._pending.split(b"\r\n\r\n", 1)
            address = head.split(b" ", 2)[1].decode("ascii")
            asyncio.get_running_loop().call_later(LATENCY, self._reply, address)

    def _reply(self, address: str) -> None:
        body = self._service.answer(address)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


async def serve(service: Service) -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(service), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(Service(compact=sys.argv[1] == "compact")))

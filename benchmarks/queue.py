"""The scenarios of a queue: uplinks drained from a real broker, landed and read, with bare receiving beside it.

The broker is Mosquitto on loopback, with the number of unacknowledged messages that the manual recommends.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.town import NOW, Figures, tenant_of
from civitas_assets.catalog import Window
from civitas_assets.connectors.reachable import LOCAL
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.connectors.transport.mqtt import Subscription, drain
from civitas_assets.ingest.fetch import fetch_sources
from civitas_assets.ingest.read_all import read_sources
from civitas_assets.store.files import LocalFiles
from civitas_assets.store.stores import Stores
from testbed.broker import mosquitto, publish

MESSAGES = 10_000
QUIET = 1.0  # seconds of silence that end a drain; they are part of what is measured
_TOPIC = "application/7/device/00aa/event/up"
_START = datetime(2026, 7, 31, 10, tzinfo=UTC)


def _uplink(number: int) -> bytes:
    """A message of ChirpStack with three values and three gateways, 1.2 kB."""
    gateway = {
        "gatewayId": "0016c001f1500812",
        "rssi": -57,
        "snr": 9.5,
        "context": "EFwMtA==",
        "crcStatus": "CRC_OK",
    }
    return json.dumps(
        {
            "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
            "time": (_START + timedelta(seconds=number // 10)).isoformat(),
            "deviceInfo": {
                "tenantName": "Messstadt",
                "applicationName": "Boden",
                "deviceProfileName": "Bodensonde",
                "deviceName": f"Sonde {number % 10}",
                "devEui": f"{number % 10:016x}",
            },
            "devAddr": "00189440",
            "fCnt": number // 10,
            "fPort": 2,
            "data": "DOUAAA==" * 4,
            "object": {"feuchte": number % 1000 / 10, "temperatur": number % 400 / 10, "batterie": 3.3},
            "rxInfo": [gateway] * 3,
            "txInfo": {
                "frequency": 868100000,
                "modulation": {"lora": {"bandwidth": 125000, "spreadingFactor": 7}},
            },
        }
    ).encode()


def drain_queue(folder: Path) -> Figures:
    """10,000 uplinks that wait in a persistent session: drained, landed, acknowledged, and read into the record store.

    The same number, received and acknowledged by the bare client, is the floor.
    """
    bodies = [_uplink(number) for number in range(MESSAGES)]
    with mosquitto(folder / "broker", more="max_inflight_messages 500") as port:
        tenant, files = tenant_of(folder, port), LocalFiles(folder / "home")
        sources = {"uplinks": tenant.sources["uplinks"]}
        window = Window(_START.date(), _START.date())
        bare = Subscription("127.0.0.1", port, "bare", (_TOPIC,), quiet=QUIET, reachable=LOCAL)
        with HttpClient("benchmark", clock=lambda: datetime.now(UTC), secrets=str, reachable=LOCAL) as client:

            def fetch() -> None:
                (report,) = fetch_sources(tenant, sources, CONNECTORS, window, files, client, lambda: NOW)
                assert report.ok, report.error

            fetch()  # from now on the broker keeps what comes
            drain(bare, lambda _: None)
            publish(port, _TOPIC, bodies)
            started = time.perf_counter()
            fetch()
        landed = time.perf_counter() - started
        (read,) = read_sources(
            tenant, sources, CONNECTORS, Stores.for_tenant(files, tenant.slug), "benchmark"
        )
        seconds = time.perf_counter() - started
        assert read.ok, read.errors
        assert read.counts["observation"].new == 3 * MESSAGES
        again = time.perf_counter()
        assert drain(bare, lambda _: None).messages == MESSAGES
        floor = time.perf_counter() - again
    return {
        "seconds": seconds,
        "drain and land": landed,
        "floor: bare client": floor,
        "messages_per_second": MESSAGES / seconds,
    }

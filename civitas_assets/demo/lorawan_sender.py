"""Sample uplinks of soil sensors under street trees, as ChirpStack v4 publishes them, with the dirt of real ones.

Keys and gateways are here to be left out by whoever reads them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from civitas_assets.demo.generator import ZONE, Town, find_extent, make_noise

Json = dict[str, object]

CLIENT = "civitas-{town}-soil"
TOPICS = "application/7/device/+/event/up"
_EVERY = timedelta(minutes=30)
_DAYS = 2
_NO_PROBE = -127.0  # what the codec gives where no temperature probe is plugged in


def make_uplinks(town: Town, today: date) -> Iterator[tuple[str, bytes]]:
    """Topic and body of each message of the last two days, in the order in which they were sent.

    Some are delivered twice, some have the value of a missing probe, and one is no uplink at all.
    """
    last = find_extent(today)[1]
    moment = datetime.combine(last - timedelta(days=_DAYS - 1), time(), ZONE).astimezone(UTC)
    end = datetime.combine(last + timedelta(days=1), time(), ZONE).astimezone(UTC)
    count = int(moment.timestamp() // _EVERY.total_seconds())
    while moment < end:
        for number in range(1, town.trees + 1):
            device = f"{0x99000000 + number:016x}"
            topic = TOPICS.replace("+", device)
            body = json.dumps(_uplink(town, number, device, moment, count)).encode()
            yield topic, body
            if make_noise(town.name, device, moment, "twice") > 0.97:
                yield topic, body
        moment, count = moment + _EVERY, count + 1
    yield TOPICS.replace("+", "test"), b"hello"


def _uplink(town: Town, number: int, device: str, moment: datetime, count: int) -> Json:
    hour = moment.astimezone(ZONE).hour
    warm = round(14 + 4 * make_noise(town.name, device, moment) - abs(hour - 15) / 4, 2)
    wet = round(22 + 6 * number + 3 * make_noise(town.name, device, moment.date()) - hour / 12, 2)
    gone = make_noise(town.name, device, moment, "probe") > 0.98
    return {
        "time": (moment + timedelta(seconds=number)).isoformat(),
        "deviceInfo": {
            "tenantName": town.name,
            "applicationName": "baumbewaesserung",
            "deviceProfileName": "Bodensonde",
            "deviceName": f"Baum {number}",
            "devEui": device,
            "tags": {
                "standort": f"Lindenallee {2 * number}",
                "lat": f"{town.box[1] + 0.06 + number / 1000:.4f}",
                "lon": f"{town.box[0] + 0.07 + number / 1000:.4f}",
            },
        },
        "devAddr": f"019900{number:02x}",
        "fCnt": count % 65536,
        "fPort": 2,
        "data": "DOUAAA==",
        "object": {"temp_SOIL": _NO_PROBE if gone else warm, "water_SOIL": str(wet), "BatV": 3.3},
        "rxInfo": [
            {"gatewayId": f"99000000000000{gateway:02x}", "rssi": -90 - gateway} for gateway in (1, 2)
        ],
    }

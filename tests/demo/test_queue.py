"""The sample broker has messages waiting for the towns, as many whenever it starts, and forgets what was taken."""

from __future__ import annotations

import json
from datetime import date
from urllib.parse import urlsplit

from civitas_assets.connectors.reachable import LOCAL
from civitas_assets.connectors.transport.mqtt import Drained, Subscription, drain
from civitas_assets.demo.generator import TOWNS
from civitas_assets.demo.lorawan_sender import CLIENT, TOPICS, make_uplinks
from civitas_assets.demo.servers import SampleServers

TODAY = date(2026, 8, 22)
TOWN = TOWNS["probeheim"]


def drained(servers: SampleServers) -> tuple[Drained, list[bytes]]:
    """What waits for the town."""
    port = urlsplit(servers.queue).port
    assert port
    found: list[bytes] = []
    wanted = Subscription(
        "127.0.0.1",
        port,
        CLIENT.format(town=TOWN.name),
        (TOPICS,),
        username="demo",
        version="3.1.1",
        quiet=0.5,
        reachable=LOCAL,
    )
    told = drain(wanted, lambda messages: found.extend(bytes(message.payload) for message in messages))
    return told, found


def test_messages_wait_in_the_session_until_they_are_taken() -> None:
    sent = [body for _, body in make_uplinks(TOWN, TODAY)]
    with SampleServers(TODAY) as servers:
        told, found = drained(servers)
        assert told.resumed
        assert sorted(found) == sorted(sent)
        assert drained(servers) == (Drained(resumed=True, messages=0, unqueued=0), [])


def test_messages_hold_the_dirt_that_a_reader_has_to_cope_with() -> None:
    sent = [body for _, body in make_uplinks(TOWN, TODAY)]
    objects = [json.loads(body)["object"] for body in sent if body.startswith(b"{")]
    assert len(sent) - len(objects) == 1, "one message is no uplink"
    assert 2 * 48 * TOWN.trees < len(objects) < 2 * 48 * TOWN.trees * 1.1, "some come twice"
    assert 0 < sum(values["temp_SOIL"] == -127 for values in objects) < 30, "a probe may be missing"
    assert all(isinstance(values["water_SOIL"], str) for values in objects), "numbers may be text"
    assert sent == [body for _, body in make_uplinks(TOWN, TODAY)]

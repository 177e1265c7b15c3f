"""A queue is drained by a real broker's session: nothing is acknowledged that was not taken, and losses are named."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from civitas_assets.connectors.reachable import LOCAL
from civitas_assets.connectors.transport.mqtt import Subscription, drain
from civitas_assets.errors import FetchError
from testbed.broker import publish

Broker = Callable[..., AbstractContextManager[int]]
TOPIC = "application/a/device/d/event/up"


@pytest.fixture
def port(broker: Broker) -> Iterator[int]:
    """A broker that hands out ten messages at a time to who has not acknowledged them."""
    with broker(more="max_inflight_messages 10") as number:
        yield number


def subscribed(port: int, **changed: Any) -> Subscription:
    """The session of a client, known to the broker from now on."""
    wanted = Subscription(
        "127.0.0.1", port, "test", (TOPIC,), quiet=0.3, batch=10, timeout=5, reachable=LOCAL
    )
    wanted = replace(wanted, **changed)
    assert taken(wanted) == []
    return wanted


def taken(wanted: Subscription) -> list[bytes]:
    """What the queue holds."""
    found: list[bytes] = []
    drain(wanted, lambda messages: found.extend(bytes(message.payload) for message in messages))
    return found


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_what_was_sent_in_the_meantime_comes_in_order_and_once(port: int, version: Any) -> None:
    wanted = subscribed(port, version=version)
    bodies = [str(n).encode() for n in range(25)]
    publish(port, TOPIC, bodies)
    assert taken(wanted) == bodies
    assert taken(wanted) == []


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_what_was_not_taken_comes_again(port: int, version: Any) -> None:
    wanted = subscribed(port, version=version)
    bodies = [str(n).encode() for n in range(25)]
    publish(port, TOPIC, bodies)
    kept: list[bytes] = []

    def full(messages: Any) -> None:
        if kept:
            raise OSError("No space left on device")
        kept.extend(bytes(message.payload) for message in messages)

    with pytest.raises(OSError, match="No space"):
        drain(wanted, full)
    assert kept == bodies[: len(kept)]
    assert sorted({*kept, *taken(wanted)}) == sorted(bodies)


def test_a_batch_is_taken_whole_before_any_of_it_is_acknowledged(port: int) -> None:
    wanted = subscribed(port)
    publish(port, TOPIC, [b"x"] * 30)
    sizes: list[int] = []
    drain(wanted, lambda messages: sizes.append(len(messages)))
    assert sum(sizes) == 30
    assert max(sizes) <= 10


def test_a_fetch_stops_at_its_ceiling_and_the_next_one_goes_on(port: int) -> None:
    wanted = subscribed(port, most=10)
    bodies = [str(n).encode() for n in range(15)]
    publish(port, TOPIC, bodies)
    assert taken(wanted) == bodies[:10]
    # An acknowledgement may be lost when a connection ends: then a message comes twice, but none never.
    assert set(bodies[10:]) <= set(taken(wanted))


def test_a_broker_that_was_stopped_keeps_the_queue(broker: Broker) -> None:
    with broker() as port:
        wanted = subscribed(port)
        publish(port, TOPIC, [b"a", b"b"])
    with broker(port=port):
        assert drain(wanted, lambda _: None).resumed
        assert taken(wanted) == []


def test_a_broker_that_has_forgotten_the_session_says_so(broker: Broker, tmp_path: Path) -> None:
    with broker() as port:
        wanted = subscribed(port)
    shutil.rmtree(tmp_path / "broker")
    with broker(port=port):
        assert not drain(wanted, lambda _: None).resumed


def test_messages_that_no_broker_keeps_are_counted(port: int) -> None:
    wanted = subscribed(port)
    sent: list[bool] = []

    def meanwhile(_: Any) -> None:
        if not sent:
            sent.append(True)
            publish(port, TOPIC, [b"b", b"c"], qos=0)

    publish(port, TOPIC, [b"a"])
    found = drain(wanted, meanwhile)
    assert (found.messages, found.unqueued) == (3, 2)


def test_who_is_not_let_in_is_told(broker: Broker, tmp_path: Path) -> None:
    (tmp_path / "passwords").write_text("", encoding="utf-8")
    with broker(more=f"allow_anonymous false\npassword_file {tmp_path}/passwords") as port:
        wanted = Subscription(
            "127.0.0.1",
            port,
            "test",
            (TOPIC,),
            username="civitas",
            password="gegenüber",  # noqa: S106
            reachable=LOCAL,
        )
        with pytest.raises(FetchError, match="refuses the connection") as refused:
            drain(wanted, lambda _: None)
        assert "gegenüber" not in str(refused.value)

"""Messages of any topic: what fills fields is in them or in their topics, and a bad one costs nothing but itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from paho.mqtt.publish import single
from pydantic import ValidationError

from civitas_assets.connectors.mqtt.mqtt_messages import parse_message, parse_messages
from civitas_assets.connectors.mqtt.mqtt_topics import TopicNames, check_topic, to_filter
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.errors import FetchError
from civitas_assets.records.raw import ROW
from testbed.broker import publish
from tests.connectors.conftest import FakeSession, MakeSource, ReadBody, ReadRecords

SETTINGS: dict[str, Any] = {
    "url": "mqtt://127.0.0.1:1",
    "record_type": "observation",
    "queue": {"client_id": "test", "topics": ("town/{device}/state",), "quiet": timedelta(seconds=0.3)},
    "fields": {"datastream_id": "{device}", "value": "value"},
    "time": {"column": "at", "zone": "offset"},
    "constants": {"observed_property": "waste.distance", "unit": "mm"},
}
AT = "2026-08-01T00:00:00Z"


def landed(*messages: tuple[str, bytes] | tuple[str, bytes, bool]) -> bytes:
    """Messages as they land."""
    return msgspec.json.Encoder().encode_lines([parse_message(*message) for message in messages])


@pytest.fixture
def mqtt(source: MakeSource) -> Callable[..., Any]:
    """Makes a source of one quantity per device."""
    return lambda **changed: source("mqtt", **{**SETTINGS, **changed})


@pytest.fixture
def port(broker: Callable[..., AbstractContextManager[int]]) -> Iterator[int]:
    with broker(more="max_inflight_messages 100") as number:
        yield number


def drained(source: MakeSource) -> list[bytes]:
    """The bodies that a fetch lands."""
    session = FakeSession({})
    CONNECTORS["mqtt"].fetch(source, None, None, session)  # type: ignore[arg-type]
    return [body for _, body in session.deliveries]


def test_a_level_of_the_topic_fills_a_field(mqtt: Callable[..., Any], records: ReadRecords) -> None:
    body = landed(
        ("town/bin-7/state", b'{"value":12,"at":"2026-08-01T00:00:00Z"}'),
        ("town/bin-8/state", b'{"value":"13.5","at":"2026-08-01T00:00:00Z"}'),
    )
    found = records(mqtt(), body)["observation"]
    assert [(row["datastream_id"], row["value"]) for row in found] == [("bin-7", 12.0), ("bin-8", 13.5)]


@pytest.mark.parametrize("body", [b'{"value": ', b"\xff\xfe\x00", b"<html>", b'{"value":1}}', b"[" * 5000])
def test_a_message_that_is_no_json_is_one_rejected_row(
    mqtt: Callable[..., Any], read: ReadBody, body: bytes
) -> None:
    good = b'{"value":1,"at":"2026-08-01T00:00:00Z"}'
    (table,) = read(mqtt(), landed(("town/a/state", good), ("town/b/state", body), ("town/c/state", good)))
    assert table.frame["datastream_id"].to_list() == ["a", "c"]
    assert table.frame[ROW].to_list() == [1, 3]
    ((row, rule, raw),) = [(each.row, each.rule, each.raw) for each in table.broken]
    assert (row, rule) == (2, "unreadable_message")
    assert "town/b/state" in raw


def test_a_message_that_is_something_else_is_one_rejected_row_among_many(
    mqtt: Callable[..., Any], read: ReadBody
) -> None:
    good = b'{"value":1,"at":"2026-08-01T00:00:00Z"}'
    bodies = [good] * 5 + [b"17"] + [good] * 5 + [b'["a"]']
    (table,) = read(mqtt(), landed(*((f"town/{n}/state", body) for n, body in enumerate(bodies))))
    assert table.frame.height == 10
    assert sorted((each.row, each.rule) for each in table.broken) == [
        (6, "does_not_fit"),
        (12, "does_not_fit"),
    ]


def test_messages_none_of_which_has_what_rows_need_are_noted_and_no_failure(
    mqtt: Callable[..., Any], read: ReadBody
) -> None:
    (table,) = read(mqtt(), landed(("town/a/state", b'{"online":true,"at":"2026-08-01T00:00:00Z"}')))
    assert table.frame.is_empty()
    assert "no value in any record" in table.notes[0].text


def test_an_empty_message_takes_a_retained_one_back_and_is_no_row(
    mqtt: Callable[..., Any], read: ReadBody
) -> None:
    (table,) = read(mqtt(), landed(("town/a/state", b"")))
    assert (table.frame.height, table.broken) == (0, ())


def test_a_mere_number_is_a_value_of_its_topic(mqtt: Callable[..., Any], records: ReadRecords) -> None:
    """As Homie and many small devices publish: one topic per quantity."""
    wanted = mqtt(
        queue={"client_id": "c", "topics": ("{area}/{device}/{property}",)},
        fields={"station_id": "{device}", "datastream_id": ("{device}", "{property}"), "value": "@"},
        time={"zone": "received"},
    )
    found = records(wanted, landed(("park/s1/temperature", b"21.5"), ("park/s1/humidity", b"44")))
    assert [(row["datastream_id"], row["value"]) for row in found["observation"]] == [
        ("s1/temperature", 21.5),
        ("s1/humidity", 44.0),
    ]


def test_readings_within_a_message_are_rows_that_know_its_topic(
    mqtt: Callable[..., Any], records: ReadRecords
) -> None:
    wanted = mqtt(
        nested=("readings",),
        fields={"station_id": "{device}", "datastream_id": ("{device}", "^.port", "kind"), "value": "v"},
        time={"column": "t", "zone": "offset"},
    )
    body = (
        b'{"port":2,"readings":[{"kind":"a","v":1,"t":"2026-08-01T00:00:00Z"},'
        b'{"kind":"b","v":2,"t":"2026-08-01T00:00:00Z"}]}'
    )
    found = records(wanted, landed(("town/x/state", body), ("town/y/state", body)))["observation"]
    assert [row["datastream_id"] for row in found] == ["x/2/a", "x/2/b", "y/2/a", "y/2/b"]


def test_members_of_a_message_are_rows_where_key_names_them(
    mqtt: Callable[..., Any], records: ReadRecords
) -> None:
    wanted = mqtt(
        fields={"datastream_id": ("{device}", "@key"), "value": "v"}, time={"column": "t", "zone": "offset"}
    )
    body = b'{"a":{"v":1,"t":"2026-08-01T00:00:00Z"},"b":{"v":2,"t":"2026-08-01T00:00:00Z"}}'
    found = records(wanted, landed(("town/x/state", body)))["observation"]
    assert [row["datastream_id"] for row in found] == ["x/a", "x/b"]


def test_quantities_that_stand_beside_each_other_become_rows_of_their_own(
    mqtt: Callable[..., Any], records: ReadRecords
) -> None:
    wanted = mqtt(
        nested=("{temperature: temperature, humidity: humidity}",),
        fields={"datastream_id": ("{device}", "@key"), "observed_property": "@key", "value": "@"},
        time={"column": "^.at", "zone": "offset"},
        constants={},
        units={"temperature": "Cel", "humidity": "%"},
    )
    body = b'{"temperature":21,"humidity":44,"linkquality":90,"at":"2026-08-01T00:00:00Z"}'
    found = records(wanted, landed(("town/x/state", body)))["observation"]
    assert [(row["datastream_id"], row["value"]) for row in found] == [
        ("x/temperature", 21.0),
        ("x/humidity", 44.0),
    ]


def test_a_quantity_that_is_not_in_a_message_is_not_taken_back(
    mqtt: Callable[..., Any], records: ReadRecords
) -> None:
    """Devices send what has changed, and quantities of one time one after the other."""
    wanted = mqtt(
        nested=("{temperature: temperature, humidity: humidity}",),
        fields={"datastream_id": "@key", "observed_property": "@key", "value": "@"},
        time={"column": "^.at", "zone": "offset"},
        constants={},
        units={"temperature": "Cel", "humidity": "%"},
    )
    bodies = (
        b'{"temperature":21,"at":"2026-08-01T00:00:00Z"}',
        b'{"humidity":44,"temperature":null,"at":"2026-08-01T00:00:00Z"}',
        b'{"online":true,"at":"2026-08-01T00:00:00Z"}',
    )
    found = records(wanted, landed(*(("town/x/state", body) for body in bodies)))["observation"]
    assert [(row["datastream_id"], row["value"]) for row in found] == [
        ("temperature", 21.0),
        ("humidity", 44.0),
    ]


def test_what_is_retained_has_no_time_of_receiving(mqtt: Callable[..., Any], read: ReadBody) -> None:
    messages = [
        ("town/a/state", b'{"value":1,"at":"2026-08-01T00:00:00Z"}', True),
        ("town/b/state", b'{"value":2}'),
    ]
    (table,) = read(mqtt(time={"zone": "received"}), landed(*messages))
    assert table.frame["datastream_id"].to_list() == ["b"]
    assert "1 message(s) retained" in table.notes[-1].text
    (table,) = read(mqtt(), landed(messages[0]))
    assert table.frame["datastream_id"].to_list() == ["a"], "it says its own time"


def test_nothing_lands_of_what_no_setting_names(mqtt: Callable[..., Any], read: ReadBody) -> None:
    wanted = mqtt(store="mapped", nested=("readings",), time={"column": "t", "zone": "offset"})
    body = landed(
        (
            "town/a/state",
            b'{"who":"5ecret","readings":[{"value":1,"t":"2026-08-01T00:00:00Z","by":"5ecret"}]}',
        ),
        ("town/b/state", b'"5ecret'),
    )
    kept = wanted.redact_answer("messages", body)
    assert b"5ecret" not in kept
    (table,) = read(wanted, kept)
    assert table.frame["value"].to_list() == [1]
    assert [each.row for each in table.broken] == [2]
    keyed = mqtt(
        store="mapped", fields={"datastream_id": "@key", "value": "v"}, time={"column": "t", "zone": "utc"}
    )
    kept = keyed.redact_answer("messages", landed(("town/a/state", b'{"k":{"v":1,"t":"x","by":"5ecret"}}')))
    assert b'{"k":{"v":1,"t":"x"}}' in kept


def test_a_message_over_several_lines_and_with_nan_lands_as_one_line() -> None:
    message = parse_message("a", b'{\r\n "v": NaN,\n "t": "a b"\n}\n')
    assert bytes(message.body) == b'{"v":null,"t":"a b"}'
    (back,) = parse_messages(msgspec.json.Encoder().encode_lines([message]))
    assert back == message


@pytest.mark.parametrize(
    ("text", "topic", "names"),
    [
        ("a/{x}/c", "a/b/c", {"x": "b"}),
        ("a/{x}/#", "a/b/c/d", {"x": "b"}),
        ("a/{x}/#", "a/b", {"x": "b"}),
        ("+/{x}", "q/r", {"x": "r"}),
        ("$share/g/a/{x}", "a/b", {"x": "b"}),
        ("#", "a/b", {}),
        ("a.c/{x}", "abc/d", {}),
        ("a/{x}", "a/b/c", {}),
    ],
)
def test_names_stand_for_levels(text: str, topic: str, names: dict[str, str]) -> None:
    assert TopicNames((check_topic(text),)).resolve(topic) == {**names, "topic": topic}


def test_names_are_wildcards_for_the_broker() -> None:
    assert to_filter("$share/g/a/{x}/+/{y}/#") == "$share/g/a/+/+/+/#"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"queue": {"client_id": "c", "topics": ("a/#/b",)}}, "is the last one"),
        ({"queue": {"client_id": "c", "topics": ("a/b+",)}}, "a whole level"),
        ({"queue": {"client_id": "c", "topics": ("a/s-{id}",)}}, "a whole level"),
        ({"queue": {"client_id": "c", "topics": ("a/{Id}",)}}, "lower-case letters"),
        ({"queue": {"client_id": "c", "topics": ("{a}/{a}",)}}, "each once"),
        ({"queue": {"client_id": "c", "topics": ("a/{topic}",)}}, "is the whole topic"),
        ({"queue": {"client_id": "c", "topics": ()}}, "at least 1"),
        ({"fields": {"datastream_id": "{sensor}", "value": "v"}}, r"\{device\}, \{topic\}"),
        ({"fields": {"datastream_id": "^.id", "value": "v"}}, "leads out of 1 level"),
        ({"url": "mqtt://u:p@broker.example"}, "only scheme, host and port"),
        ({"each": {"a": ("b",)}}, "a broker has one"),
        ({"snapshot": True}, "only what was sent meanwhile"),
    ],
)
def test_a_contradictory_source_says_what_is_wrong(
    mqtt: Callable[..., Any], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        mqtt(**change)


def test_what_was_sent_meanwhile_lands_and_a_retained_message_does_so_once(
    mqtt: Callable[..., Any], read: ReadBody, port: int
) -> None:
    def sent(value: int) -> bytes:
        return b'{"value":%d,"at":"2026-08-01T00:0%d:00Z"}' % (value, value)

    single("town/kept/state", sent(1), qos=1, retain=True, hostname="127.0.0.1", port=port)
    wanted = mqtt(url=f"mqtt://127.0.0.1:{port}")
    (first,) = drained(wanted)
    assert parse_messages(first) == [parse_message("town/kept/state", sent(1), True)]
    publish(port, "town/a/state", [sent(2), b"{broken"])
    publish(port, "elsewhere/a/state", [sent(3)])
    bodies = drained(wanted)
    (table,) = read(wanted, b"".join(bodies))
    assert table.frame["datastream_id"].to_list() == ["a"], "neither the retained one again, nor other topics"
    assert [each.rule for each in table.broken] == ["unreadable_message"]
    assert [parse_messages(body) for body in drained(wanted)] == [[]]


@pytest.mark.parametrize(("time", "is_new"), [({"zone": "received"}, True), (SETTINGS["time"], False)])
def test_the_same_message_later_is_another_one_where_it_has_the_time_of_receiving(
    mqtt: Callable[..., Any], read: ReadBody, port: int, time: dict[str, str], is_new: bool
) -> None:
    """What lands as it did before is not read again."""
    wanted = mqtt(url=f"mqtt://127.0.0.1:{port}", time=time)
    drained(wanted)
    bodies = []
    for _ in range(2):
        publish(port, "town/a/state", [b'{"value":7,"at":"2026-08-01T00:00:00Z"}'])
        bodies += drained(wanted)
    assert (bodies[0] != bodies[1]) is is_new
    assert [read(wanted, body)[0].frame["value"].to_list() for body in bodies] == [[7], [7]]


def test_what_an_older_protocol_retains_comes_at_each_fetch_and_says_so(
    mqtt: Callable[..., Any], port: int
) -> None:
    single("town/kept/state", b"1", qos=1, retain=True, hostname="127.0.0.1", port=port)
    wanted = mqtt(url=f"mqtt://127.0.0.1:{port}", queue={**SETTINGS["queue"], "version": "3.1.1"})
    for _ in range(2):
        (body,) = drained(wanted)
        assert [message.retained for message in parse_messages(body)] == [True]


def test_messages_without_quality_of_service_are_an_error_unless_the_broker_keeps_them(
    mqtt: Callable[..., Any], broker: Callable[..., AbstractContextManager[int]]
) -> None:
    with broker(more="queue_qos0_messages true") as port:
        url = f"mqtt://127.0.0.1:{port}"
        drained(mqtt(url=url))
        publish(port, "town/a/state", [b"1"], qos=0)
        with pytest.raises(FetchError, match="qos0: queued"):
            drained(mqtt(url=url))
        publish(port, "town/a/state", [b"2"], qos=0)
        (body,) = drained(mqtt(url=url, queue={**SETTINGS["queue"], "qos0": "queued"}))
        assert [bytes(message.body) for message in parse_messages(body)] == [b"2"]

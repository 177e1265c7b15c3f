"""Uplinks of ChirpStack and The Things Stack: the recorded ones exactly, what never lands, what counts once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from civitas_assets.catalog import Window
from civitas_assets.connectors.base import Request
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.errors import FetchError, ReadError
from civitas_assets.records.time import parse_instants
from tests.connectors.conftest import MakeSession, MakeSource, ReadBody, ReadRecords

PROFILES: Mapping[str, Any] = {
    "Dragino_LSE01": (
        {"path": "temp_SOIL_f", "name": "temp_SOIL", "observed_property": "soil.temperature", "unit": "Cel"},
        {"path": "water_SOIL", "observed_property": "soil.moisture", "unit": "%"},
        {"path": "conduct_SOIL", "observed_property": "soil.conductivity", "unit": "uS/cm"},
        {
            "path": "temp_DS18B20",
            "observed_property": "weather.temperature",
            "unit": "Cel",
            "nulls": ("0.00",),
        },
        {"path": "BatV", "observed_property": "device.battery_voltage", "unit": "V"},
    ),
    "SenseCAP Wetterstation 2.0": (
        {"measurement": "4097", "observed_property": "weather.temperature", "unit": "Cel"},
        {
            "measurement": "4101",
            "name": "pressure",
            "observed_property": "weather.pressure",
            "unit": "hPa",
            "factor": 0.01,
        },
        {
            "path": "messages[][] | [?measurementId=='4105'].measurementValue | [0]",
            "name": "wind",
            "observed_property": "weather.wind_speed",
            "unit": "m/s",
        },
    ),
    "EM310-UDL": (
        {"path": "distance", "observed_property": "waste.distance", "unit": "mm"},
        {"path": "position", "observed_property": "position", "unit": "1"},
    ),
    "MPI für Chemische Ökologie": (
        {"measurement": "4097", "observed_property": "water.temperature", "unit": "Cel"},
        {"measurement": "4106", "observed_property": "water.ph", "unit": "[pH]"},
    ),
    "the-things-uno": (
        {"path": "temperature", "observed_property": "weather.temperature", "unit": "Cel"},
        {"path": "luminosity", "observed_property": "weather.illuminance", "unit": "lx", "factor": 100},
    ),
}
DAYS = Window(date(2026, 7, 30), date(2026, 7, 31))


def chirpstack(values: Any = None, at: str = "2026-07-30T10:00:00+00:00", **other: Any) -> dict[str, Any]:
    """A synthetic uplink of ChirpStack, with its keys and gateways."""
    info = {"devEui": "00AA", "deviceName": "Probe", "deviceProfileName": "P", "applicationName": "A"}
    return {
        "time": at,
        "deviceInfo": {**info, **other.pop("info", {})},
        "data": "DOUAAA==",
        "devAddr": "01acdec6",
        "object": {"t": 1.5} if values is None else values,
        "rxInfo": [{"gatewayId": "g1", "location": {"latitude": 50.9, "longitude": 11.6}}],
        **other,
    }


def things_stack(values: Any, **other: Any) -> dict[str, Any]:
    """A synthetic uplink of The Things Stack."""
    return {
        "end_device_ids": {
            "device_id": "dev1",
            "dev_eui": "00BB",
            "application_ids": {"application_id": "app"},
        },
        "received_at": other.pop("received_at", "2026-07-30T10:00:01Z"),
        "simulated": other.pop("simulated", False),
        "uplink_message": {
            "session_key_id": "geheim",
            "decoded_payload": values,
            "received_at": "2026-07-30T10:00:00Z",
            **other,
        },
    }


def stream(*uplinks: Any) -> bytes:
    """A stream of objects, as servers write it."""
    return "\n\n".join(map(json.dumps, uplinks)).encode()


T = {"path": "t", "observed_property": "weather.temperature", "unit": "Cel"}

Observe = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def lorawan(source: MakeSource) -> Callable[..., Any]:
    """Makes a source with these profiles, by default one of a device P with a temperature t."""
    return lambda profiles=None, **settings: source("lorawan", profiles=profiles or {"P": (T,)}, **settings)


@pytest.fixture
def observed(lorawan: Callable[..., Any], records: ReadRecords) -> Observe:
    """Datastream, time and value of every observation."""

    def rows(body: bytes, profiles: Any = None, **settings: Any) -> list[tuple[Any, ...]]:
        found = records(lorawan(profiles, **settings), body)["observation"]
        return [
            (row["datastream_id"], row["phenomenon_start"], row.get("value", row.get("value_text")))
            for row in found
        ]

    return rows


@pytest.mark.parametrize(
    ("name", "device", "at", "expected"),
    [
        (
            "example",
            "a8404187d187106e",
            datetime(2024, 6, 20, 8, 48, 38, 863512, UTC),
            {"temp_SOIL": 13.25, "water_SOIL": 13.74, "conduct_SOIL": 35.0, "BatV": 3.301},
        ),
        (
            "example2",
            "2cf7f1c0443002c8",
            datetime(2025, 7, 3, 14, 7, 30, 917000, UTC),
            {"wind": 4.1, "4097": 24.4, "pressure": 1005.4},
        ),
        (
            "example3",
            "24e124713c401925",
            datetime(2025, 7, 7, 15, 42, 11, 141117, UTC),
            {"distance": 594.0, "position": "normal"},
        ),
        (
            "example5",
            "2cf7f1c051100027",
            datetime(2025, 7, 9, 7, 31, 17, 836573, UTC),
            {"4097": 15.17, "4106": 10.059},
        ),
    ],
)
def test_recorded_uplinks_of_jena_are_read(  # noqa: PLR0917 - each argument is of another type
    payloads: Path, observed: Observe, name: str, device: str, at: datetime, expected: Any
) -> None:
    body = (payloads / "chirpstack_jena" / f"{name}.json").read_bytes()
    assert observed(body, PROFILES) == [(f"{device}:{key}", at, value) for key, value in expected.items()]


def test_a_recorded_uplink_of_jena_describes_its_device_and_not_its_gateways(
    payloads: Path, lorawan: Callable[..., Any], records: ReadRecords
) -> None:
    body = (payloads / "chirpstack_jena" / "example3.json").read_bytes()
    found = records(lorawan(PROFILES), body)
    assert found["station"] == [{"station_id": "24e124713c401925", "name": "EM310-UDL_6713C40192590001"}]
    assert found["datastream"] == [
        {
            "datastream_id": "24e124713c401925:distance",
            "station_id": "24e124713c401925",
            "name": "distance",
            "observed_property": "waste.distance",
            "unit": "mm",
            "sensor": "EM310-UDL",
        },
        {
            "datastream_id": "24e124713c401925:position",
            "station_id": "24e124713c401925",
            "name": "position",
            "observed_property": "position",
            "unit": "1",
            "sensor": "EM310-UDL",
        },
    ]


def test_the_documented_uplink_of_the_things_stack_is_read(
    payloads: Path, lorawan: Callable[..., Any], records: ReadRecords
) -> None:
    found = records(lorawan(PROFILES), (payloads / "ttn" / "tts_v3_uplink_docs_example.json").read_bytes())
    at = datetime(2020, 2, 12, 15, 15, 45, 789585, UTC)
    assert found["observation"] == [
        {
            "datastream_id": f"0004a30b001c0530:{name}",
            "phenomenon_start": at,
            "phenomenon_end": at,
            "value": value,
        }
        for name, value in (("temperature", 1.0), ("luminosity", 64.0))
    ]
    assert found["station"] == [
        {
            "station_id": "0004a30b001c0530",
            "name": "dev1",
            "lon": 23.726788,
            "lat": 37.9715556,
            "elevation_m": 10.0,
        }
    ]


def test_the_documented_answer_of_the_storage_is_a_stream_of_uplinks_without_values(
    payloads: Path, lorawan: Callable[..., Any], records: ReadRecords
) -> None:
    found = records(lorawan(), (payloads / "ttn" / "tts_v3_storage_event_stream.txt").read_bytes())
    assert found["station"] == [{"station_id": "1111111111111111", "name": "dev1"}]
    assert found["observation"] == []


def test_no_key_token_gateway_or_raw_frame_of_a_recorded_uplink_lands(
    payloads: Path, lorawan: Callable[..., Any]
) -> None:
    source = lorawan(PROFILES)
    for path in (*(payloads / "chirpstack_jena").iterdir(), *(payloads / "ttn").iterdir()):
        landed = source.redact_answer("data", path.read_bytes())
        for word in (
            *(
                b"session_key",
                b"uplink_token",
                b"frm_payload",
                b'"data"',
                b"rxInfo",
                b"rx_metadata",
                b"txInfo",
            ),
            *(b"dev_addr", b"devAddr", b"join_eui", b"gtw1", b"gatewayId", b"correlation_ids", b"tenantId"),
        ):
            assert word not in landed, f"{word!r} in {path.name}"


def test_what_has_landed_reads_as_what_came_and_lands_the_same_again(
    payloads: Path, lorawan: Callable[..., Any], read: ReadBody
) -> None:
    source = lorawan(PROFILES, tags={"description": "dev_type"})
    for path in (*(payloads / "chirpstack_jena").iterdir(), *(payloads / "ttn").iterdir()):
        came = path.read_bytes()
        landed = source.redact_answer("data", came)
        assert source.redact_answer("data", landed) == landed
        for before, after in zip(read(source, came), read(source, landed), strict=True):
            assert before.frame.equals(after.frame)
            assert before.unknown_fields == after.unknown_fields


def test_a_codec_that_puts_out_keys_lands_without_them_at_any_depth(lorawan: Callable[..., Any]) -> None:
    values = {
        "t": 1,
        "app_session_key": "A1",
        "nested": [{"device_key": "B2", "n": 2, "pass\\u0077ord": 3}],
        "apiToken": "C3",
    }
    text = json.dumps(chirpstack(values)).replace("\\\\u", "\\u").encode()
    landed = json.loads(lorawan().redact_answer("data", text))
    assert landed["object"] == {"t": 1, "nested": [{"n": 2}]}


def test_only_tags_that_are_asked_for_land_and_they_describe_the_station(
    lorawan: Callable[..., Any], records: ReadRecords
) -> None:
    up = chirpstack(info={"tags": {"lage": "Markt 1", "owner": "privat", "x": "11.5", "y": "50.9"}})
    source = lorawan(tags={"description": "lage", "lon": "x", "lat": "y"})
    landed = source.redact_answer(
        "data", stream(up, things_stack({"t": 1}, attributes={"lage": "Wehr", "pin": "1"}))
    )
    assert b"privat" not in landed
    assert b"pin" not in landed
    assert records(source, landed)["station"] == [
        {"station_id": "00aa", "name": "Probe", "description": "Markt 1", "lon": 11.5, "lat": 50.9},
        {"station_id": "00bb", "name": "dev1", "description": "Wehr"},
    ]


@pytest.mark.parametrize(
    "body",
    [
        json.dumps([chirpstack(), chirpstack(at="2026-07-30T11:00:00+00:00")]).encode(),
        json.dumps(chirpstack(), indent=2).encode()
        + b"\n"
        + json.dumps(chirpstack(at="2026-07-30T11:00:00+00:00")).encode(),
        stream({"result": chirpstack()}, chirpstack(at="2026-07-30T11:00:00+00:00")),
        b"\xef\xbb\xbf" + stream(chirpstack(), chirpstack(at="2026-07-30T11:00:00+00:00")),
    ],
    ids=["list", "objects one after the other", "results", "byte order mark"],
)
def test_a_file_may_be_a_list_or_a_stream(observed: Observe, body: bytes) -> None:
    assert observed(body) == [
        ("00aa:t", datetime(2026, 7, 30, 10, tzinfo=UTC), 1.5),
        ("00aa:t", datetime(2026, 7, 30, 11, tzinfo=UTC), 1.5),
    ]


def test_a_torn_line_is_one_rejected_row_of_which_nothing_is_kept(
    lorawan: Callable[..., Any], read: ReadBody
) -> None:
    source = lorawan()
    body = stream(chirpstack()) + b'\n{"deviceInfo":{"devEui":"00AA"},"appSKey":"5ecret","obj'
    landed = source.redact_answer("data", body)
    assert b"5ecret" not in landed
    observation = read(source, landed)[2]
    assert observation.frame.height == 1
    (broken,) = observation.broken
    assert (broken.row, broken.rule) == (2, "not_an_uplink")
    assert "truncated" in broken.detail


def test_what_holds_no_uplink_at_all_is_refused(lorawan: Callable[..., Any]) -> None:
    for body in (b"{}", b'{"deviceInfo":1}', b'[{"a":1},{"b":2}]', b"[" * 100_000):
        with pytest.raises(ReadError, match="holds no uplink"):
            lorawan().redact_answer("data", body)


def test_an_error_in_the_stream_is_an_error_and_not_a_short_day(lorawan: Callable[..., Any]) -> None:
    body = stream({"result": things_stack({"t": 1})}, {"error": {"code": 4, "message": "deadline exceeded"}})
    with pytest.raises(ReadError, match="error of the server"):
        lorawan().redact_answer("storage", body)


def test_several_deliveries_of_a_message_are_one_and_simulated_ones_none(observed: Observe) -> None:
    twice = chirpstack(fCnt=7, rxInfo=[{"gatewayId": "g1"}, {"gatewayId": "g2"}])
    other = chirpstack({"t": 2}, fCnt=7, rxInfo=[{"gatewayId": "g3"}])
    played = things_stack({"t": 9}, simulated=True)
    assert [value for *_, value in observed(stream(twice, other, played), {"*": (T,)})] == [1.5]


def test_a_zero_time_means_none_and_the_other_one_counts(observed: Observe) -> None:
    up = things_stack({"t": 4})
    up["uplink_message"]["received_at"] = "0001-01-01T00:00:00Z"
    assert observed(stream(up), {"app": (T,)}) == [
        ("00bb:t", datetime(2026, 7, 30, 10, 0, 1, tzinfo=UTC), 4.0)
    ]


def test_a_missing_port_is_port_zero_and_a_quantity_may_want_its_port(observed: Observe) -> None:
    body = stream(chirpstack({"t": 1}), chirpstack({"t": 2}, fPort=5))
    assert [value for *_, value in observed(body, {"P": ({**T, "f_port": 0},)})] == [1]
    assert [value for *_, value in observed(body, {"P": ({**T, "f_port": 5},)})] == [2]


def test_nulls_are_compared_as_texts_and_as_numbers_and_a_factor_leaves_words_alone(
    observed: Observe,
) -> None:
    times = [f"2026-07-30T1{n}:00:00+00:00" for n in range(6)]
    values = [{"t": "-127"}, {"t": -127.0}, {"t": " 3.5 "}, {"t": "n/a"}, {"t": "offen"}, {"t": None}]
    body = stream(*(chirpstack(value, at) for value, at in zip(values, times, strict=True)))
    found = observed(body, {"P": ({**T, "nulls": ("-127",), "factor": 2},)}, nulls=("n/a",))
    assert [value for *_, value in found] == [7.0, "offen"]
    numbers = stream(*(chirpstack({"t": value}, at) for value, at in zip((-127, 0, 2), times, strict=False)))
    assert [value for *_, value in observed(numbers, {"P": ({**T, "nulls": ("-127.0",)},)})] == [0, 2]


def test_a_device_is_known_by_profile_before_application_before_any(observed: Observe) -> None:
    profiles = {
        name: ({**T, "name": label},) for name, label in (("*", "any"), ("A", "app"), ("P", "profile"))
    }
    for expected in ("profile", "app", "any"):
        assert observed(stream(chirpstack()), profiles)[0][0] == f"00aa:{expected}"
        del profiles[next(name for name, rows in profiles.items() if rows[0]["name"] == expected)]
        if not profiles:
            break


def test_what_no_profile_names_is_reported_and_no_error(lorawan: Callable[..., Any], read: ReadBody) -> None:
    body = stream(
        chirpstack({"t": 1, "extra": 2, "messages": [{"measurementId": 4097.0, "type": " Air "}]}),
        chirpstack({"level": 3}, info={"devEui": "00CC", "deviceProfileName": "Q", "applicationName": ""}),
    )
    profiles = {"P": (T, {"measurement": "1", "observed_property": "x", "unit": "1"})}
    station, _, observation = read(lorawan(profiles), body)
    assert observation.unknown_fields == ("P: extra", "P: messages 4097 Air", "Q: level")
    assert observation.broken == ()
    assert station.frame.height == 2


def test_what_a_nested_value_has_besides_what_is_read_is_named(
    lorawan: Callable[..., Any], read: ReadBody
) -> None:
    history = [{"timestamp": 1785398400, "temperature": 6.5, "humidity": 79}]
    body = stream(chirpstack({"data": {"temp": 1, "hum": 2}, "history": history, "list": [1, 2]}))
    source = lorawan({"P": ({**T, "path": "data.temp"},)})
    assert read(source, body)[2].unknown_fields == ("P: data.hum", "P: history", "P: list")
    some = {**T, "path": "temperature", "readings": "history", "time": "timestamp"}
    assert read(lorawan({"P": (some,)}), body)[2].unknown_fields == (
        "P: data",
        "P: history[].humidity",
        "P: list",
    )


def test_buffered_readings_have_times_of_their_own_and_join_the_series_of_the_others(
    observed: Observe,
) -> None:
    history = [
        {"timestamp": 1785398400, "t": 6.5},
        {"timestamp": "2026-07-30T08:15:00Z", "t": "6.6"},
        {"timestamp": 1785400200000, "t": 6.7},
        {"timestamp": 1785402000},
    ]
    buffered = {**T, "readings": "history", "time": "timestamp"}
    assert observed(stream(chirpstack({"t": 7.5, "history": [history]})), {"P": (T, buffered)}) == [
        ("00aa:t", datetime(2026, 7, 30, 10, tzinfo=UTC), 7.5),
        ("00aa:t", datetime(2026, 7, 30, 8, tzinfo=UTC), 6.5),
        ("00aa:t", datetime(2026, 7, 30, 8, 15, tzinfo=UTC), 6.6),
        ("00aa:t", datetime(2026, 7, 30, 8, 30, tzinfo=UTC), 6.7),
    ]


@pytest.mark.parametrize("at", [{}, {"timestamp": 86400}, {"timestamp": "gestern"}])
def test_a_reading_without_a_time_of_its_own_does_not_take_that_of_the_uplink(
    lorawan: Callable[..., Any], read: ReadBody, at: dict[str, Any]
) -> None:
    buffered = {**T, "readings": "history", "time": "timestamp"}
    observation = read(lorawan({"P": (buffered,)}), stream(chirpstack({"history": [{"t": 1, **at}]})))[2]
    assert parse_instants(observation.frame["@interval"]).to_list() == [None]


def test_normalized_measurements_of_the_things_stack_have_their_own_time_or_that_of_the_uplink(
    observed: Observe, lorawan: Callable[..., Any], read: ReadBody
) -> None:
    normalized = [
        {"time": "2026-07-30T09:00:00Z", "air": {"temperature": 20.5}},
        {"air": {"temperature": 21}},
    ]
    body = stream(things_stack({"raw": 1}, normalized_payload=normalized))
    quantity = {**T, "path": "air.temperature", "name": "t", "readings": "normalized_payload"}
    assert observed(body, {"app": (quantity,)}) == [
        ("00bb:t", datetime(2026, 7, 30, 9, tzinfo=UTC), 20.5),
        ("00bb:t", datetime(2026, 7, 30, 10, tzinfo=UTC), 21.0),
    ]
    assert read(lorawan({"app": (T,)}), body)[2].unknown_fields == ("app: normalized_payload", "app: raw")
    assert b"20.5" in lorawan().redact_answer("data", body)


def test_what_codecs_warn_of_and_what_none_has_decoded_is_told(
    lorawan: Callable[..., Any], read: ReadBody
) -> None:
    warned = things_stack({"t": 1}, decoded_payload_warnings=["battery is low"], f_port=2)
    body = stream(warned, chirpstack({}, fPort=2), chirpstack({}, fPort=0, at="2026-07-30T11:00:00+00:00"))
    assert [note.text for note in read(lorawan(), lorawan().redact_answer("data", body))[2].notes] == [
        "codecs warn of 1 uplink(s): 00bb battery is low",
        "1 uplink(s) have no decoded values: give the device a codec (00aa)",
    ]


def test_a_number_that_json_does_not_have_is_none_and_costs_no_other_uplink(observed: Observe) -> None:
    ups = [chirpstack({"t": float("nan")}), chirpstack({"t": 2.5}, at="2026-07-30T11:00:00+00:00")]
    for body in (json.dumps(ups).encode(), stream(*ups)):
        assert [value for *_, value in observed(body)] == [2.5]


def test_null_is_empty_wherever_it_stands(observed: Observe) -> None:
    nothing = dict.fromkeys(("fCnt", "fPort", "simulated", "received_at", "uplink_message"))
    info = {"deviceName": None, "applicationName": None, "tags": {"ort": None, "etage": 2}}
    first = chirpstack(info=info, **nothing)
    empty = dict.fromkeys(
        ("f_port", "f_cnt", "locations", "version_ids", "attributes", "decoded_payload_warnings")
    )
    second = things_stack({"t": 2}, **empty)
    assert [value for *_, value in observed(stream(first, second), {"*": (T,)})] == [1.5, 2.0]


@pytest.mark.parametrize("eui", ["AAAAAAAAAMw=", "00000000000000CC"])
@pytest.mark.parametrize("values", [{"object": {"t": 3}}, {"objectJSON": '{"t": 3}'}])
def test_an_uplink_of_chirpstack_3_is_read_and_lands_without_its_gateways(
    observed: Observe, lorawan: Callable[..., Any], eui: str, values: dict[str, Any]
) -> None:
    old = {
        "applicationName": "A",
        "deviceName": "Alt",
        "deviceProfileName": "P",
        "devEUI": eui,
        "rxInfo": [{"gatewayID": "g1", "time": None}, {"gatewayID": "g2", "time": "2026-07-30T09:59:00Z"}],
        "fPort": 5,
        "data": "AQ==",
        **values,
    }
    assert observed(stream(old)) == [("00000000000000cc:t", datetime(2026, 7, 30, 9, 59, tzinfo=UTC), 3.0)]
    old["publishedAt"] = "2026-07-30T10:00:00Z"
    landed = lorawan().redact_answer("data", stream(old))
    assert b"g1" not in landed
    assert b"AQ==" not in landed
    assert observed(landed) == [("00000000000000cc:t", datetime(2026, 7, 30, 10, tzinfo=UTC), 3.0)]


def test_joins_acknowledgements_and_downlinks_are_no_rows(
    lorawan: Callable[..., Any], records: ReadRecords, read: ReadBody
) -> None:
    ids = {"device_id": "dev1", "application_ids": {"application_id": "app"}}
    others = [
        {"end_device_ids": ids, "join_accept": {"session_key_id": "5ecret"}},
        {"end_device_ids": ids, "downlink_ack": {"f_port": 1}},
        {**chirpstack({"t": 9}), "integrationName": "loracloud", "eventType": "x"},
    ]
    landed = lorawan().redact_answer("data", stream(*others, chirpstack(fPort=1)))
    assert b"5ecret" not in landed
    assert [row["value"] for row in records(lorawan(), landed)["observation"]] == [1.5]
    assert read(lorawan(), landed)[2].broken == ()


def test_an_expression_that_fails_for_one_message_rejects_that_one(
    lorawan: Callable[..., Any], read: ReadBody
) -> None:
    profiles = {"P": ({**T, "path": "sum(t)", "name": "t"},)}
    times = [f"2026-07-30T1{n}:00:00+00:00" for n in range(3)]
    values: list[Any] = [[1, 2], "word", [3]]
    body = stream(*(chirpstack({"t": value}, at) for value, at in zip(values, times, strict=True)))
    observation = read(lorawan(profiles), body)[2]
    assert observation.frame["value"].to_list() == [3, 3]
    assert [(row.row, row.rule) for row in observation.broken] == [(2, "profile_does_not_fit")]


def test_the_storage_is_asked_day_by_day_and_page_by_page(source: MakeSource, session: MakeSession) -> None:
    url = "https://tts.example/api/v3/as/applications/app/packages/storage/uplink_message"
    wanted = source("lorawan", url=url, page_size=2)
    pages = [stream(*({"result": things_stack({}, received_at=f"2026-07-30T0{n}:00:00.5Z")} for n in (1, 2)))]

    def answer(request: Request) -> bytes:
        assert request.headers == {"Accept": "text/event-stream"}
        return pages.pop() if pages else b"[]"

    asked = session(answer)
    CONNECTORS["lorawan"].fetch(wanted, DAYS, ZoneInfo("Europe/Berlin"), asked)
    spans = [
        request.url.removeprefix(f"{url}?order=received_at&limit=2&after=") for request in asked.requests
    ]
    assert spans == [
        "2026-07-29T22%3A00%3A00Z&before=2026-07-30T22%3A00%3A00Z",
        "2026-07-30T22%3A00%3A00Z&before=2026-07-31T22%3A00%3A00Z",
        "2026-07-30T02%3A00%3A00.5Z&before=2026-07-30T22%3A00%3A00Z",
    ]


def test_a_ceiling_of_the_storage_that_is_lower_than_what_was_asked_for_cuts_nothing(
    source: MakeSource, session: MakeSession
) -> None:
    """The network server gives at most ten, whatever is asked for."""
    times = [f"2026-07-30T10:{minute:02}:00.5Z" for minute in range(25)]
    wanted = source(
        "lorawan", url="https://tts.example/api/v3/as/applications/app/packages/storage/uplink_message"
    )
    came = list[str]()

    def answer(request: Request) -> bytes:
        after, before = (parse_qs(urlsplit(request.url).query)[name][0] for name in ("after", "before"))
        given = [at for at in times if after < at < before][:10]
        came.extend(given)
        return stream(*({"result": things_stack({}, received_at=at)} for at in given)) or b"[]"

    CONNECTORS["lorawan"].fetch(wanted, DAYS, ZoneInfo("Europe/Berlin"), session(answer))
    assert came == times


def test_a_profile_of_which_uplinks_have_nothing_any_more_is_told(
    lorawan: Callable[..., Any], read: ReadBody
) -> None:
    """A new version of the codec says temperature where it said t; what an uplink without values lacks is no news."""
    renamed = stream(chirpstack({"temperature": 1}), chirpstack({}, at="2026-07-30T11:00:00+00:00"))
    (note,) = read(lorawan(), renamed)[2].notes
    assert (note.code, note.text) == (
        "missing_field",
        "profile P: none of 1 uplink(s) has one of t; they have temperature",
    )
    assert not read(lorawan(), stream(chirpstack({"t": 1}), chirpstack({"temperature": 1}, fCnt=9)))[2].notes


def test_a_day_without_uplinks_is_no_error_of_the_storage(
    lorawan: Callable[..., Any], read: ReadBody
) -> None:
    landed = lorawan().redact_answer("storage", b"\n")
    assert [table.frame.height for table in read(lorawan(), landed, "storage")] == [0, 0, 0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "mqtt://broker.example"}, "client_id that nobody else uses"),
        ({"queue": {"client_id": "c"}}, "has no meaning with others"),
        ({"url": "mqtts://u:p@broker.example", "queue": {"client_id": "c"}}, "only scheme, host and port"),
        ({"url": "mqtt://broker.example/topic", "queue": {"client_id": "c"}}, "only scheme, host and port"),
        ({"url": "mqtt://broker.example:x", "queue": {"client_id": "c"}}, "Port could not be cast"),
        ({"url": "ftp://broker.example"}, "should match pattern"),
        ({"profiles": {"P": (T, T)}}, "two values called t"),
        ({"profiles": {"P": ({"observed_property": "x", "unit": "1"},)}}, "either path or measurement"),
        ({"profiles": {"P": ({**T, "path": "a[0]"},)}}, "name is needed"),
        (
            {
                "profiles": {
                    "P": ({"measurement": "1", "readings": "a", "observed_property": "x", "unit": "1"},)
                }
            },
            "readings needs path",
        ),
        ({"profiles": {"P": ({**T, "path": "a["},)}}, "no JMESPath"),
        ({"tags": {"station_id": "x"}}, "tags.station_id is no field"),
    ],
)
def test_a_contradictory_source_says_what_is_wrong(source: MakeSource, settings: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        source("lorawan", **settings)


def test_a_broker_that_is_not_there_is_named(source: MakeSource, session: MakeSession) -> None:
    wanted = source("lorawan", url="mqtt://127.0.0.1:1", queue={"client_id": "c"})
    with pytest.raises(FetchError, match=r"mqtt://127\.0\.0\.1:1 is not reached"):
        CONNECTORS["lorawan"].fetch(wanted, DAYS, ZoneInfo("UTC"), session({}))

"""Attributes in every form that brokers write them in say the same, or are named where they are not read."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civitas_assets.connectors.ngsi.ngsi_attributes import read_instances
from civitas_assets.connectors.ngsi.ngsi_entities import decode_entities
from civitas_assets.connectors.ngsi.ngsi_page import EntityPage
from civitas_assets.connectors.ngsi.ngsi_reader import Reader
from civitas_assets.connectors.ngsi.ngsi_remarks import Remarks
from civitas_assets.connectors.ngsi.ngsi_times import read_time
from civitas_assets.errors import ReadError
from tests.connectors.conftest import MakeSource, ReadBody, ReadRecords

WHEN = "2026-07-30T12:00:00Z"
NOON = datetime(2026, 7, 30, 12, tzinfo=UTC)
RING = [[9.0, 50.0], [9.2, 50.0], [9.2, 50.1], [9.0, 50.1], [9.0, 50.0]]
Rows = Callable[..., dict[str, list[dict[str, Any]]]]


@pytest.fixture
def rows(source: MakeSource, records: ReadRecords) -> Rows:
    """Records of these entities, asked for as one type."""

    def read(*entities: dict[str, Any], asked: str = "OffStreetParking", **more: Any) -> Any:
        declared = source("ngsi_ld", **{"types": (asked,), **more})
        return records(declared, json.dumps(entities).encode(), "entities", type=asked)

    return read


@pytest.fixture
def told(source: MakeSource, read: ReadBody) -> Callable[..., tuple[set[str], dict[str, str]]]:
    """The fields that nobody reads and the notes by code, of entities that are asked for as one type."""

    def tell(*entities: dict[str, Any], asked: str = "OffStreetParking", **more: Any) -> Any:
        declared = source("ngsi_ld", **{"types": (asked,), **more})
        tables = read(declared, json.dumps(entities).encode(), "entities", type=asked)
        fields = {name for table in tables for name in table.unknown_fields}
        return fields, {note.code: note.text for table in tables for note in table.notes}

    return tell


def site(**attributes: Any) -> dict[str, Any]:
    return {"id": "p", "type": "OffStreetParking", **attributes}


def reader(**attributes: Any) -> Reader:
    return Reader({"id": "e", "type": "T", **attributes}, "T")


TEXT_FORMS: dict[str, Callable[[Any], Any]] = {
    "normalised": lambda value: {"type": "Property", "value": value},
    "concise": lambda value: {"value": value, "observedAt": WHEN},
    "simplified": lambda value: value,
    "v2": lambda value: {"type": "Text", "value": value, "metadata": {}},
    "typed": lambda value: {"type": "Property", "value": {"@type": "xsd:string", "@value": value}},
    "one in a list": lambda value: [{"type": "Property", "value": value}],
    "data sets": lambda value: [
        {"type": "Property", "value": value},
        {"type": "Property", "value": "other", "datasetId": "urn:d:1"},
    ],
    "simplified data sets": lambda value: {"dataset": {"@none": value, "urn:d:1": "other"}},
    "language": lambda value: {"type": "LanguageProperty", "languageMap": {"en": "other", "de": value}},
    "concise language": lambda value: {"languageMap": {"en": "other", "de-AT": value}},
    "vocabulary": lambda value: {"type": "VocabProperty", "vocab": value},
    "json": lambda value: {"type": "JsonProperty", "json": value},
    "value in a list": lambda value: {"type": "ListProperty", "valueList": [value]},
}
WORDS = (
    st.text(st.characters(categories=("L", "N"), include_characters=" -"), min_size=1)
    .map(str.strip)
    .filter(bool)
)


@pytest.mark.parametrize("form", TEXT_FORMS)
@settings(max_examples=15, deadline=None)
@given(value=WORDS)
def test_a_text_is_the_same_in_each_form(form: str, value: str) -> None:
    assert reader(name=TEXT_FORMS[form](value)).text("name") == value


NUMBER_FORMS = {
    name: TEXT_FORMS[name]
    for name in (
        *("normalised", "concise", "simplified", "v2", "typed", "one in a list", "data sets", "json"),
        *("simplified data sets", "value in a list"),
    )
}


@pytest.mark.parametrize("form", NUMBER_FORMS)
@settings(max_examples=15, deadline=None)
@given(value=st.one_of(st.integers(-(10**9), 10**9), st.floats(-1e9, 1e9)))
def test_a_number_is_the_same_in_each_form_and_as_text(form: str, value: float) -> None:
    write = NUMBER_FORMS[form]
    assert (
        reader(size=write(value)).measure("size") == reader(size=write(str(value))).measure("size") == value
    )


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "value", "object", "languageMap", "vocab", "datasetId", "observedAt", "x", "@value"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(content=JSON)
def test_whatever_an_attribute_holds_it_is_read_or_told(content: Any) -> None:
    remarks = Remarks()
    entity = Reader({"id": "e", "size": content, "name": content, "other": content}, "T", remarks)
    size, name = entity.measure("size"), entity.text("name")
    values = [part.value for part in read_instances(content) if part.value is not None]
    noted = " ".join(note.text for note in remarks.list_notes())
    if values:
        assert size is not None or "size (" in noted
        assert name is not None or "name (" in noted
    assert {name.partition(".")[0] for name in entity.unread()} - {"size", "name"} == (
        {"other"} if values else set()
    )


USUAL = st.one_of(
    st.integers(0, 300), st.sampled_from(["a", " b ", "x:y,z", "", "urn:ngsi-ld:null", ["a", "b"], None])
)
CONTENT = st.one_of(
    USUAL.map(lambda value: {"type": "Property", "value": value}),
    USUAL.map(lambda value: {"type": "Property", "value": value, "observedAt": WHEN}),
    USUAL.map(lambda value: {"type": "Text", "value": value, "metadata": {}}),
    st.none() | USUAL | JSON,
)
WAYS: dict[str, tuple[Callable[[EntityPage], Any], Callable[[Reader], Any]]] = {
    "texts": (lambda page: page.texts("a", "b"), lambda reader: reader.text("a", "b")),
    "codes": (lambda page: page.codes("a"), lambda reader: reader.codes("a")),
    "counts": (lambda page: page.counts("a"), lambda reader: reader.count("a")),
    "measures": (lambda page: page.measures("a"), lambda reader: reader.measure("a")),
    "moments": (lambda page: page.moments("a", "b"), lambda reader: reader.moment("a", "b")),
}


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=60, deadline=None)
@given(contents=st.lists(st.tuples(CONTENT, CONTENT), max_size=4), alike=st.booleans())
def test_entities_say_the_same_together_and_alone(
    way: str, contents: list[tuple[Any, Any]], alike: bool
) -> None:
    together, alone = WAYS[way]
    given = contents[:1] * 3 if alike else contents

    def readers(remarks: Remarks) -> list[Reader]:
        return [Reader({"id": "e", "a": a, "b": b}, "T", remarks) for a, b in given]

    by_page, by_entity = Remarks(), Remarks()
    page, each = EntityPage(readers(by_page)), readers(by_entity)
    assert together(page) == [*map(alone, each)]
    assert by_page.list_notes() == by_entity.list_notes()
    assert {*page.unread()} == {name for reader in each for name in reader.unread()}


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"en": "Main", "de": "Haupt"}, "Haupt"),
        ({"en-GB": "Main", "de-DE": "Haupt"}, "Haupt"),
        ({"en": "Main", "DE_at": "Haupt"}, "Haupt"),
        ({"en": "Main", "@none": "Haupt"}, "Haupt"),
        ({"fr": "Principale", "en": "Main"}, "Principale"),
        ({"de": " ", "en": "Main"}, "Main"),
        ({"de": ["Haupt", "Zentral"]}, "Haupt"),
    ],
)
def test_of_several_languages_the_tenants_counts_with_its_regions(tags: Any, expected: str) -> None:
    assert reader(name={"type": "LanguageProperty", "languageMap": tags}).text("name") == expected


def test_the_language_is_the_one_that_the_source_names(rows: Rows) -> None:
    name = {"type": "LanguageProperty", "languageMap": {"de": "Hafen", "da": "Havn"}}
    assert rows(site(name=name), language="da")["parking_site"][0]["name"] == "Havn"


def test_terms_of_a_vocabulary_lose_their_namespace(rows: Rows) -> None:
    base = "https://uri.fiware.org/ns/dataModels#"
    found = rows(
        site(
            category={"type": "VocabProperty", "vocab": [f"{base}underground", "fiware:feeCharged"]},
            status={"vocab": f"{base}closed"},
            allowedVehicleType={"type": "Property", "value": {"@id": f"{base}bicycle"}},
            dateObserved=WHEN,
        )
    )
    (place,), (state,) = found["parking_site"], found["parking_status"]
    assert (place["site_type"], place["has_fee"], place["purpose"]) == ("underground", True, "bicycle")
    assert (state["opening_status"], state["opening_status_native"]) == ("closed", "closed")


def test_of_several_data_sets_the_default_one_counts_and_the_others_are_told(
    rows: Rows, told: Callable[..., tuple[set[str], dict[str, str]]]
) -> None:
    given = site(
        totalSpotNumber=[
            {"type": "Property", "value": 8, "datasetId": "urn:d:disabled"},
            {"type": "Property", "value": 200, "datasetId": "@none"},
        ],
        availableSpotNumber=[{"value": 3, "datasetId": "urn:d:disabled"}, {"value": 90, "observedAt": WHEN}],
    )
    found = rows(given)
    assert found["parking_site"][0]["capacity"] == 200
    assert (found["parking_status"][0]["free"], found["parking_status"][0]["observed_at"]) == (90, NOON)
    assert told(given)[1]["other_data_sets"].endswith(
        "availableSpotNumber (urn:d:disabled); totalSpotNumber (urn:d:disabled)"
    )


def test_an_only_data_set_is_read_and_told_and_of_several_without_a_default_none_is(
    rows: Rows, told: Callable[..., tuple[set[str], dict[str, str]]]
) -> None:
    given = site(
        totalSpotNumber={"type": "Property", "value": 80, "datasetId": "urn:d:a"},
        name=[{"value": "A", "datasetId": "urn:d:a"}, {"value": "B", "datasetId": "urn:d:b"}],
    )
    assert rows(given)["parking_site"] == [
        {"site_id": "p", "site_type": "off_street", "site_type_native": "OffStreetParking", "capacity": 80}
    ]
    assert sorted(told(given)[1]) == ["only_data_set", "other_data_sets"]


def test_of_several_default_instances_the_latest_counts(
    rows: Rows, told: Callable[..., tuple[set[str], dict[str, str]]]
) -> None:
    late = {"type": "Property", "value": 5, "observedAt": WHEN}
    early = {"type": "Property", "value": 9, "observedAt": "2026-07-30T13:30:00+02:00"}
    given = site(availableSpotNumber=[late, early])
    assert rows(given)["parking_status"][0]["free"] == 5
    assert told(given)[1] == {"unread_values": "values that are not read: availableSpotNumber ('9')"}


@pytest.mark.parametrize(
    ("kinds", "asked", "record_type"),
    [
        (["Infrastructure", "OffStreetParking"], ["OffStreetParking"], "parking_site"),
        (["OffStreetParking", "Infrastructure"], ["Infrastructure"], "station"),
        (["Infrastructure", "OffStreetParking"], ["Infrastructure", "OffStreetParking"], "parking_site"),
        (
            ["https://x.example/a#Infrastructure", "fiware:OffStreetParking"],
            ["OffStreetParking"],
            "parking_site",
        ),
        (["Infrastructure", "OffStreetParking"], ["OffStreetParking,OnStreetParking"], "parking_site"),
        (["Infrastructure", "OffStreetParking"], ["https://x.example/b#OffStreetParking"], "parking_site"),
        (["OffStreetParking"], ["Parking"], "parking_site"),
    ],
)
def test_of_several_types_the_one_that_was_asked_for_counts(
    rows: Rows, kinds: list[str], asked: list[str], record_type: str
) -> None:
    found = rows({"id": "p", "type": kinds, "name": "Ufer"}, asked=asked[0], types=tuple(asked))
    assert [name for name in ("parking_site", "station") if found.get(name)] == [record_type]


def test_water_of_a_device_is_water(rows: Rows) -> None:
    given = {"id": "w", "type": ["Device", "WaterQualityObserved"], "temperature": 11.5, "dateObserved": WHEN}
    for page in ("WaterQualityObserved", "Device"):
        found = rows(given, asked=page, types=("Device", "WaterQualityObserved"))
        assert [row["observed_property"] for row in found["datastream"]] == [
            "WaterQualityObserved.temperature"
        ]


@pytest.mark.parametrize(
    "prefix", ["https://smartdatamodels.org/dataModel.Parking/", "ngsi-ld:default-context/", "sdm:"]
)
def test_names_in_a_namespace_are_the_plain_ones(rows: Rows, prefix: str) -> None:
    found = rows(
        {"id": "p", "type": "OffStreetParking", f"{prefix}name": "Ufer", f"{prefix}totalSpotNumber": 7}
    )
    assert (found["parking_site"][0]["name"], found["parking_site"][0]["capacity"]) == ("Ufer", 7)


def test_a_name_with_a_colon_that_no_model_has_stays_as_it_is(rows: Rows) -> None:
    given = {"id": "d", "type": "Device", "level:north": 1, "level:south": 2, "dateObserved": WHEN}
    names = {row["datastream_id"] for row in rows(given, asked="Device")["datastream"]}
    assert names == {"d/level:north", "d/level:south"}


AREA = {"type": "Polygon", "coordinates": [RING]}


@pytest.mark.parametrize(
    "location",
    [
        {"type": "GeoProperty", "value": AREA},
        {"type": "GeoProperty", "value": json.dumps(AREA)},
        AREA,
        {"type": "Property", "value": AREA},
        {"value": AREA},
        "POLYGON ((9 50, 9.2 50, 9.2 50.1, 9 50.1, 9 50))",
        {"type": "geo:json", "value": AREA, "metadata": {}},
        {"type": "geo:json", "value": {"type": "Feature", "properties": {}, "geometry": AREA}},
        {"type": "geo:polygon", "value": [f"{lat}, {lon}" for lon, lat in RING], "metadata": {}},
        {"type": "geo:box", "value": ["50.0, 9.0", "50.1, 9.2"]},
        {"type": "geo:line", "value": ["50.02,9.1", "50.08,9.1"]},
        {"type": "geo:point", "value": "50.05, 9.1"},
        "50.05, 9.1",
        [f"{lat},{lon}" for lon, lat in RING],
        {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [9.1, 50.05, 120.0]}},
        {"type": "GeoProperty", "value": {"type": "LineString", "coordinates": [[9.1, 50.02], [9.1, 50.08]]}},
        {"type": "GeoProperty", "value": {"type": "MultiPoint", "coordinates": [[9.1, 50.05]]}},
        [{"type": "GeoProperty", "value": AREA}],
    ],
)
def test_a_location_of_any_form_is_a_position_on_it(rows: Rows, location: Any) -> None:
    for kind, record_type in (
        ("OffStreetParking", "parking_site"),
        ("BikeHireDockingStation", "sharing_station"),
        ("EVChargingStation", "charge_point"),
        ("WeatherObserved", "station"),
    ):
        (thing,) = rows({"id": "p", "type": kind, "location": location}, asked=kind)[record_type]
        assert 9.0 <= thing["lon"] <= 9.2
        assert 50.0 <= thing["lat"] <= 50.1


def test_a_position_in_a_notched_area_is_within_it(rows: Rows) -> None:
    ring = [[9, 50], [9.2, 50], [9.2, 50.2], [9.19, 50.2], [9.19, 50.01], [9, 50.01], [9, 50]]
    (place,) = rows(
        site(location={"type": "GeoProperty", "value": {"type": "Polygon", "coordinates": [ring]}})
    )["parking_site"]
    assert place["lat"] < 50.01 or place["lon"] > 9.19, "the middle is outside"


def test_another_geometry_is_the_place_where_there_is_no_location(rows: Rows) -> None:
    given = site(position={"type": "geo:point", "value": "50.05, 9.1"})
    assert (rows(given)["parking_site"][0]["lon"], rows(given)["parking_site"][0]["lat"]) == (9.1, 50.05)


@pytest.mark.parametrize("nothing", [None, "", " ", "urn:ngsi-ld:null", [], {}, [None], {"@value": " "}])
@pytest.mark.parametrize(
    "write", [TEXT_FORMS["normalised"], TEXT_FORMS["simplified"], TEXT_FORMS["language"]]
)
def test_what_stands_for_nothing_is_nothing(
    rows: Rows, told: Callable[..., tuple[set[str], dict[str, str]]], nothing: Any, write: Any
) -> None:
    given = site(name=write(nothing), totalSpotNumber=4, address=write(nothing), notes=write(nothing))
    if write is TEXT_FORMS["language"]:
        given["name"]["languageMap"].pop("en"), given["address"]["languageMap"].pop("en")
        del given["notes"]
    (place,) = rows(given)["parking_site"]
    assert "name" not in place
    assert "address" not in place
    assert told(given) == (set(), {})


@pytest.mark.parametrize(
    "when",
    [
        {"dateObserved": " ", "TimeInstant": {"type": "DateTime", "value": WHEN}},
        {"dateObserved": None, "timestamp": WHEN},
        {"dateObserved": {"type": "DateTime", "value": "2026-07-30T12:00:00"}},
        {"dateObserved": {"type": "Property", "value": {"type": "DateTime", "value": WHEN}}},
        {"dateObserved": {"type": "Property", "value": {"@type": "DateTime", "@value": WHEN}}},
        {"dateObserved": {"value": [WHEN]}},
        {"dateObservedFrom": "", "dateObservedTo": "", "dateObserved": WHEN},
        {"dateObserved": f"{WHEN}/"},
        {"dateObserved": f"../{WHEN}"},
    ],
)
def test_a_blank_time_does_not_hide_the_one_that_is_there(rows: Rows, when: dict[str, Any]) -> None:
    no2 = {"type": "Number", "value": 21.5, "metadata": {"TimeInstant": {"type": "DateTime", "value": " "}}}
    (row,) = rows({"id": "a", "type": "AirQualityObserved", "no2": no2, **when}, asked="AirQualityObserved")[
        "observation"
    ]
    assert row["phenomenon_start"] == NOON


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-07-30T12:00:00Z/PT1H30M", "2026-07-30T12:00:00Z/2026-07-30T13:30:00+00:00"),
        ("PT15M/2026-07-30T12:00:00Z", "2026-07-30T11:45:00+00:00/2026-07-30T12:00:00Z"),
        ("2026-07-30 12:00:00/2026-07-30T13:00:00", "2026-07-30 12:00:00Z/2026-07-30T13:00:00Z"),
        ("2026-07-30T12:00:00+02:00", "2026-07-30T12:00:00+02:00"),
        ("2026-07-30T12:00:00Z/P9999999D", "2026-07-30T12:00:00Z/P9999999D"),
        (7, None),
    ],
)
def test_times_are_instants_or_spans_with_their_offset(written: Any, read: str | None) -> None:
    assert read_time(written) == read


@settings(max_examples=50, deadline=None)
@given(text=st.text(st.sampled_from("0123456789-T:Z/PDHM. "), max_size=30))
def test_a_written_time_never_breaks_off_the_reading(text: str) -> None:
    found = read_time(text)
    assert found is None or found.strip()


def test_the_time_of_a_status_is_that_of_its_modification_only_where_no_other_is_said(rows: Rows) -> None:
    free = {"type": "Property", "value": 5, "modifiedAt": WHEN}
    assert (
        rows(site(availableSpotNumber=free, modifiedAt="2026-07-30T13:00:00Z"))["parking_status"][0][
            "observed_at"
        ]
        == NOON
    )
    early = rows(site(availableSpotNumber=free, dateObserved="2026-07-30T11:00:00Z"))["parking_status"][0]
    assert early["observed_at"] == NOON.replace(hour=11)


@pytest.mark.parametrize(
    "content",
    [
        {"type": "Property", "value": 21.5, "unitCode": "GQ"},
        {"value": 21.5, "unitCode": " GQ "},
        {"type": "Property", "value": 21.5, "unitCode": {"type": "Property", "value": "GQ"}},
        {"type": "Number", "value": "21.5", "metadata": {"unitCode": {"type": "Text", "value": "GQ"}}},
        {"type": "Property", "value": 21.5, "unitCode": "https://unece.example/rec20#GQ"},
        [{"value": 21.5, "unitCode": "GQ"}],
        {"type": "Property", "value": {"value": 21.5, "unitCode": "GQ"}},
    ],
)
def test_the_unit_comes_with_each_form(rows: Rows, content: Any) -> None:
    given = {"id": "a", "type": "AirQualityObserved", "no2": content, "dateObserved": WHEN}
    found = rows(given, asked="AirQualityObserved")
    assert [(row["unit"], found["observation"][0]["value"]) for row in found["datastream"]] == [("GQ", 21.5)]


def test_attributes_that_nobody_reads_are_named_once_for_all_entities(
    told: Callable[..., tuple[set[str], dict[str, str]]],
) -> None:
    place = site(name="A", newThing=1, openingHours="Mo-Fr", dateModified=WHEN, gone={"value": None})
    assert told(place, {**place, "id": "q"})[0] == {"newThing"}
    air = {"id": "a", "type": "AirQualityObserved", "no2": 1, "airQualityLevel": "good", "dateObserved": WHEN}
    assert told(air, asked="AirQualityObserved")[0] == {"airQualityLevel"}
    assert told(air, asked="AirQualityObserved", skip=("airQualityLevel",)) == (set(), {})


def test_what_an_attribute_says_besides_is_named_too_where_nobody_reads_it(
    rows: Rows, told: Callable[..., tuple[set[str], dict[str, str]]]
) -> None:
    no2 = {
        "type": "Property",
        "value": 5,
        "accuracy": {"type": "Property", "value": 1},
        "qualityCode": "suspect",
    }
    air = {"id": "a", "type": "AirQualityObserved", "no2": no2, "dateObserved": WHEN}
    assert told(air, asked="AirQualityObserved")[0] == {"no2.accuracy"}
    assert rows(air, asked="AirQualityObserved")["observation"][0]["quality_native"] == "suspect"
    state = {
        "value": 5,
        "metadata": {"accuracy": {"type": "Number", "value": 2}, "TimeInstant": {"value": WHEN}},
    }
    assert told(site(availableSpotNumber=state))[0] == {"availableSpotNumber.accuracy"}


def test_terms_that_an_entity_explains_itself_are_what_they_stand_for(rows: Rows) -> None:
    base = "https://smartdatamodels.org/dataModel.Parking/"
    terms = {"Parkhaus": f"{base}OffStreetParking", "Plätze": {"@id": f"{base}totalSpotNumber"}, "sdm": base}
    context = [terms, "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld"]
    given = {"id": "p", "type": "Parkhaus", "Plätze": 7, "@context": context}
    assert rows(given)["parking_site"][0]["capacity"] == 7


def test_codes_with_commas_between_are_several(rows: Rows) -> None:
    (place,) = rows(site(category={"type": "Text", "value": "underground, feeCharged"}))["parking_site"]
    assert (place["site_type"], place["has_fee"]) == ("underground", True)


def test_a_text_in_place_of_a_number_is_a_text_among_observations_and_told_elsewhere(
    rows: Rows, told: Callable[..., tuple[set[str], dict[str, str]]]
) -> None:
    air = {"id": "a", "type": "AirQualityObserved", "no2": "frost", "level": "high", "dateObserved": WHEN}
    (row,) = rows(air, asked="AirQualityObserved")["observation"]
    assert (row["datastream_id"], row["value_text"]) == ("a/no2", "frost")
    (number,) = rows(air | {"no2": "4,6"}, asked="AirQualityObserved")["observation"]
    assert number["value"] == 4.6
    assert told(air, asked="AirQualityObserved")[0] == {"level"}
    place = site(name="A", availableSpotNumber="viele", totalSpotNumber=True)
    assert told(place)[1] == {
        "unread_values": "values that are not read: availableSpotNumber ('viele'); totalSpotNumber ('True')"
    }


def test_numbers_in_place_of_texts_are_texts(rows: Rows) -> None:
    given = {
        "id": "e",
        "type": "EVChargingStation",
        "name": 12.0,
        "address": {"type": "Property", "value": {"postalCode": 48149, "streetAddress": "Ufer 1"}},
    }
    (point,) = rows(given, asked="EVChargingStation")["charge_point"]
    assert (point["name"], point["postcode"]) == ("12", "48149")


@pytest.mark.parametrize(
    "devices",
    [
        {"type": "Relationship", "object": "urn:d:1"},
        {"object": ["urn:d:1"]},
        "urn:d:1",
        {"type": "ListRelationship", "objectList": [{"object": "urn:d:1"}, {"object": "urn:d:2"}]},
        {"type": "Relationship", "object": ["urn:d:1", "urn:d:2"]},
        {"type": "Relationship", "object": {"id": "urn:d:1", "type": "Device"}},
    ],
)
def test_the_first_of_several_devices_is_the_station(rows: Rows, devices: Any) -> None:
    given = {"id": "a", "type": "AirQualityObserved", "no2": 1, "refDevice": devices, "dateObserved": WHEN}
    assert rows(given, asked="AirQualityObserved")["station"][0]["station_id"] == "urn:d:1"


def test_stations_of_several_entities_keep_what_one_of_them_says(rows: Rows) -> None:
    here = {
        "id": "a",
        "type": "AirQualityObserved",
        "refDevice": "urn:d:1",
        "location": "50.05, 9.1",
        "name": "Ufer",
    }
    (station,) = rows(here, {"id": "b", "type": "WeatherObserved", "refDevice": "urn:d:1"}, asked="Device")[
        "station"
    ]
    assert (station["name"], station["lat"]) == ("Ufer", 50.05)


CORE = "https://uri.etsi.org/ngsi-ld/"
EXPANDED = {
    "@id": "p",
    "@type": ["https://x.example/Infrastructure", "https://x.example/OffStreetParking"],
    f"{CORE}name": [
        {
            "@type": [f"{CORE}LanguageProperty"],
            f"{CORE}hasLanguageMap": [
                {"@value": "Shore", "@language": "en"},
                {"@value": "Ufer", "@language": "de"},
            ],
        }
    ],
    f"{CORE}default-context/availableSpotNumber": [
        {
            "@type": [f"{CORE}Property"],
            f"{CORE}hasValue": [{"@value": 5}],
            f"{CORE}observedAt": [{"@type": f"{CORE}DateTime", "@value": WHEN}],
        }
    ],
    f"{CORE}location": [
        {
            "@type": [f"{CORE}GeoProperty"],
            f"{CORE}hasValue": [
                {
                    "@type": ["https://purl.org/geojson/vocab#Point"],
                    "https://purl.org/geojson/vocab#coordinates": [
                        {"@list": [{"@value": 9.1}, {"@value": 50.05}]}
                    ],
                }
            ],
        }
    ],
}


FREE = {"value": 5, "observedAt": WHEN}
POINT = {"type": "Point", "coordinates": [9.1, 50.05]}
FEATURE = {
    "id": "p",
    "type": "Feature",
    "geometry": POINT,
    "properties": {"type": "OffStreetParking", "name": "Ufer", "availableSpotNumber": FREE},
}


@pytest.mark.parametrize(
    "body",
    [
        [EXPANDED],
        {
            "@context": "https://x.example/c.jsonld",
            "@graph": [site(name="Ufer", availableSpotNumber=FREE, location=POINT)],
        },
        {"type": "FeatureCollection", "features": [FEATURE]},
        {
            "@id": "p",
            "@type": "OffStreetParking",
            "name": "Ufer",
            "availableSpotNumber": FREE,
            "location": POINT,
        },
    ],
    ids=["expanded", "graph", "features", "keywords"],
)
def test_answers_of_json_ld_and_geojson_are_entities_too(
    source: MakeSource, records: ReadRecords, body: Any
) -> None:
    declared = source("ngsi_ld", types=("OffStreetParking",))
    found = records(declared, json.dumps(body).encode(), "entities", type="OffStreetParking")
    (place,), (state,) = found["parking_site"], found["parking_status"]
    assert (place["name"], place["lon"], place["lat"]) == ("Ufer", 9.1, 50.05)
    assert (state["free"], state["observed_at"]) == (5, NOON)


def test_aggregates_are_refused(source: MakeSource, read: ReadBody) -> None:
    given = {
        "id": "a",
        "type": "WeatherObserved",
        "temperature": {"type": "Property", "avg": [[20.5, WHEN, WHEN]]},
    }
    with pytest.raises(ReadError, match="has aggregates in place of values"):
        read(source("ngsi_ld", types=("A",), history=True), json.dumps([given]).encode(), "history", type="A")
    assert reader(size={"type": "Property", "value": 5, "min": {"value": 1}}).measure("size") == 5


def test_an_entity_without_id_or_type_is_refused() -> None:
    for entity in ({"id": "a"}, {"id": " ", "type": "A"}, {"id": "a", "type": []}, {"id": 1, "type": "A"}):
        with pytest.raises(ReadError, match="without id or type"):
            decode_entities(json.dumps([entity]).encode())

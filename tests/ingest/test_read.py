"""What has landed becomes records once; what cannot be read is tried again, and repeating changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import httpx2
import polars as pl
import pytest
from pydantic import ValidationError

from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.ingest.notes import note_series_only
from civitas_assets.ingest.reports import Counts
from civitas_assets.records import RECORD_TYPES, Note
from civitas_assets.store.journal import Journal, Progress, StandingNote
from civitas_assets.store.quarantine import Quarantine
from civitas_assets.store.record_archive import archive_records
from civitas_assets.store.records import RecordStore
from tests.conformance.landing import HOST, answer, land
from tests.ingest.conftest import Publisher, Town

Csv = Callable[..., bytes]
FIRST = date(2026, 7, 1)


@pytest.fixture(params=[100_000, 1], ids=["whole", "in_portions"], autouse=True)
def _portions(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is proven here holds in however small portions rows are typed and stored."""
    for name in ("intake._TYPED_AT_ONCE", "intake.STORED_AT_ONCE", "keep.STORED_AT_ONCE"):
        monkeypatch.setattr(f"civitas_assets.ingest.{name}", request.param)


def hours(town: Town) -> list[tuple[int, float | None, int]]:
    """Hour, value and revision of what is stored."""
    return [
        (at.hour, value, revision)
        for at, value, revision in town.values("phenomenon_start", "value", "revision")
    ]


def test_a_landed_payload_is_read_once(town: Town, publisher: Publisher, csv: Csv) -> None:
    publisher.bodies["a.csv"] = csv(1, 2)
    report = town.night()
    counts = report.counts["observation"]
    assert (report.ok, report.payloads, counts.read, counts.new, counts.changed) == (True, 1, 2, 2, 0)
    assert counts.days == {FIRST}
    again = town.night()
    assert (again.ok, again.payloads, dict(again.counts)) == (True, 0, {})
    assert hours(town) == [(0, 1, 1), (1, 2, 1)]


def test_a_corrected_value_is_a_revision_with_the_time_of_its_reception(
    town: Town, publisher: Publisher, csv: Csv
) -> None:
    publisher.bodies["a.csv"] = csv(1, 2)
    town.night()
    publisher.bodies["a.csv"] = csv(1, 3)
    counts = town.night().counts["observation"]
    assert (counts.read, counts.new, counts.changed) == (2, 0, 1)
    assert town.values("value", "revision", "received_at", "source", "run_id", "day") == [
        (1.0, 1, datetime(2026, 7, 4, tzinfo=UTC), "s", "run", FIRST),
        (2.0, 1, datetime(2026, 7, 4, tzinfo=UTC), "s", "run", FIRST),
        (3.0, 2, datetime(2026, 7, 5, tzinfo=UTC), "s", "run", FIRST),
    ]


def test_editions_that_landed_without_being_read_are_read_in_their_order(
    town: Town, publisher: Publisher, csv: Csv
) -> None:
    for value in (1, 2, 1):
        publisher.bodies["a.csv"] = csv(value)
        town.fetch()
    counts = town.read()["s"].counts["observation"]
    assert (counts.read, counts.new, counts.changed) == (3, 1, 2)
    assert hours(town) == [(0, 1, 1), (0, 1, 3), (0, 2, 2)]


def test_the_day_of_a_record_is_that_of_the_town(town: Town, publisher: Publisher) -> None:
    publisher.bodies["a.csv"] = b"id,v,t\nd,1,2026-06-30T21:59\nd,2,2026-06-30T22:00\n"
    assert town.night().counts["observation"].days == {date(2026, 6, 30), FIRST}
    assert town.stores.journal.read_pending().days == {date(2026, 6, 30), FIRST}


def test_a_source_of_which_nothing_can_be_used_is_an_error(
    town: Town, publisher: Publisher, csv: Csv
) -> None:
    publisher.bodies["a.csv"] = csv("kaputt", "defekt")
    report = town.night()
    assert not report.ok
    assert report.errors == [
        "none of 2 row(s) could be used for observation; `civitas quarantine show town --source s` says why"
    ]
    publisher.bodies["a.csv"] = csv("kaputt", 3)
    assert town.night().ok
    publisher.bodies["a.csv"] = csv("kaputt", "hin")
    assert not town.night().ok, "that one of them was rejected before changes nothing"
    assert town.night().errors[0].startswith("still no row could be used for observation"), "nothing has come"
    assert town.summary("s").read_error == town.night().problems[0]
    publisher.bodies["a.csv"] = csv("kaputt", 4)
    assert town.night().ok
    assert town.summary("s").read_error is None


def test_rejected_rows_go_to_quarantine_once_and_stop_no_others(
    town: Town, publisher: Publisher, csv: Csv
) -> None:
    publisher.bodies["a.csv"] = csv(1, "kaputt", 3) + b"d,1,2,3,4\n"
    report = town.night()
    assert report.ok
    assert (report.counts["observation"].new, report.counts["observation"].rejected) == (2, 2)
    assert report.warnings[0].startswith("2 row(s) in quarantine, most by rule ")
    kept = town.stores.quarantine.read_rows().sort("row").select("rule", "row", "source", "day").rows()
    received = date(2026, 7, 4)
    assert kept == [("not_a_number", 2, "s", received), ("too_many_cells", 4, "s", received)]
    assert received in town.stores.journal.read_pending().days
    publisher.bodies["a.csv"] = csv(1, "kaputt", 4)
    again = town.night()
    assert (again.counts["observation"].rejected, again.warnings) == (0, [])


def test_a_payload_that_cannot_be_read_is_tried_again_when_the_mapping_is_mended(
    town: Town, publisher: Publisher, csv: Csv
) -> None:
    publisher.bodies["a.csv"] = csv(1, header="ID,v,t")
    report = town.night()
    assert report.errors == ["https://data.example/a.csv lacks the column(s) id; it has ID, v, t"]
    assert not town.night().ok, "it stays an error as long as it cannot be read"
    town.with_sources(s={"fields": {"datastream_id": "ID", "value": "v"}})
    mended = town.night()
    assert (mended.ok, mended.counts["observation"].new) == (True, 1)
    assert (town.night().payloads, publisher.asked[-1][1]) == (0, 304)


def test_a_payload_that_cannot_be_read_is_dropped_when_a_newer_one_can(
    town: Town, publisher: Publisher, csv: Csv
) -> None:
    publisher.bodies["a.csv"] = b"<html>Wartung</html>"
    assert not town.night().ok
    publisher.bodies["a.csv"] = csv(2)
    report = town.night()
    assert (report.ok, report.payloads) == (True, 1)
    assert (town.night().payloads, hours(town)) == (0, [(0, 2, 1)])


def test_an_older_payload_is_never_read_after_a_newer_one_of_its_address(
    town: Town, publisher: Publisher, csv: Csv
) -> None:
    """Both landed before the first was read; the mapping is mended later, and the newer values must stay."""
    publisher.bodies["a.csv"] = csv(1, header="ID,v,t")
    town.fetch()
    publisher.bodies["a.csv"] = csv(2)
    town.fetch()
    assert not town.read()["s"].ok
    assert town.read()["s"].ok, "what was superseded is not tried again"
    town.with_sources(s={"fields": {"datastream_id": "ID", "value": "v"}})
    town.read()
    assert hours(town) == [(0, 2, 1)]


def test_a_payload_that_is_newer_but_no_better_does_not_supersede(
    town: Town, publisher: Publisher, csv: Csv
) -> None:
    publisher.bodies["a.csv"] = csv(1, header="ID,v,t")
    town.night()
    publisher.bodies["a.csv"] = b"<html>Wartung</html>"
    assert not town.night().ok
    town.with_sources(s={"fields": {"datastream_id": "ID", "value": "v"}})
    town.read()
    assert hours(town) == [(0, 1, 1)]


def test_an_unreadable_payload_stops_no_other(town: Town, publisher: Publisher, csv: Csv) -> None:
    town.with_sources(s={"each": {"file": ("a", "b")}})
    publisher.bodies.update({"a.csv": b"<html>", "b.csv": csv(5)})
    report = town.night()
    assert len(report.errors) == 1
    assert hours(town) == [(0, 5, 1)]


def test_a_source_that_crashes_stops_no_other(town: Town, publisher: Publisher, csv: Csv) -> None:
    town.with_sources(bad={}, s={})
    publisher.bodies["a.csv"] = csv(1)
    town.fetch()
    town.files.delete(town.files.list_keys("landing/town/bad/bodies/")[0])
    reports = town.read()
    assert "landing has lost" in reports["bad"].errors[0]
    assert reports["s"].ok
    town.fetch()
    assert town.read()["bad"].ok, "it is fetched again and read"


def test_no_rows_from_a_source_that_always_had_some_is_an_error(
    town: Town, publisher: Publisher, csv: Csv
) -> None:
    publisher.bodies["a.csv"] = csv()
    assert town.night().ok, "it never had any"
    publisher.bodies["a.csv"] = csv(1)
    assert town.night().ok
    publisher.bodies["a.csv"] = csv() + b"\n"
    report = town.night()
    assert report.errors == ["1 payload(s) without a single row, although the source always had some"]
    assert town.night().errors == [
        "unchanged payload(s) without a single row, although the source always had some"
    ]
    publisher.bodies["a.csv"] = csv(1)
    assert town.night().ok
    assert town.night().ok, "an unchanged answer with rows is none without"


def test_an_unknown_field_is_noted_once_and_stands_until_the_source_has_it_no_more(
    town: Town, publisher: Publisher
) -> None:
    noted = Note("unknown_fields", "unknown field(s), not mapped: neu")
    publisher.bodies["a.csv"] = b"id,v,t,neu\nd,1,2026-07-01T00:00,x\n"
    report = town.night()
    assert (report.ok, report.notes, report.new_notes) == (True, (noted,), (noted,))
    publisher.bodies["a.csv"] = b"id,v,t,neu\nd,2,2026-07-01T00:00,x\n"
    report = town.night()
    assert (report.notes, report.new_notes) == ((noted,), ())
    assert (town.night().notes, town.summary("s").notes) == ((noted,), (noted,)), "nothing new has come"
    publisher.bodies["a.csv"] = b"id,v,t,neu,mehr\nd,2,2026-07-01T00:00,x,y\n"
    more = Note("unknown_fields", "unknown field(s), not mapped: mehr, neu")
    assert town.night().new_notes == (more,)
    publisher.bodies["a.csv"] = b"id,v,t\nd,2,2026-07-01T00:00\n"
    assert (town.night().notes, town.summary("s").notes) == ((), ())


@pytest.mark.parametrize(
    ("rows", "value", "noted"),
    [
        (["d,1", "d,2"], 2, {"replaced_rows": "phenomenon_start 2026-07-01 00:00:00+00:00 with value 1.0 and 2.0"}),
        (["d,1", "d,1", "d,1"], 1, {"repeated_rows": "2 row(s) of observation say the same as another row"}),
        (["d,1", "d,2", "d,1"], 1, {"repeated_rows": "1 row(s)", "replaced_rows": "have the same key"}),
        (["d,", "d,1"], 1, {}),
        (["d,", "d,", "e,1"], 1, {}),
    ],
)  # fmt: skip
def test_rows_of_one_answer_that_become_one_record_are_noted_and_the_last_counts(
    rows: list[str], value: float, noted: dict[str, str], town: Town, publisher: Publisher
) -> None:
    publisher.bodies["a.csv"] = "\n".join(["id,v,t", *(f"{row},2026-07-01T00:00" for row in rows)]).encode()
    report = town.night()
    assert report.ok
    assert [note.code for note in report.notes] == [*noted]
    assert all(noted[note.code] in note.text for note in report.notes)
    assert max(row for row in town.values("revision", "value") if row[1] is not None)[1] == value


def test_a_source_that_never_brought_a_row_says_so_until_it_does(
    town: Town, publisher: Publisher, csv: Csv
) -> None:
    town.with_sources(s={"drop": {"id": "x"}})
    publisher.bodies["a.csv"] = csv()
    report = town.night()
    assert report.ok
    (note,) = report.new_notes
    assert note.text == "nothing came: no answer has had a single row so far; check drop ({'id': 'x'})"
    report = town.night()
    assert (report.new_notes, len(report.notes)) == ((), 1), "an unchanged answer is no news"
    publisher.bodies["a.csv"] = csv(1)
    assert town.night().notes == ()


def test_an_answer_that_calls_itself_a_part_is_noted_until_a_whole_one_comes(
    town: Town, publisher: Publisher
) -> None:
    town.with_sources(
        s={"connector": "json", "records": "features", "url": "https://data.example/a.json", "each": {}}
    )
    row = '{"id": "d", "v": 1, "t": "2026-07-01T00:00"}'
    for more, noted in (('"exceededTransferLimit": true', True), ('"exceededTransferLimit": false', False)):
        publisher.bodies["a.json"] = f'{{"features": [{row}], {more}}}'.encode()
        report = town.night()
        assert report.ok
        assert [
            "says itself that it is not all" in note.text
            for note in report.notes
            if note.code != "unknown_fields"
        ] == [True] * noted


@pytest.mark.parametrize(("each", "noted"), [({}, 1), ({"page": ("1", "2")}, 0)])
def test_a_further_page_that_an_answer_names_is_told_unless_the_source_asks_for_pages_itself(
    town: Town, publisher: Publisher, each: dict[str, Any], noted: int
) -> None:
    address = "https://data.example/a" + ("-{page}" if each else "") + ".json"
    town.with_sources(s={"connector": "json", "records": "items", "url": address, "each": each})
    for number, name in enumerate(("a.json", "a-1.json", "a-2.json")):
        row = f'{{"id": "d{number}", "v": 1, "t": "2026-07-01T00:00"}}'
        publisher.bodies[name] = f'{{"items": [{row}], "next": "https://data.example/a-2.json"}}'.encode()
    report = town.night()
    assert report.ok, report.errors
    assert sum(note.code == "says_incomplete" for note in report.notes) == noted


@pytest.mark.parametrize(
    ("rows", "query", "headers", "code"),
    [
        (1000, "", {}, "end_unproven"),
        (999, "", {}, ""),
        (30, "?$limit=30", {}, "end_unproven"),
        (29, "?$limit=30", {}, ""),
        (30, "", {"X-Total-Count": "31"}, "says_incomplete"),
        (1000, "", {"X-Total-Count": "1000"}, ""),
        (30, "", {"Content-Range": "items 0-29/900"}, "says_incomplete"),
    ],
)
@pytest.mark.parametrize("connector", ["json", "csv"])
def test_an_answer_that_may_be_cut_without_a_word_is_noted(
    connector: str, rows: int, query: str, headers: dict[str, str], code: str
) -> None:
    ids = [f"P{number}" for number in range(rows)]
    if connector == "json":
        reply = answer([{"id": name} for name in ids], headers)
    else:
        reply = httpx2.Response(200, content="\n".join(["id", *ids]).encode(), headers=headers)
    settings = {"connector": connector, "record_type": "parking_site", "fields": {"site_id": "id"}}
    night = land(settings | {"url": f"{HOST}/sites{query}"}, lambda _: reply)
    assert night.records["parking_site"].height == rows
    wanted = {
        "end_unproven": f"has exactly {rows:,} rows",
        "says_incomplete": "says itself that it is not all",
    }
    assert bool(night.told) == bool(code)
    assert not code or wanted[code] in night.told[0]
    if code == "end_unproven":
        assert f"say complete_with: [{rows}] if it is" in night.told[0]
        settings |= {"complete_with": (20, rows), "url": f"{HOST}/sites{query}"}
        assert not land(settings, lambda _: reply).told


def test_series_without_a_single_observation_are_noted_until_one_comes() -> None:
    settings = {"connector": "sensorthings", "title": "Test", "licence": "CC0-1.0", "url": HOST}
    sensors = CONNECTORS["sensorthings"].source_model.model_validate(settings)
    series, both = (
        {"datastream": Counts(read=3)},
        {"datastream": Counts(read=3), "observation": Counts(read=1)},
    )
    note, had_values = note_series_only(sensors, series, Progress())
    assert note is not None
    assert note.text.startswith("3 series came and not one observation so far")
    assert not had_values
    after = Progress(had_rows=True, had_values=False, notes=(StandingNote(note, ()),))
    assert note_series_only(sensors, {}, after) == (note, False), "it holds where things stand unchanged"
    assert note_series_only(sensors, both, after) == (None, True)
    assert note_series_only(sensors, series, Progress(had_rows=True, had_values=True)) == (None, True)
    assert note_series_only(sensors, series, Progress(had_rows=True)) == (None, True), (
        "older notes did not tell"
    )


def test_of_a_register_of_series_no_values_are_expected() -> None:
    settings = {"connector": "csv", "record_type": "datastream", "url": f"{HOST}/series.csv"}
    fields = {"datastream_id": "id", "station_id": "station"}
    body = b"id,station\na,x\n"
    night = land(settings | {"fields": fields}, lambda _: httpx2.Response(200, content=body))
    assert night.records["datastream"].height == 1
    assert not night.told


def test_only_of_a_file_can_be_said_with_how_many_rows_it_is_all() -> None:
    settings = {"connector": "gbfs", "title": "Test", "licence": "CC0-1.0", "url": HOST}
    with pytest.raises(ValidationError, match="complete_with is for csv, excel"):
        CONNECTORS["gbfs"].source_model.model_validate(settings | {"complete_with": (1000,)})


def test_a_page_that_comes_again_when_more_is_asked_for_repeats_no_rows() -> None:
    features = [
        {"type": "Feature", "id": number, "properties": {"name": "Linde"}, "geometry": None}
        for number in range(10)
    ]
    settings = {"connector": "ogc_features", "collection": "trees", "record_type": "place", "url": HOST}
    mapping = {"feature_id": "place_id", "fields": {"name": "name"}, "constants": {"category": "Baum"}}
    service = answer({"type": "FeatureCollection", "features": features})
    night = land(settings | mapping | {"within_bbox": False}, lambda _: service)
    assert night.records["place"].height == 10
    assert [text for text in night.told if "say the same" in text] == []
    assert "names neither a total nor a further page" in "".join(night.told)


def test_rows_without_a_single_value_are_noted_until_one_has_some(
    town: Town, publisher: Publisher, csv: Csv
) -> None:
    publisher.bodies["a.csv"] = csv("", "")
    (note,) = town.night().notes
    assert note.text.startswith(
        "none of 2 row(s) of observation has a value: value, value_text are all empty"
    )
    publisher.bodies["a.csv"] = csv("", 1)
    assert town.night().notes == ()


@pytest.mark.parametrize(
    ("connector", "night"),
    [
        ("json", '{{"features": [{{"id": "d", "{v}": 1, "t": "2026-07-01T00:00"}}]}}'),
        ("geojson", '{{"features": [{{"properties": {{"id": "d", "{v}": 1, "t": "2026-07-01T00:00"}}}}]}}'),
        ("csv", "id,{v},t\nd,1,2026-07-01T00:00\n"),
        ("geofile", '{{"features": [{{"properties": {{"id": "d", "{v}": 1, "t": "2026-07-01T00:00"}}}}]}}'),
    ],
)
def test_a_value_whose_member_is_renamed_is_an_error_and_takes_nothing_back(
    connector: str, night: str, town: Town, publisher: Publisher
) -> None:
    more = {"records": "features"} if connector == "json" else {}
    town.with_sources(s={"connector": connector, **more})
    publisher.bodies["a.csv"] = night.format(v="v").encode()
    assert town.night().ok
    publisher.bodies["a.csv"] = night.format(v="wert").encode()
    report = town.night()
    assert not report.ok
    assert "wert" in report.errors[0]
    assert town.values("value", "revision") == [(1.0, 1)]
    assert not town.night().ok, "it stays an error until the mapping is mended"


def test_what_the_last_row_says_of_a_station_counts(town: Town, publisher: Publisher) -> None:
    town.with_sources(
        s={"fields": {"datastream_id": "id", "value": "v", "station_id": "id", "station_name": "n"}}
    )
    lines = [f"d,{hour},2026-07-01T0{hour}:00,{name}" for hour, name in enumerate(("A", "B", "A"))]
    publisher.bodies["a.csv"] = "\n".join(["id,v,t,n", *lines]).encode()
    (note,) = town.night().notes
    assert "of station have the same key (station_id)" in note.text
    stations = town.stores.records.read_current(RECORD_TYPES["station"], "s", [])
    assert stations["name"].to_list() == ["A"]


def test_reading_all_of_landing_again_gives_the_same_records(
    town: Town, publisher: Publisher, csv: Csv
) -> None:
    for values in ((1, 2), (1, 3, ""), ("", 3, 4), (1, 3)):
        publisher.bodies["a.csv"] = csv(*values)
        town.night()
    before = town.values()
    archive_records(town.files, "town")
    assert town.values() == []
    report = town.read(run_id="again")["s"]
    assert report.payloads == 4
    assert town.values() == before


def test_rejected_rows_of_a_run_that_was_killed_once_they_were_kept_are_published(
    town: Town, publisher: Publisher, csv: Csv, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.bodies["a.csv"] = csv("many")
    town.fetch()
    keep = Quarantine.add

    def killed(self: Quarantine, source: str, rejected: pl.DataFrame) -> None:
        keep(self, source, rejected)
        raise OSError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(Quarantine, "add", killed)
        assert "killed" in town.read(run_id="first")["s"].errors[0]
    town.read(run_id="second")
    received = {*town.stores.quarantine.read_rows()["day"]}
    assert received
    assert town.stores.journal.read_pending().days == received


@pytest.mark.parametrize("crash", ["note", "append", "add", "advance"])
def test_a_crash_anywhere_costs_a_repetition_and_no_data(
    town: Town, publisher: Publisher, csv: Csv, monkeypatch: pytest.MonkeyPatch, crash: str
) -> None:
    """After the crash each record is there once, and its day is pending until it is published."""
    publisher.bodies["a.csv"] = csv(1, "kaputt", 3)
    town.fetch()
    place: Any = {
        "note": Journal,
        "append": RecordStore,
        "advance": Journal,
        "add": type(town.stores.quarantine),
    }[crash]
    whole = getattr(place, crash)

    def killed(*arguments: Any, **more: Any) -> None:
        if crash == "append":
            whole(*arguments, **more)
        raise OSError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(place, crash, killed)
        assert "killed" in town.read(run_id="first")["s"].errors[0]
    if town.values():
        assert FIRST in town.stores.journal.read_pending().days
    assert town.read(run_id="second")["s"].ok
    assert hours(town) == [(0, 1, 1), (2, 3, 1)]
    assert town.stores.quarantine.read_rows().height == 1
    assert FIRST in town.stores.journal.read_pending().days


def test_news_about_a_thing_make_the_days_of_its_events_pending(town: Town, publisher: Publisher) -> None:
    mapped = {"datastream_id": "id", "value": "v", "datastream_name": "name"}
    town.with_sources(s={"fields": mapped})
    publisher.bodies["a.csv"] = b"id,v,t,name\nd,1,2026-07-01T00:00,alt\nd,2,2026-07-02T00:00,alt\n"
    town.night()
    journal = town.stores.journal
    journal.acknowledge(journal.read_pending().entries)
    publisher.bodies["a.csv"] = b"id,v,t,name\nd,2,2026-07-02T00:00,neu\n"
    report = town.night()
    assert report.counts["datastream"].changed == 1
    assert journal.read_pending().days == {FIRST, date(2026, 7, 2)}
    assert journal.read_pending().things


def test_payloads_whose_columns_have_other_types_are_read_together(town: Town, publisher: Publisher) -> None:
    """One file has numbers, one text, and one something else altogether in the same field."""
    town.with_sources(
        s={
            "connector": "json",
            "url": "https://data.example/{file}",
            "each": {"file": ("1", "2", "3")},
            "fields": {"datastream_id": "id", "value": "v"},
        }
    )
    for name, value in (("1", "7"), ("2", '"8"'), ("3", "[9]")):
        row = f'[{{"id":"d{name}","v":{value},"t":"2026-07-01T00:00"}}]'
        publisher.bodies[name] = row.encode()
    report = town.night()
    assert report.ok
    assert town.values("datastream_id", "value") == [("d1", 7.0), ("d2", 8.0)]
    assert town.stores.quarantine.read_rows()["detail"].to_list() == ["[9]"]


def test_large_landings_are_read_in_batches_with_the_same_outcome(
    town: Town, publisher: Publisher, csv: Csv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("civitas_assets.ingest.backlog._BATCH_BYTES", 1)
    for value in (1, 2, 1):
        publisher.bodies["a.csv"] = csv(value)
        town.fetch()
    report = town.read()["s"]
    assert (report.counts["observation"].new, report.counts["observation"].changed) == (1, 2)
    assert hours(town) == [(0, 1, 1), (0, 1, 3), (0, 2, 2)]


def test_every_record_names_the_payload_that_brought_it(town: Town, publisher: Publisher, csv: Csv) -> None:
    publisher.bodies["a.csv"] = csv(1)
    town.night()
    ((digest,),) = town.values("payload")
    assert town.landing().read_body(digest) == csv(1)
    contract = RECORD_TYPES["observation"]
    assert town.stores.records.list_days(contract) == [FIRST]


def test_a_body_that_is_lost_costs_its_own_rows(town: Town, publisher: Publisher, csv: Csv) -> None:
    """As after a restore: what else the source has answered is read, and an answer that comes again mends it."""
    town.with_sources(s={"each": {"file": ("a", "b")}})
    publisher.bodies |= {"a.csv": csv(1), "b.csv": csv(2, 3)}
    town.fetch()
    lost = next(
        line.sha256 for m in town.landing().list_manifests() for line in m.lines if "a.csv" in line.url
    )
    town.landing().remove([lost])
    (report,) = town.read().values()
    assert [error for error in report.errors if "landing has lost" in error]
    assert hours(town) == [(0, 2, 1), (1, 3, 1)]
    assert town.night().ok
    assert (0, 1, 2) in hours(town)


@pytest.mark.parametrize(
    ("name", "is_told"), [("MÃ¼nster", True), ("FuÃŸweg", True), ("Münster, São", False)]
)
@pytest.mark.parametrize("escaped", [False, True])
def test_texts_that_were_encoded_twice_are_told_and_kept(name: str, is_told: bool, escaped: bool) -> None:
    body = json.dumps([{"id": "1", "name": name}], ensure_ascii=escaped).encode()
    fields = {"site_id": "id", "name": "name"}
    settings = {"connector": "json", "records": "@", "record_type": "parking_site", "fields": fields}
    night = land(settings, lambda _: httpx2.Response(200, content=body))
    assert night.rows("parking_site", "name") == [(name,)]
    assert ["double-encoded" in text for text in night.told] == [True] * is_told

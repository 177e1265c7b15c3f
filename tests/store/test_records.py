"""The record store takes what is new or changed, keeps every revision, and is never half written."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from civitas_assets.errors import StoreError
from civitas_assets.records import RECORD_TYPES
from civitas_assets.store.files import Change, Files, LocalFiles
from civitas_assets.store.records import RecordStore

OBSERVATION, STATION, SITE = (RECORD_TYPES[name] for name in ("observation", "station", "parking_site"))
Frames = Callable[..., pl.DataFrame]


@pytest.fixture
def store(files: Files) -> RecordStore:
    return RecordStore(files, "town")


def add(store: RecordStore, records: pl.DataFrame) -> tuple[int, int]:
    """How many records were new, and how many changed."""
    news = store.find_changes(OBSERVATION, records)
    store.append(news)
    return news.new, news.changed


def stored(store: RecordStore) -> list[tuple[int, float | None, int]]:
    """Hour, value and revision, in the order of the files."""
    frame = store.read_rows(OBSERVATION, store.list_days(OBSERVATION))
    return frame.select(pl.col("phenomenon_start").dt.hour(), "value", "revision").rows()


def test_new_records_are_revision_one_and_the_same_again_is_no_news(
    store: RecordStore, observations: Frames
) -> None:
    assert add(store, observations((0, 1), (1, 2))) == (2, 0)
    assert add(store, observations((0, 1), (1, 2))) == (0, 0)
    assert stored(store) == [(0, 1, 1), (1, 2, 1)]


def test_a_changed_value_is_a_revision_and_the_old_one_stays(
    store: RecordStore, observations: Frames
) -> None:
    add(store, observations((0, 1), (1, 2)))
    assert add(store, observations((0, 5), (1, 2), (2, 3))) == (1, 1)
    assert add(store, observations((0, 1))) == (0, 1)
    assert sorted(stored(store)) == [(0, 1, 1), (0, 1, 3), (0, 5, 2), (1, 2, 1), (2, 3, 1)]


def test_rows_of_days_are_counted_by_the_ends_of_their_files(
    store: RecordStore, observations: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, observations((0, 1), (1, 2)))
    add(store, observations((0, 5)))
    (day,) = store.list_days(OBSERVATION)
    other = date(2001, 1, 1)
    assert store.count_rows([day, other]) == {day: 3, other: 0}
    monkeypatch.setattr("civitas_assets.store.records._FOOTER", 8)
    assert store.count_rows([day]) == {day: 3}


def test_where_it_came_from_alone_is_no_change(store: RecordStore, observations: Frames) -> None:
    add(store, observations((0, 1)))
    assert add(store, observations((0, 1), payload=["other"], run_id=["later"])) == (0, 0)


def test_any_other_column_of_the_contract_is_a_change(store: RecordStore, observations: Frames) -> None:
    add(store, observations((0, 1)))
    assert add(store, observations((0, 1), quality_native=["checked"])) == (0, 1)


def test_revisions_within_one_batch_are_counted_in_order(store: RecordStore, observations: Frames) -> None:
    assert add(store, observations((0, 1), (1, 7), (0, 1), (0, 2), (0, 1), (1, 7))) == (2, 2)
    assert sorted(stored(store)) == [(0, 1, 1), (0, 1, 3), (0, 2, 2), (1, 7, 1)]
    assert add(store, observations((0, 1), (0, 3), (0, 3))) == (0, 1)
    assert (0, 3, 4) in stored(store)


def test_a_payload_that_says_two_things_means_the_later_one_however_often_it_comes(
    store: RecordStore, observations: Frames
) -> None:
    first = observations((0, 33), (0, 31), payload=["a", "a"])
    grown = observations((0, 33), (0, 31), (1, 5), payload=["b", "b", "b"])
    assert add(store, first) == (1, 1)
    assert add(store, grown) == (1, 0)
    assert stored(store) == [(0, 33, 1), (0, 31, 2), (1, 5, 1)]
    assert add(store, observations((0, 33), (0, 30), payload=["c", "c"])) == (0, 1)
    assert (0, 30, 3) in stored(store)


def test_two_things_said_by_several_payloads_of_one_batch_are_counted_once(
    store: RecordStore, observations: Frames
) -> None:
    both = [observations((0, 33), (0, 31), payload=[name, name]) for name in "ab"]
    assert add(store, pl.concat(both)) == (1, 1)
    assert stored(store) == [(0, 33, 1), (0, 31, 2)]


def test_a_payload_that_came_twice_counts_from_when_it_came_first(
    store: RecordStore, observations: Frames
) -> None:
    add(store, observations((0, 1)))
    said = [(2, "a"), (2, "a"), (3, "b"), (2, "a")]
    nights = [datetime(2026, 8, 1, 2, tzinfo=UTC) + timedelta(days=number) for number in range(len(said))]
    found = [
        observations((0, value), payload=[payload], received_at=[at])
        for (value, payload), at in zip(said, nights, strict=True)
    ]
    assert add(store, pl.concat(found)) == (0, 3)
    rows = store.read_rows(OBSERVATION, store.list_days(OBSERVATION)).sort("revision")
    assert rows.select("value", "received_at").rows()[1:] == [(2, nights[0]), (3, nights[2]), (2, nights[3])]


def test_one_batch_or_many_give_the_same(tmp_path: Path, observations: Frames) -> None:
    rows = [(0, 1), (0, None), (1, None), (0, 2), (0, 2), (1, 3), (1, None), (1, None), (0, None), (2, None)]
    whole, single = (RecordStore(LocalFiles(tmp_path / name), "town") for name in ("whole", "single"))
    add(whole, observations(*rows))
    for row in rows:
        add(single, observations(row))
    assert sorted(stored(whole), key=str) == sorted(stored(single), key=str)


def test_an_empty_row_is_no_record_until_it_takes_back_a_value(
    store: RecordStore, observations: Frames
) -> None:
    assert add(store, observations((0, None), (1, None), (1, 4))) == (1, 0)
    assert add(store, observations((1, None))) == (0, 1)
    assert add(store, observations((1, None), (0, None))) == (0, 0)
    assert add(store, observations((1, 4))) == (0, 1)
    assert stored(store) == [(1, 4, 1), (1, None, 2), (1, 4, 3)]


def test_a_batch_of_empty_rows_touches_nothing(store: RecordStore, observations: Frames) -> None:
    news = store.find_changes(OBSERVATION, observations((0, None), (0, None)))
    assert (news.rows.height, news.days) == (0, frozenset())
    store.append(news)
    assert store.list_days(OBSERVATION) == []
    assert store.find_changes(OBSERVATION, observations()).rows.is_empty()


def test_equal_keys_of_two_sources_are_two_records(store: RecordStore, observations: Frames) -> None:
    assert add(store, pl.concat([observations((0, 1), source="a"), observations((0, 2), source="b")])) == (
        2,
        0,
    )
    assert add(store, observations((0, 1), source="b")) == (0, 1)


def test_each_day_is_a_file_and_only_days_that_gain_something_are_written(
    store: RecordStore, observations: Frames, files: Files
) -> None:
    both = pl.concat([observations((0, 1), day=1), observations((0, 1), day=2)])
    news = store.find_changes(OBSERVATION, both)
    assert news.days == {date(2026, 7, 1), date(2026, 7, 2)}
    store.append(news)
    first, second = files.list_keys("records/town/")
    before = files.list_stamps("records/town/")
    later = store.find_changes(
        OBSERVATION, pl.concat([observations((0, 1), day=1), observations((0, 9), day=2)])
    )
    assert later.days == {date(2026, 7, 2)}
    store.append(later)
    after = files.list_stamps("records/town/")
    assert after[first] == before[first]
    assert after[second] != before[second]
    assert files.list_keys("records/town/") == [
        "records/town/observation/2026-07-01.parquet",
        "records/town/observation/2026-07-02.parquet",
    ]
    assert store.read_rows(OBSERVATION, [date(2026, 7, 3)]).is_empty()


def test_days_of_finds_the_days_of_a_thing(store: RecordStore, observations: Frames) -> None:
    add(store, pl.concat([observations((0, 1), day=1), observations((0, 1), day=2)]))
    assert store.find_days(OBSERVATION, "datastream_id", ["d"]) == {date(2026, 7, 1), date(2026, 7, 2)}
    assert store.find_days(OBSERVATION, "datastream_id", ["x"]) == frozenset()
    assert store.find_days(OBSERVATION, "datastream_id", []) == frozenset()


def test_things_have_one_file_and_revisions_but_no_day(store: RecordStore, observations: Frames) -> None:
    def station(name: str | None) -> pl.DataFrame:
        schema = {key: dtype for key, dtype in STATION.stored_schema.items() if key != "revision"}
        values = {"station_id": "1", "name": name, "source": "s"}
        return pl.DataFrame({key: [values.get(key)] for key in schema}, schema=schema)

    for name in ("A", "A", "B", None):
        store.append(store.find_changes(STATION, station(name)))
    assert store.read_rows(STATION, []).select("name", "revision").rows() == [("A", 1), ("B", 2), (None, 3)]
    assert store.find_changes(STATION, station("C")).days == frozenset()
    assert store.list_days(STATION) == []


def test_a_stored_file_has_the_schema_of_the_contract_and_its_origin(
    store: RecordStore, observations: Frames, tmp_path: Path
) -> None:
    add(store, observations((0, 1)))
    (file,) = store.fetch_files(OBSERVATION, [date(2026, 7, 1)], tmp_path)
    assert file.name == "2026-07-01.parquet"
    assert dict(pl.read_parquet_schema(file)) == OBSERVATION.stored_schema


def test_a_crash_while_a_day_is_written_leaves_the_old_day_and_repeating_completes_it(
    store: RecordStore, files: Files, observations: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, pl.concat([observations((0, 1), day=1), observations((0, 1), day=2)]))
    change = pl.concat([observations((0, 2), day=1), observations((0, 2), day=2)])
    whole = files._change  # type: ignore[attr-defined]

    def crash_at_the_second_day(key: str, change: Change) -> None:
        if key.endswith("-02.parquet"):
            raise OSError("killed")
        whole(key, change)

    with monkeypatch.context() as patch:
        patch.setattr(files, "_change", crash_at_the_second_day)
        with pytest.raises(OSError, match="killed"):
            add(store, change)
    assert stored(store) == [(0, 1, 1), (0, 2, 2), (0, 1, 1)]
    assert add(store, change) == (0, 1)
    assert stored(store) == [(0, 1, 1), (0, 2, 2)] * 2


def test_what_another_run_has_stored_meanwhile_is_not_stored_twice(
    store: RecordStore, observations: Frames
) -> None:
    """As one that slept with its lease, and goes on where it was."""
    add(store, observations((0, 1)))
    slept = store.find_changes(OBSERVATION, observations((0, 5), (1, 2)))
    other = observations((0, 5), (1, 2), run_id=["other"] * 2)
    store.append(store.find_changes(OBSERVATION, other))
    with pytest.raises(StoreError, match="another run meanwhile"):
        store.append(slept)
    assert sorted(stored(store)) == [(0, 1, 1), (0, 5, 2), (1, 2, 1)]
    assert add(store, observations((0, 7), (1, 2))) == (0, 1)


def test_a_write_whose_answer_was_lost_is_not_made_twice(store: RecordStore, observations: Frames) -> None:
    """Where another source of the same run has written the file since."""
    news = store.find_changes(OBSERVATION, observations((0, 1), (1, 2)))
    store.append(news)
    add(store, observations((0, 9), source="t"))
    store.append(news)
    assert sorted(stored(store)) == [(0, 1, 1), (0, 9, 1), (1, 2, 1)]


def test_tenants_do_not_see_each_other(files: Files, observations: Frames) -> None:
    add(RecordStore(files, "a"), observations((0, 1)))
    assert RecordStore(files, "b").list_days(OBSERVATION) == []
    assert add(RecordStore(files, "b"), observations((0, 1))) == (1, 0)


def sites(*rows: tuple[str, int], source: str = "s") -> pl.DataFrame:
    schema = {name: dtype for name, dtype in SITE.stored_schema.items() if name != "revision"}
    values = {"site_id": [key for key, _ in rows], "capacity": [size for _, size in rows]}
    values |= {"source": [source] * len(rows), "deleted": [False] * len(rows)}
    nothing = [None] * len(rows)
    return pl.DataFrame({name: values.get(name, nothing) for name in schema}, schema=schema)


def keep(store: RecordStore, records: pl.DataFrame) -> tuple[int, int, int]:
    news = store.find_changes(SITE, records)
    store.append(news)
    return news.new, news.changed, news.deleted


def history(store: RecordStore) -> list[tuple[str, int, int, bool | None]]:
    return sorted(store.read_rows(SITE, []).select("site_id", "capacity", "revision", "deleted").rows())


def vanished(store: RecordStore, *present: str, source: str = "s") -> pl.DataFrame:
    keys = pl.DataFrame({"site_id": [*present]}, schema={"site_id": pl.String})
    return store.find_vanished(SITE, source, keys)


def test_what_vanished_is_what_is_current_and_not_present(store: RecordStore) -> None:
    assert vanished(store, "a").is_empty()
    keep(store, sites(("a", 1), ("b", 2)))
    keep(store, sites(("b", 3)))
    keep(store, sites(("c", 4), source="other"))
    assert vanished(store, "a").select("site_id", "capacity", "source").rows() == [("b", 3, "s")]
    assert vanished(store, "a", "b").is_empty()
    assert vanished(store, source="other")["site_id"].to_list() == ["c"]


def test_a_mark_of_deletion_is_a_revision_made_once_and_what_comes_back_is_another(
    store: RecordStore,
) -> None:
    keep(store, sites(("a", 1), ("b", 2)))
    marks = vanished(store, "a").with_columns(pl.lit(value=True).alias("deleted"))
    assert keep(store, marks) == (0, 1, 1)
    assert keep(store, marks) == (0, 0, 0)
    assert vanished(store, "a").is_empty(), "it is gone already"
    assert keep(store, sites(("b", 2))) == (0, 1, 0)
    assert history(store) == [("a", 1, 1, False), ("b", 2, 1, False), ("b", 2, 2, True), ("b", 2, 3, False)]
    assert vanished(store, "a")["site_id"].to_list() == ["b"]


def test_files_from_before_there_were_marks_are_read_and_extended(store: RecordStore, files: Files) -> None:
    keep(store, sites(("a", 1), ("b", 2)))
    (key,) = files.list_keys("records/town/")
    buffer = io.BytesIO()
    store.read_rows(SITE, []).drop("deleted").write_parquet(buffer)
    files.write(key, buffer.getvalue())
    assert keep(store, sites(("a", 1))) == (0, 0, 0)
    marks = vanished(store, "a").with_columns(pl.lit(value=True).alias("deleted"))
    assert keep(store, marks) == (0, 1, 1)
    assert history(store) == [("a", 1, 1, False), ("b", 2, 1, False), ("b", 2, 2, True)]
    assert [*pl.read_parquet_schema(io.BytesIO(files.read(key) or b""))] == [*SITE.stored_schema]

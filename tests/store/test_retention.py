"""What is older than a tenant keeps it goes, nothing else does, and neither crash nor rebuild loses any more."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from civitas_assets.catalog import Tenant
from civitas_assets.errors import StoreError
from civitas_assets.records import RECORD_TYPES
from civitas_assets.store.addresses import Line
from civitas_assets.store.files import Files, LocalFiles
from civitas_assets.store.horizon import read_horizon
from civitas_assets.store.journal import Progress
from civitas_assets.store.landing import SourceLanding
from civitas_assets.store.quarantine import SCHEMA
from civitas_assets.store.record_archive import archive_records, finish_archiving
from civitas_assets.store.repeats import Repeats
from civitas_assets.store.retention import apply_retention
from civitas_assets.store.stores import Stores

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
OBSERVATION = RECORD_TYPES["observation"]


def town(**retention: str) -> Tenant:
    """A tenant that keeps things for these times."""
    content = {"name": "Town", "ags": "99000001", "bbox": (9.0, 50.0, 9.2, 50.2), "retention": retention}
    return Tenant.model_validate(content).with_key("town")


def land(
    files: Files, days_ago: float, *, url: str = "http://x/a", body: bytes = b"", read: bool = True
) -> str:
    """A body as it was fetched so many days ago; its hash."""
    landing, at = SourceLanding(files, "town", "s"), NOW - timedelta(days=days_ago)
    digest = landing.store(body or f"{url} {days_ago}".encode())
    name = landing.write_manifest([Line(url, "stored", 200, at, "", digest, 9)])
    if read:
        Stores.for_tenant(files, "town").journal.advance("s", Progress(name, had_rows=True))
    return digest


def held(files: Files, *digests: str) -> list[bool]:
    return [SourceLanding(files, "town", "s").holds(digest) for digest in digests]


class Crash(Exception):
    """The machine went down."""


class Crashing:
    """The same files; the given operation ends everything."""

    def __init__(self, files: Files, operation: str) -> None:
        self._files, self._operation = files, operation

    def __getattr__(self, name: str) -> Any:
        if name == self._operation:
            raise Crash
        return getattr(self._files, name)


def test_old_bodies_go_but_never_the_last_one_of_an_address(files: Files) -> None:
    old = [land(files, 200), land(files, 100)]
    last_of_another = land(files, 150, url="http://x/b")
    young = land(files, 10)
    tenant, stores = town(landing="90 days"), Stores.for_tenant(files, "town")
    rehearsed = apply_retention(tenant, stores, NOW, dry_run=True)
    assert held(files, *old, last_of_another, young) == [True] * 4
    assert apply_retention(tenant, stores, NOW) == rehearsed
    assert (rehearsed.bodies, rehearsed.body_bytes > 0) == (2, True)
    assert held(files, *old, last_of_another, young) == [False, False, True, True]
    assert not apply_retention(tenant, stores, NOW), "a second time there is nothing"


def test_the_last_body_of_an_address_goes_once_a_later_one_is_old_too(files: Files) -> None:
    tenant, stores = town(landing="90 days"), Stores.for_tenant(files, "town")
    first = land(files, 200)
    apply_retention(tenant, stores, NOW)
    assert held(files, first) == [True]
    second = land(files, 5)
    apply_retention(tenant, stores, NOW)
    assert held(files, first, second) == [False, True]


def test_a_body_that_came_again_or_is_not_read_yet_stays(files: Files) -> None:
    again = land(files, 200, body=b"same")
    failed = land(files, 180, url="http://x/c")
    between, standing = land(files, 150), land(files, 100)
    assert land(files, 5, body=b"same") == again
    unread = land(files, 3, read=False)
    land(files, 2, url="http://x/c", read=False)
    line = Line("http://x/c", "stored", 200, NOW - timedelta(days=180), "", failed, 9)
    stores = Stores.for_tenant(files, "town")
    stores.journal.advance("s", Progress(stores.journal.read_progress("s").manifest, (line,)))
    apply_retention(town(landing="90 days"), stores, NOW)
    assert held(files, again, between, unread, failed) == [True, False, True, True]
    assert held(files, standing) == [True], "what stood at the limit, until what followed is old"


def test_what_stood_at_the_limit_goes_once_what_followed_is_old(files: Files) -> None:
    tenant, stores = town(landing="90 days"), Stores.for_tenant(files, "town")
    standing, next_, _ = land(files, 200), land(files, 50), land(files, 5)
    apply_retention(tenant, stores, NOW)
    assert held(files, standing, next_) == [True, True]
    apply_retention(tenant, stores, NOW + timedelta(days=41))
    assert held(files, standing, next_) == [False, False]


def test_a_body_that_came_again_long_ago_goes_all_the_same(files: Files) -> None:
    tenant, stores = town(landing="90 days"), Stores.for_tenant(files, "town")
    again, between = land(files, 200, body=b"same"), land(files, 150)
    assert land(files, 80, body=b"same") == again
    last = [land(files, days) for days in (60, 5)]
    apply_retention(tenant, stores, NOW)
    assert held(files, again, between) == [True, True]
    apply_retention(tenant, stores, NOW + timedelta(days=31))
    assert held(files, again, between, *last) == [False, False, False, True]
    assert SourceLanding(files, "town", "s").read_repeats() == Repeats("s0000000002.jsonl")


def test_what_came_again_before_that_was_noted_is_read_once(files: Files) -> None:
    again, _ = land(files, 200, body=b"same"), land(files, 150)
    land(files, 100)
    assert land(files, 5, body=b"same") == again
    files.delete("landing/town/s/repeats.json")  # as older versions left it
    land(files, 3)
    tenant, stores = town(landing="90 days"), Stores.for_tenant(files, "town")
    apply_retention(tenant, stores, NOW)
    assert held(files, again) == [True]
    assert SourceLanding(files, "town", "s").read_repeats() == Repeats(
        "s0000000003.jsonl", {again: "s0000000004.jsonl"}
    )


@pytest.mark.integration
def test_what_retention_reads_is_what_it_lets_go(tmp_path: Path) -> None:
    """However much is kept: of two landings, one has ten times as many manifests behind the limit."""

    class Counting(LocalFiles):
        def read(self, key: str) -> bytes | None:
            asked["manifests" if "/manifests/" in key else "others"] += 1
            return super().read(key)

        def read_all(self, keys: Sequence[str]) -> list[bytes | None]:
            return [self.read(key) for key in keys]

    asked = Counter[str]()
    read = []
    for young in (80, 800):
        files = Counting(tmp_path / f"{young}")
        landing = SourceLanding(files, "town", "s")
        for number, days_ago in enumerate((95, 94, *(n / 10 for n in range(young, 0, -1)))):
            land(files, days_ago)
            if number % 20 == 1:
                landing.write_addresses(landing.read_addresses(), landing.through)
        tenant, stores = town(landing="90 days"), Stores.for_tenant(files, "town")
        apply_retention(tenant, stores, NOW)
        asked.clear()
        for later in (0, 1, 2, 3):
            apply_retention(tenant, stores, NOW + timedelta(days=later))
        read.append(Counter(asked))
    assert read[0] == read[1]
    assert read[0]["manifests"] <= 4 * 65


def test_landing_that_was_never_read_is_not_let_go(files: Files) -> None:
    bodies = [land(files, 300, read=False), land(files, 200, read=False)]
    assert not apply_retention(town(landing="90 days"), Stores.for_tenant(files, "town"), NOW)
    assert held(files, *bodies) == [True, True]


@pytest.mark.parametrize("operation", ["delete_all", "write"])
def test_a_crash_while_bodies_go_is_made_up_for(files: Files, operation: str) -> None:
    old, _ = land(files, 200), land(files, 10)
    crashing: Any = Crashing(files, operation)
    with pytest.raises(Crash):
        apply_retention(town(landing="90 days"), Stores.for_tenant(crashing, "town"), NOW)
    apply_retention(town(landing="90 days"), Stores.for_tenant(files, "town"), NOW)
    assert held(files, old) == [False]
    assert read_horizon(files, "town", "s").going == ()


def keep(files: Files, records: pl.DataFrame, *, ago: int = 0) -> None:
    """Records as they came so many days ago."""
    store = Stores.for_tenant(files, "town").records
    records = records.with_columns(
        pl.lit(NOW - timedelta(days=ago)).cast(pl.Datetime("us", "UTC")).alias("received_at")
    )
    store.append(store.find_changes(OBSERVATION, records))


def test_whole_days_go_from_records_and_quarantine_and_are_noted_for_publishing(
    files: Files, observations: Callable[..., pl.DataFrame]
) -> None:
    for day in (1, 2, 3):
        keep(files, observations((0, 1.0), day=day))
    stores = Stores.for_tenant(files, "town")
    rejected = pl.DataFrame(
        {
            "source": "s",
            "record_type": "observation",
            "raw": ["a", "b"],
            "day": [date(2026, 7, 1), date(2026, 7, 3)],
            **dict.fromkeys(SCHEMA.keys() - {"source", "record_type", "raw", "day"}, None),
        },
        schema=SCHEMA,
    )
    stores.quarantine.add("s", rejected)
    tenant = town(records="147 days")  # from 2 July on
    rehearsed = apply_retention(tenant, stores, NOW, dry_run=True)
    assert len(stores.records.list_days(OBSERVATION)) == 3
    assert not stores.journal.read_pending()
    assert apply_retention(tenant, stores, NOW) == rehearsed
    assert (rehearsed.days, rehearsed.record_files, rehearsed.rejected_rows) == ((date(2026, 7, 1),), 1, 1)
    assert stores.records.list_days(OBSERVATION) == [date(2026, 7, 2), date(2026, 7, 3)]
    assert stores.quarantine.read_rows()["raw"].to_list() == ["b"]
    assert stores.journal.read_pending().days == {date(2026, 7, 1)}


def test_what_went_does_not_come_back_with_an_old_payload_until_more_is_kept(
    files: Files, observations: Callable[..., pl.DataFrame]
) -> None:
    stores = Stores.for_tenant(files, "town")
    apply_retention(town(records="147 days"), stores, NOW)
    keep(files, observations((0, 1.0), day=1))
    keep(files, observations((0, 1.0), day=2))
    assert stores.records.list_days(OBSERVATION) == [date(2026, 7, 2)]
    apply_retention(town(), stores, NOW)
    keep(files, observations((0, 1.0), day=1))
    assert len(stores.records.list_days(OBSERVATION)) == 2


def test_a_crash_while_days_go_repeats_them(files: Files, observations: Callable[..., pl.DataFrame]) -> None:
    keep(files, observations((0, 1.0), day=1))
    crashing: Any = Crashing(files, "delete_all")
    with pytest.raises(Crash):
        apply_retention(town(records="147 days"), Stores.for_tenant(crashing, "town"), NOW)
    stores = Stores.for_tenant(files, "town")
    assert stores.journal.read_pending().days == {date(2026, 7, 1)}, "noted before anything goes"
    apply_retention(town(records="147 days"), stores, NOW)
    assert stores.records.list_days(OBSERVATION) == []


def test_days_of_records_that_were_put_aside_go_too(
    files: Files, observations: Callable[..., pl.DataFrame]
) -> None:
    keep(files, observations((0, 1.0), day=1))
    aside = archive_records(files, "town")
    apply_retention(town(records="147 days"), Stores.for_tenant(files, "town"), NOW)
    assert not files.list_keys(f"{aside}/records/observation/")


@pytest.mark.parametrize("crash", [None, "move_all", "write"])
def test_reading_landing_again_keeps_what_landing_no_longer_holds(
    files: Files, observations: Callable[..., pl.DataFrame], crash: str | None
) -> None:
    land(files, 200)
    keep(files, observations((0, 1.0), day=1), ago=200)
    land(files, 10)
    keep(files, observations((0, 2.0), (1, 5.0), day=1), ago=10)
    stores = Stores.for_tenant(files, "town")
    apply_retention(town(landing="90 days"), stores, NOW)
    if crash:
        crashing: Any = Crashing(files, crash)
        with pytest.raises(Crash):
            archive_records(crashing, "town")
    else:
        archive_records(files, "town")
    finish_archiving(files, "town")
    if crash == "write":  # nothing had happened yet
        archive_records(files, "town")
    rows = stores.records.read_rows(OBSERVATION, [date(2026, 7, 1)])
    assert rows.select("value", "revision").rows() == [(1.0, 1)], "what came from the body that is gone"
    progress = stores.journal.read_progress("s")
    assert progress.manifest == read_horizon(files, "town", "s").through
    assert [
        m.name > progress.manifest
        for m in SourceLanding(files, "town", "s").list_manifests(progress.manifest)
    ] == [True]
    assert not files.list_keys("aside/unfinished/")


def test_a_body_that_is_gone_is_an_error_that_says_so(files: Files) -> None:
    old, _ = land(files, 200), land(files, 10)
    apply_retention(town(landing="90 days"), Stores.for_tenant(files, "town"), NOW)
    with pytest.raises(StoreError, match="landing has lost"):
        SourceLanding(files, "town", "s").read_body(old)


def test_what_a_killed_process_was_writing_goes_and_what_is_being_written_stays(
    tmp_path: Path,
) -> None:
    files = LocalFiles(tmp_path)
    places = ("landing/town/s/bodies/ab/.ab.zst-1", "nights/town/.s1.json-2", "reports/town/.index.html-3")
    old, new = (
        [tmp_path / place for place in (*places, "reports/.index.html-4")],
        tmp_path / "records/town/.journal-2",
    )
    for file in (*old, new):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * 10)
        os.utime(file, (NOW.timestamp() - (7200 if file in old else 0),) * 2)
    assert apply_retention(town(), Stores.for_tenant(files, "town"), NOW, dry_run=True).unfinished == 4
    assert all(file.exists() for file in old)
    expired = apply_retention(town(), Stores.for_tenant(files, "town"), NOW)
    assert (expired.unfinished, expired.unfinished_bytes) == (4, 40)
    assert "4 unfinished files (40 bytes)" in str(expired)
    assert not any(file.exists() for file in old)
    assert new.exists()


def test_dropped_files_that_have_landed_go_as_bodies_do(files: Files) -> None:
    names = ["done/20260101T000000000000-old.csv", "done/20261125T000000000000-young.csv", "done/README"]
    for name in [*names, "20260101T000000000000-waits.csv"]:
        files.write(f"drop/town/s/{name}", b"x")
    stores, keep = Stores.for_tenant(files, "town"), town(landing="90 days")
    assert apply_retention(town(), stores, NOW).dropped == 0
    assert apply_retention(keep, stores, NOW, dry_run=True).dropped == 1
    assert "1 dropped files" in str(apply_retention(keep, stores, NOW))
    left = [key.removeprefix("drop/town/s/") for key in files.list_keys("drop/town/")]
    assert left == ["20260101T000000000000-waits.csv", *names[1:]]


def thing(files: Files, kind: str, days_ago: int, **values: str) -> None:
    """A record of a thing that was received so many days ago."""
    record_type = RECORD_TYPES[kind]
    given = {"source": "s", "payload": "p", "run_id": "r", **values}
    at = NOW - timedelta(days=days_ago)
    schema = {name: dtype for name, dtype in record_type.stored_schema.items() if name != "revision"}
    row = {name: [given.get(name)] for name in schema} | {"received_at": [at]}
    records = Stores.for_tenant(files, "town").records
    records.append(records.find_changes(record_type, pl.DataFrame(row, schema=schema)))


def test_a_station_goes_when_nothing_that_is_kept_refers_to_it(
    files: Files, observations: Callable[..., pl.DataFrame]
) -> None:
    stores, keep = Stores.for_tenant(files, "town"), town(records="90 days")
    for name, days_ago in (("gone", 200), ("measured", 200), ("young", 10), ("seen", 200)):
        thing(files, "station", days_ago, station_id=name)
        thing(files, "datastream", days_ago, datastream_id=f"{name}:t", station_id=name)
    day = (NOW - timedelta(days=20)).date()
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    rows = observations((1, 2.0)).with_columns(
        pl.lit("measured:t").alias("datastream_id"),
        pl.lit(at).alias("phenomenon_start"),
        pl.lit(day).alias("day"),
    )
    stores.records.append(stores.records.find_changes(OBSERVATION, rows))
    seen = {"source": "s", "payload": "p", "received_at": NOW}
    kinds = (("station", "seen"), ("datastream", "seen:t"))
    stores.seen.write("s", pl.DataFrame([{**seen, "record_type": k, "id": i} for k, i in kinds]))

    assert apply_retention(keep, stores, NOW, dry_run=True).things == 2
    assert apply_retention(keep, stores, NOW).things == 2
    kept = {k: [*stores.records.read_rows(RECORD_TYPES[k], [])[f"{k}_id"]] for k in ("station", "datastream")}
    assert kept == {
        "station": ["measured", "young", "seen"],
        "datastream": ["measured:t", "young:t", "seen:t"],
    }
    pending = stores.journal.read_pending()
    assert (pending.things, pending.forget) == (True, True)
    assert apply_retention(keep, stores, NOW).things == 0

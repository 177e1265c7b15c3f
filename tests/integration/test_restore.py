"""What is lost is made again from what is left: after `civitas restore`, tables say what they said before."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from civitas_assets.store.storage import make_storage
from testbed.objects import BUCKET, ObjectServer
from tests.integration.conftest import Civitas, CivitasIn, MakeCounts, Server, Workplace

TABLES = (
    "observation",
    "observation_revision",
    "observation_hourly",
    "parking_status",
    "station",
    "rejected_record",
)
FIRST, LATER = "2026-08-20T10:00:00Z", "2026-08-21T10:00:00Z"


def content(place: Any) -> dict[str, list[tuple[Any, ...]]]:
    """All that tables say, but for the run that made them."""
    chosen = "columns(c -> c <> 'run_id')"
    return {
        table: place.ask("kleinstadt", f"select {chosen} from {table} order by all")  # noqa: S608 - the test's own
        for table in TABLES
    }


@pytest.fixture
def nights(town: Server, counts: MakeCounts) -> Callable[[Any], None]:
    """Two nights, of which the second corrects, adds and spoils a row."""

    def pass_by(place: Any) -> None:
        assert place.run("kleinstadt").ok
        place.clock += timedelta(days=1)
        town.pages["/counter.csv"] = counts({FIRST: 6, LATER: 1, "2026-08-21T11:00:00Z": "many"})
        assert place.run("kleinstadt").ok

    return pass_by


def correct(place: Any, town: Server, counts: MakeCounts) -> list[tuple[Any, ...]]:
    """What one more night with another correction makes of the first value."""
    place.clock += timedelta(days=1)
    town.pages["/counter.csv"] = counts({FIRST: 9, LATER: 1})
    assert place.run("kleinstadt").ok
    found: list[tuple[Any, ...]] = place.ask(
        "kleinstadt",
        "select value::int, revision from observation where phenomenon_start_at = '2026-08-20T10:00:00Z'",
    )
    return found


def test_from_landing_alone_records_and_tables_are_made_again(
    kleinstadt: Workplace, civitas: Civitas, nights: Callable[[Any], None], town: Server, counts: MakeCounts
) -> None:
    nights(kleinstadt)
    before, home = content(kleinstadt), kleinstadt.settings.home
    for part in ("records", "quarantine", "published", "reports", "nights", "retention"):
        shutil.rmtree(home / part, ignore_errors=True)
    called = civitas("restore")
    assert called.exit_code == 0, called.output
    assert "2 source(s) have landed and there are no records: all of landing is read again" in called.output
    assert content(kleinstadt) == before
    assert correct(kleinstadt, town, counts) == [(9, 3)]


def test_from_records_alone_tables_are_made_and_fetching_goes_on(
    kleinstadt: Workplace, civitas: Civitas, nights: Callable[[Any], None], town: Server, counts: MakeCounts
) -> None:
    town.pages["/parking.json"] = b"{"  # which landing keeps to be tried again
    with pytest.raises(AssertionError):
        nights(kleinstadt)
    town.pages["/counter.csv"] = counts({FIRST: 6, LATER: 1})
    kleinstadt.run("kleinstadt")
    before, home = content(kleinstadt), kleinstadt.settings.home
    for part in ("landing", "published"):
        shutil.rmtree(home / part)
    called = civitas("restore", "kleinstadt")
    assert "the tables are made of them; landing is gone" in called.output
    assert "landing has lost" in called.output, "what was to be tried again cannot be"
    assert content(kleinstadt) == before
    town.pages["/parking.json"] = (
        b'[{"id": "P1", "free": 3, "total": 10, "x": 9.1, "y": 50.1, "at": "2026-08-20T12:00"}]'
    )
    assert correct(kleinstadt, town, counts) == [(9, 3)]
    assert len(content(kleinstadt)["parking_status"]) == 1


def test_where_there_is_nothing_it_says_so(kleinstadt: Workplace, civitas: Civitas) -> None:
    called = civitas("restore")
    assert called.exit_code == 0
    assert "kleinstadt: there is neither landing nor records: fetch again with `civitas run`" in called.output


class TestPostgres:
    @pytest.fixture
    def destination(self) -> str:
        return "postgres"

    @pytest.mark.skipif(shutil.which("pg_dump") is None, reason="pg_dump is not installed")
    def test_a_dump_that_is_older_than_the_records_is_brought_up_to_them(
        self,
        kleinstadt: Workplace,
        civitas: Civitas,
        nights: Callable[[Any], None],
        town: Server,
        counts: MakeCounts,
    ) -> None:
        assert kleinstadt.run("kleinstadt").ok
        url, dump = kleinstadt.postgres_url, kleinstadt.folder / "dump"
        subprocess.run(["pg_dump", "--format=custom", f"--file={dump}", url], check=True)
        nights(kleinstadt)
        before = content(kleinstadt)
        with psycopg.connect(url, autocommit=True) as connection:  # as in a database that is new
            for name in ("kleinstadt", "kleinstadt:rebuild"):
                connection.execute(SQL("drop schema if exists {} cascade").format(Identifier(name)))
        subprocess.run(["pg_restore", f"--dbname={url}", str(dump)], check=True)
        assert content(kleinstadt) != before
        called = civitas("restore")
        assert called.exit_code == 0, called.output
        assert content(kleinstadt) == before
        assert correct(kleinstadt, town, counts) == [(9, 3)]


def test_versions_of_objects_that_were_deleted_come_back(  # noqa: PLR0917 - fixtures
    kleinstadt: Workplace,
    command_in: CivitasIn,
    storage_url: str,
    object_store: ObjectServer,
    nights: Callable[[Any], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    boto3 = pytest.importorskip("boto3")
    monkeypatch.setenv("CIVITAS_STORAGE_URL", storage_url)
    given = object_store.environment
    client = boto3.client(
        "s3",
        endpoint_url=given["AWS_ENDPOINT_URL"],
        region_name=given["AWS_REGION"],
        aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
    )
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    try:
        nights(kleinstadt)
        before, files = content(kleinstadt), make_storage(kleinstadt.settings).files
        for part in ("landing", "records", "quarantine"):
            files.clear(f"{part}/kleinstadt/")
        shutil.rmtree(kleinstadt.settings.published)
        prefix = storage_url.removeprefix(f"s3://{BUCKET}/")
        deleted = client.list_object_versions(Bucket=BUCKET, Prefix=prefix)["DeleteMarkers"]
        for mark in (mark for mark in deleted if mark["IsLatest"]):
            client.delete_object(Bucket=BUCKET, Key=mark["Key"], VersionId=mark["VersionId"])
        called = command_in(kleinstadt)("restore")
        assert called.exit_code == 0, called.output
        assert content(kleinstadt) == before
    finally:
        client.close()
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})

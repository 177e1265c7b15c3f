"""A town's life from the command line: it is shown, rests, is handed over, keeps days for a time, and goes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import psycopg
import pytest
import yaml

from civitas_assets.defs.retention_job import apply_retention_to
from civitas_assets.pipeline.runner import Order
from civitas_assets.store.storage import make_storage
from tests.integration.conftest import CivitasIn, MakeCounts, Server, Workplace

SHARE = "share: [parking_status]\n"


@pytest.fixture
def published(kleinstadt: Workplace) -> Any:
    """The small town with everything that a night leaves, recorded in the instance that the command uses."""
    file = kleinstadt.settings.tenants_dir / "kleinstadt.yaml"
    file.write_text(file.read_text(encoding="utf-8") + SHARE, encoding="utf-8")
    return kleinstadt


@pytest.mark.parametrize(("destination", "storage"), [("duckdb", "folder"), ("postgres", "objects")])
def test_a_town_is_added_shown_archived_handed_over_and_removed(
    published: Any,
    command_in: CivitasIn,
    destination: str,
    stored: Callable[[], Mapping[str, bytes]],
    tmp_path: Path,
) -> None:
    civitas = command_in(published)
    box = ("--name", "Neustadt", "--ags", "99000097", "--bbox", "9,50,9.2,50.2")
    assert civitas("tenant", "add", "neustadt", *box).exit_code == 0
    assert "there is such a tenant already" in civitas("tenant", "add", "neustadt", *box).output
    assert civitas("run").exit_code == 0

    listed = civitas("tenant", "list").stdout
    assert "Neustadt" in listed
    assert "1 tables" in listed
    shown = civitas("tenant", "show", "kleinstadt").stdout
    assert "days recorded        1, from 2026-08-20 to 2026-08-20" in shown
    assert "shares parking_status yes" in shown
    assert "bicycle_counters" in shown

    assert civitas("tenant", "archive", "neustadt").exit_code == 0
    refused = civitas("run", "--tenant", "neustadt")
    assert refused.exit_code == 1
    assert "neustadt is archived; to go on with it: civitas tenant archive neustadt --undo" in refused.output
    assert civitas("query", "neustadt", "select count(*) from observation").exit_code == 0
    assert civitas("tenant", "archive", "neustadt", "--undo").exit_code == 0

    handed = tmp_path / "handed"
    assert civitas("tenant", "export", "kleinstadt", str(handed), "--landing").exit_code == 0
    assert "is there already" in civitas("tenant", "export", "kleinstadt", str(handed)).output
    _check_handover(handed)

    with make_storage(published.settings).hold("kleinstadt"):
        busy = civitas("tenant", "remove", "kleinstadt", "--yes", "kleinstadt")
    assert busy.exit_code == 1
    assert "another run is working" in busy.output
    assert civitas("tenant", "remove", "kleinstadt", "--yes", "neustadt").exit_code == 1
    assert published.ask("kleinstadt", "select count(*) from observation") == [(2,)]
    assert civitas("tenant", "remove", "kleinstadt", "--yes", "kleinstadt").exit_code == 0
    _check_nothing_is_left(published, destination, stored())
    if published.postgres_url:
        _check_nothing_is_left_in_the_database(published.postgres_url)


def _check_handover(handed: Path) -> None:
    names = {path.relative_to(handed).as_posix() for path in handed.rglob("*") if path.is_file()}
    lines = (handed / "checksums.sha256").read_text(encoding="utf-8").splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert sums.keys() == names - {"checksums.sha256"}
    assert all(
        hashlib.sha256((handed / name).read_bytes()).hexdigest() == digest for name, digest in sums.items()
    )
    assert pl.read_parquet(handed / "models" / "observation.parquet")["value"].sum() == 12
    assert pl.read_parquet(handed / "records" / "observation" / "2026-08-20.parquet").height == 2
    assert {name.split("/")[0] for name in names} >= {"models", "contracts", "records", "landing"}
    assert not [name for name in names if "journal" in name]
    assert (
        json.loads((handed / "contracts" / "observation.schema.json").read_text())["title"] == "observation"
    )
    assert yaml.safe_load((handed / "tenant.yaml").read_text(encoding="utf-8"))["name"] == "Kleinstadt"
    datasets = json.loads((handed / "catalogue.json").read_text(encoding="utf-8"))["dcat:dataset"]
    by_name = {dataset["dct:identifier"]: dataset for dataset in datasets}
    assert by_name["source/parking"]["dct:license"]["@id"].startswith(
        "https://creativecommons.org/publicdomain/zero"
    )
    assert by_name["observation"]["dcat:distribution"][0]["rows"] == 2


def _check_nothing_is_left_in_the_database(url: str) -> None:
    with psycopg.connect(url) as connection:
        schemas, roles, shared = (
            {name for (name,) in connection.execute(query)}
            for query in (
                "select nspname from pg_namespace",
                "select rolname from pg_roles",
                "select definition from pg_views where schemaname = 'commons'",
            )
        )
    assert not [text for text in {*schemas, *roles, *shared} if "kleinstadt" in text]


def _check_nothing_is_left(published: Any, destination: str, stored: Mapping[str, bytes]) -> None:
    home = published.settings.home
    mentioning = {
        path.relative_to(published.folder).parts[:2]
        for path in [*home.rglob("*"), *(published.folder / "dagster-home").rglob("*")]
        if path.is_file() and not path.is_symlink() and b"kleinstadt" in path.read_bytes()
    }
    proofs = {("home", "removed"), ("home", "audit")}  # that it was removed, and by whom
    assert mentioning <= proofs
    assert not [path for path in home.rglob("*kleinstadt*") if "removed" not in path.parts]
    telling = {key for key, body in stored.items() if "kleinstadt" in key or b"kleinstadt" in body}
    assert {key.split("/")[0] for key in telling} <= {"removed", "audit"}
    (report,) = (body for key, body in stored.items() if key.startswith("removed/"))
    parts = json.loads(report)["parts"]
    assert parts["commons"]["rows"] == 1
    assert parts["history"]["rows"] > 0
    with dg.DagsterInstance.from_config(str(published.folder / "dagster-home")) as instance:
        assert {run.tags["dagster/partition"] for run in instance.get_runs()} == {"neustadt"}
        key = dg.AssetKey(["published", destination])
        records = instance.fetch_materializations(key, limit=10).records
        # The other town is published as a file, whatever the first one is.
        left = ["neustadt"] if destination == "duckdb" else []
        assert [record.partition_key for record in records] == left


def test_a_town_is_taken_over_equal_by_checksum_with_its_horizon(  # noqa: PLR0917 - fixtures
    published: Any,
    town: Server,
    counts: MakeCounts,
    command_in: CivitasIn,
    new_workplace: Callable[[], Workplace],
    tmp_path: Path,
) -> None:
    town.pages["/counter.csv"] = counts({"2026-08-01T10:00:00Z": 1, "2026-08-20T10:00:00Z": 5})
    file = published.settings.tenants_dir / "kleinstadt.yaml"
    text = file.read_text(encoding="utf-8") + "retention: {records: 1 week, landing: 1 week}\n"
    file.write_text(text, encoding="utf-8")
    deployment = published.deployment
    assert published.run("kleinstadt").ok
    [*apply_retention_to(deployment, deployment.catalog.tenants.values())]
    assert published.run("kleinstadt").ok
    first, second, other = tmp_path / "first", tmp_path / "second", new_workplace()
    assert command_in(published)("tenant", "export", "kleinstadt", str(first), "--landing").exit_code == 0

    civitas = command_in(other)
    (first / "records" / "more.txt").write_text("x", encoding="utf-8")
    assert "records/more.txt is not in the checksums" in civitas("tenant", "import", str(first)).output
    (first / "records" / "more.txt").unlink()
    assert not [*other.settings.home.glob("records")], "nothing of a folder that is not whole"
    taken = civitas("tenant", "import", str(first))
    assert taken.exit_code == 0, taken.output
    assert "equal by their checksums" in taken.stdout
    assert "there is something of kleinstadt already" in civitas("tenant", "import", str(first)).output
    assert civitas("rebuild", "kleinstadt").exit_code == 0
    # The publisher still has the old day, of which the horizon knows.
    assert civitas("run").exit_code == 0
    assert other.ask("kleinstadt", "select day::varchar, value from observation") == [("2026-08-20", 5.0)]
    assert civitas("tenant", "export", "kleinstadt", str(second), "--landing").exit_code == 0

    def rows(folder: Path, model: str) -> list[dict[str, Any]]:
        table = pl.read_parquet(folder / "models" / f"{model}.parquet")
        return table.drop("last_seen_at", strict=False).rows(named=True)

    for model in ("observation", "parking_status", "parking_site", "datastream", "observation_daily"):
        assert rows(first, model) == rows(second, model), model
    for part in ("records/observation", "retention"):
        names = sorted(p.relative_to(first).as_posix() for p in (first / part).rglob("*") if p.is_file())
        assert names
        assert all((first / name).read_bytes() == (second / name).read_bytes() for name in names)


def test_days_go_by_retention_and_the_next_run_publishes_it_so(
    published: Any, town: Server, counts: MakeCounts
) -> None:
    town.pages["/counter.csv"] = counts({"2026-08-01T10:00:00Z": 1, "2026-08-20T10:00:00Z": 5})
    assert published.run("kleinstadt").ok
    file = published.settings.tenants_dir / "kleinstadt.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "retention: {records: 1 week}\n", encoding="utf-8")
    published.clock = datetime(2026, 8, 22, 5, 11, tzinfo=UTC)
    deployment = published.deployment

    ((slug, expired, fault),) = apply_retention_to(deployment, deployment.catalog.tenants.values())
    assert (slug, fault) == ("kleinstadt", "")
    assert [str(day) for day in expired.days] == ["2026-08-01"]
    assert published.ask("kleinstadt", "select count(*) from observation") == [(2,)], "until it is published"
    assert published.run("kleinstadt").ok
    assert published.ask("kleinstadt", "select distinct day::varchar from observation") == [("2026-08-20",)]
    # The publisher still has the old day; a rebuild from the records does not bring it back either.
    town.pages["/counter.csv"] = counts({"2026-08-01T10:00:00Z": 2, "2026-08-20T10:00:00Z": 6})
    assert published.run("kleinstadt").ok
    assert published.run("kleinstadt", Order(fetch=False, rebuild=True)).ok
    assert published.ask("kleinstadt", "select day::varchar, value from observation") == [("2026-08-20", 6.0)]

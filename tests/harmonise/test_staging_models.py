"""What the dbt project says of record types follows from their contracts, and is what the repository has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import yaml

from civitas_assets.harmonise.staging_models import derive_staging
from civitas_assets.records import RECORD_TYPES, Column, ColumnKind, RecordType
from civitas_assets.settings import PROJECT_DIR

BENCH = RecordType(
    name="park_bench",
    description="A bench.",
    columns=(
        Column("bench_id", ColumnKind.TEXT, "Native id.", required=True),
        Column("colour", ColumnKind.TEXT, 'Colour: "as painted".'),
        Column("lon", ColumnKind.NUMBER, "Longitude."),
        Column("lat", ColumnKind.NUMBER, "Latitude."),
    ),
    key=("bench_id",),
    position=("lon", "lat"),
    has_versions=True,
    described_events={"bench_seat": "bench_id"},
)
SEAT = RecordType(
    name="bench_seat",
    description="Who sits there.",
    columns=(
        Column("bench_id", ColumnKind.TEXT, "Native id.", required=True),
        Column("sat_at", ColumnKind.TIME, "When.", required=True, staged_as="seen_at"),
        Column("value", ColumnKind.INTEGER, "How many."),
    ),
    key=("bench_id", "sat_at"),
    event_time="sat_at",
    measures=("value",),
    grain=("bench", "time"),
)


def derive(*kinds: RecordType) -> dict[str, str]:
    texts = derive_staging(Path("unused"), {kind.name: kind for kind in kinds}).texts
    return {Path(name).name: text for name, text in texts.items()}


def test_the_repository_has_what_follows_from_the_record_types() -> None:
    staging = derive_staging(PROJECT_DIR / "dbt_project")
    assert staging.list_outdated() == (), "run `make models`"
    assert len(staging.texts) == len(RECORD_TYPES) + 3


def test_of_a_thing_with_versions_every_revision_is_staged_and_says_whether_it_is_gone() -> None:
    made = derive(BENCH)
    assert "coalesce(deleted, false) as is_deleted" in made["stg_park_bench.sql"]
    assert "current_revision" not in made["stg_park_bench.sql"]
    (model,) = yaml.safe_load(made["models.yml"])["models"]
    assert model["description"] == "One row per source, park bench and revision."
    (test,) = model["data_tests"]
    assert test["unique_combination"]["arguments"] == {"columns": ["source", "bench_id", "revision"]}
    columns = {column["name"]: column["description"] for column in model["columns"]}
    assert columns["colour"] == 'Colour: "as painted".'
    assert {"day", "payload"}.isdisjoint(columns)


def test_of_an_event_the_current_revision_is_staged_under_the_names_of_models() -> None:
    made = derive(BENCH, SEAT)
    sql = made["stg_bench_seat.sql"]
    assert "current_revision('source', ['source', 'bench_id', 'sat_at'])" in sql
    assert "        sat_at as seen_at,\n" in sql
    model = yaml.safe_load(made["models.yml"])["models"][1]
    assert model["description"] == "One row per source, bench and time: its current revision."
    assert model["data_tests"][0]["unique_combination"]["arguments"]["columns"] == [
        "source",
        "bench_id",
        "seen_at",
    ]
    assert {"day", "payload"} <= {column["name"] for column in model["columns"]}


def test_only_events_of_things_that_are_not_planned_have_a_freshness() -> None:
    (source,) = yaml.safe_load(derive(BENCH, SEAT)["sources.yml"])["sources"]
    bench, seat = source["tables"]
    assert bench["config"] == {"freshness": None}
    assert "config" not in seat
    assert [column["name"] for column in seat["columns"]][:3] == ["bench_id", "sat_at", "value"]
    (alone,) = yaml.safe_load(derive(SEAT)["sources.yml"])["sources"][0]["tables"]
    assert alone["config"] == {"freshness": None}
    (planned,) = yaml.safe_load(derive(BENCH, replace(SEAT, is_planned=True))["sources.yml"])["sources"]
    assert [table["config"] for table in planned["tables"]] == [{"freshness": None}] * 2


def test_what_is_told_of_things_is_neither_key_nor_position() -> None:
    macro = derive(BENCH, SEAT)["told_columns.sql"]
    assert "'park_bench': [\n        'colour'\n    ],\n" in macro
    assert "bench_seat" not in macro


def test_a_staging_model_whose_record_type_is_gone_goes_too(tmp_path: Path) -> None:
    derive_staging(tmp_path, {"park_bench": BENCH, "bench_seat": SEAT}).renew()
    assert derive_staging(tmp_path, {"park_bench": BENCH, "bench_seat": SEAT}).list_outdated() == ()
    left = derive_staging(tmp_path, {"park_bench": BENCH})
    assert "models/staging/records/stg_bench_seat.sql" in left.renew()
    assert not (tmp_path / "models/staging/records/stg_bench_seat.sql").exists()

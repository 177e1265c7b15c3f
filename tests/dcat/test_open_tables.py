"""Only what a tenant shares and whose rows are all under open licences is announced."""

from __future__ import annotations

from datetime import date

import pytest

from civitas_assets.dcat.model_labels import BOOKKEEPING, MODEL_LABELS
from civitas_assets.dcat.open_tables import OpenTables, read_open_tables
from civitas_assets.ingest.catalogue import load_catalogue
from civitas_assets.settings import PROJECT_DIR
from tests.dcat.conftest import OpenTown


def _read(town: OpenTown) -> OpenTables:
    return read_open_tables(town.settings, load_catalogue(town.settings).get_tenant("town"))


def test_tables_are_announced_with_days_licences_and_whom_to_name(town: OpenTown) -> None:
    air, event, station = _read(town).tables
    assert (air.model, air.first, air.last) == ("air_quality_observed", date(2026, 11, 1), date(2026, 11, 2))
    assert (air.licences, air.attributions, air.cadences) == (
        ("dl-de/by-2-0",),
        ("Umweltbundesamt",),
        {"nightly"},
    )
    assert air.has_position is True  # that of its station
    assert (event.first, event.last) == (date(2026, 7, 1), None)
    assert station.licences == ("dl-de/by-2-0", "dl-de/zero-2-0")
    assert station.cadences == {"nightly", "every_15_minutes"}
    assert (station.has_position, station.first) == (True, None)
    assert station.contract is not None
    assert all("Changed" in notice for notice in station.notices)


def test_what_is_not_open_is_left_out_with_the_reason(town: OpenTown) -> None:
    assert _read(town).left_out == {
        "parking_status": "it has rows of agreed, whose licence is not open",
        "rejected_record": "it says how data came about, and is no data itself",
        "water_observed": "it is not published",
    }


def test_a_model_of_a_deployments_own_is_no_bookkeeping(town: OpenTown) -> None:
    text = (town.settings.tenants_dir / "town.yaml").read_text(encoding="utf-8")
    town.say(text.replace("station, event, ", "station, event, bench_count, "))
    assert _read(town).left_out["bench_count"] == "nobody has said what it is called in a catalogue"


def test_what_is_not_shared_or_has_no_rows_for_others_is_not_announced(town: OpenTown) -> None:
    text = (town.settings.tenants_dir / "town.yaml").read_text(encoding="utf-8")
    town.say(text.replace("station, event, ", ""))
    assert [table.model for table in _read(town).tables] == ["air_quality_observed"]
    town.say(text.replace(", shareable: true", ""))
    assert _read(town).left_out["parking_status"] == "it has no rows that may be given to others"


def test_a_licence_that_the_file_takes_back_counts_before_anything_is_published_anew(town: OpenTown) -> None:
    text = (town.settings.tenants_dir / "town.yaml").read_text(encoding="utf-8")
    town.say(text.replace("uba, ", "uba, licence: proprietary, shareable: true, "))
    found = _read(town)
    assert found.tables == ()
    assert "rows of air, whose licence is not open" in found.left_out["air_quality_observed"]


def test_a_source_that_the_file_names_no_more_closes_its_table(town: OpenTown) -> None:
    town.put("event", {"source": "gone"})
    assert _read(town).left_out["event"] == "it has rows of gone, whose licence is not open"


def test_withheld_columns_tell_nothing(town: OpenTown) -> None:
    text = (town.settings.tenants_dir / "town.yaml").read_text(encoding="utf-8")
    withheld = "{table: station, withhold: [lon, lat]}, {table: event, withhold: [start_at, received_at]}, "
    town.say(text.replace("station, event, ", withheld))
    _, event, station = _read(town).tables
    assert (event.first, event.changed_at) == (None, None)
    assert station.has_position is False


def test_every_shared_model_has_a_title_or_is_bookkeeping() -> None:
    shared = (PROJECT_DIR / "dbt_project" / "models" / "shared").rglob("*.sql")
    models = {path.stem for path in shared}
    assert models == MODEL_LABELS.keys() | BOOKKEEPING
    assert not MODEL_LABELS.keys() & BOOKKEEPING
    texts = [text for label in MODEL_LABELS.values() for text in (label.title_de, label.title_en)]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("model", MODEL_LABELS)
def test_labels_are_whole(model: str) -> None:
    label = MODEL_LABELS[model]
    assert label.title_de
    assert label.title_en
    assert label.description_de.endswith(".")
    assert label.themes

"""Dagster reads of an event what it would have written itself, but for what others say as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dagster as dg
import pytest
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import sql_event_log
from dagster._serdes import deserialize_value, serialize_value

from civitas_assets.defs import event_text
from civitas_assets.defs.event_text import format_event

KEY = dg.AssetKey("table")
OF_ASSETS = {"ASSET_MATERIALIZATION", "ASSET_OBSERVATION", "ASSET_CHECK_EVALUATION"}


@dg.op(out=dg.Out(dg.Nothing))
def work(context) -> Any:  # type: ignore[no-untyped-def] # Dagster reads annotations
    metadata = {
        "rows": 3,
        "none": 0,
        "said": "",
        "share": 0.5,
        "more": dg.MetadataValue.json({"a": None, "b": []}),
    }
    yield dg.AssetMaterialization(KEY, metadata=metadata, partition="x", tags={"dagster/data_version": "1"})
    yield dg.AssetObservation(KEY, metadata=metadata, description="as before")
    yield dg.AssetCheckEvaluation(asset_key=KEY, check_name="is_fine", passed=False, metadata=metadata)
    context.log.warning("half way")
    raise dg.Failure("broken", metadata=metadata)


@dg.job(executor_def=dg.in_process_executor)
def job() -> None:
    work()


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> Sequence[EventLogEntry]:
    """All that a run says of itself and of an asset until it fails, as Dagster itself keeps it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sql_event_log, "serialize_value", serialize_value)
        with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster"))) as instance:
            quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
            run = job.execute_in_process(instance=instance, raise_on_error=False, run_config=quiet)
            return instance.all_logs(run.run_id)


def test_an_event_is_written_once_for_all_who_ask(
    entries: Sequence[EventLogEntry], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[object]()

    def count(value: object) -> str:
        asked.append(value)
        return serialize_value(value)

    monkeypatch.setattr(event_text, "serialize_value", count)
    one, other = entries[-2:]
    assert format_event(one) == format_event(one) != format_event(other)
    assert format_event(one) == format_event(one._replace())
    assert [id(value) for value in asked[:3]] == [id(one), id(other), id(one)]
    assert len(asked) == 4, "an equal one is another one"


def test_it_is_shorter_and_the_same(entries: Sequence[EventLogEntry]) -> None:
    found = set[str]()
    for entry in entries:
        text = format_event(entry)
        lean = deserialize_value(text, EventLogEntry)
        said, before = lean.dagster_event, entry.dagster_event
        assert len(text) < len(serialize_value(entry))
        if said is None or before is None or said.event_type_value not in OF_ASSETS:
            assert lean == entry
            continue
        found.add(said.event_type_value)
        assert said.event_specific_data == before.event_specific_data
        assert (said.event_type, said.job_name, said.step_key) == (
            before.event_type,
            before.job_name,
            before.step_key,
        )
        for name in ("run_id", "step_key", "timestamp", "level", "error_info"):
            assert getattr(lean, name) == getattr(entry, name)
    assert found == OF_ASSETS

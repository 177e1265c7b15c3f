"""Events of a tenant are written together, and what a check is about is found as Dagster finds it."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from civitas_assets.defs.event_writing import EventWriter, find_target, find_targets
from civitas_assets.defs.local_history import OpenEventLog
from testbed.history import history

ASSETS = [dg.AssetKey(["landing", "csv"]), dg.AssetKey(["records", "place"])]


@dg.job
def job() -> None:
    pass


def write(instance: dg.DagsterInstance, tenant: str, at: float | None = None) -> str:
    run = instance.create_run_for_job(job)
    events = [dg.AssetMaterialization(asset, partition=tenant) for asset in ASSETS]
    check = dg.AssetCheckEvaluation(asset_key=ASSETS[0], check_name="whole", passed=True, partition=tenant)
    seen = dg.AssetObservation(ASSETS[1], partition=tenant)
    EventWriter(instance, run.run_id, "job", "step").write([*events, check, seen], at)
    return run.run_id


def test_all_that_is_written_is_in_the_history_in_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with history(tmp_path) as kept:
        sizes = list[int]()
        store = OpenEventLog.store_event_batch

        def count(log: OpenEventLog, events: list[object]) -> None:
            sizes.append(len(events))
            store(log, events)  # type: ignore[arg-type]

        monkeypatch.setattr(OpenEventLog, "store_event_batch", count)
        run = write(kept.instance, "ost", at=1_785_000_000.5)
        assert sizes == [4]
        told = kept.instance.all_logs(run)
        assert [entry.get_dagster_event().event_type.name for entry in told] == [
            "ASSET_MATERIALIZATION", "ASSET_MATERIALIZATION", "ASSET_CHECK_EVALUATION", "ASSET_OBSERVATION",
        ]  # fmt: skip
        assert {(entry.timestamp, entry.step_key) for entry in told} == {(1_785_000_000.5, "step")}
        (info,) = kept.instance.event_log_storage.get_asset_check_partition_info(
            [dg.AssetCheckKey(ASSETS[0], "whole")]
        )
        assert info.partition_key == "ost"


def test_the_latest_of_each_asset_is_found_for_its_tenant_alone(tmp_path: Path) -> None:
    with history(tmp_path) as kept:
        write(kept.instance, "ost")
        last = write(kept.instance, "ost")
        write(kept.instance, "west")
        unknown = dg.AssetKey(["landing", "json"])
        found = find_targets(kept.instance, [*ASSETS, unknown], "ost")
        assert found[unknown] is None
        for asset in ASSETS:
            one, alone = found[asset], find_target(kept.instance, asset, "ost")
            assert one is not None
            assert alone is not None
            assert (one.run_id, one.storage_id) == (last, alone.storage_id)
            assert one.timestamp == pytest.approx(alone.timestamp, abs=1e-5)
        assert find_targets(kept.instance, [], "ost") == {}


def test_what_was_wiped_in_the_ui_is_not_found(tmp_path: Path) -> None:
    with history(tmp_path) as kept:
        write(kept.instance, "ost")
        kept.instance.wipe_assets([ASSETS[0]])
        found = find_targets(kept.instance, ASSETS, "ost")
        assert found[ASSETS[0]] is None
        assert found[ASSETS[1]] is not None
        again = write(kept.instance, "ost")
        assert {one.run_id for one in find_targets(kept.instance, ASSETS, "ost").values() if one} == {again}

"""What comes when all else is done is an asset where a tenant has it, and leaves an account of how it went."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import pytest

from civitas_assets.defs import late_assets
from civitas_assets.defs.asset_keys import OPEN_DATA_KEY, SINKS_KEY
from civitas_assets.defs.late_assets import build_late_assets
from civitas_assets.defs.messages import list_run_faults
from civitas_assets.defs.night import read_night
from civitas_assets.defs.scope import build_checked_scope
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.results import Materialised, Result
from civitas_assets.pipeline.work import Work
from civitas_assets.store.nights import StepFailure
from civitas_assets.store.step_reports import StepReports
from tests.defs.conftest import Deploy

SINKS = "sinks:\n  frost: {kind: sensorthings, url: 'https://frost.example/v1.1'}\n"
FOLDER = """open_data:
  publisher: {name: Stadt}
  contact: {name: Amt, email: amt@stadt.example}
  landing_page: https://stadt.example/daten
  folder: {}
"""


def keys_of(deployment: Deployment) -> set[dg.AssetKey]:
    assets = build_late_assets(deployment).assets or ()
    return {key for asset in assets if isinstance(asset, dg.AssetsDefinition) for key in asset.keys}


def test_there_is_an_asset_for_what_a_tenant_has(deployed: Deploy, town: Callable[..., str]) -> None:
    assert keys_of(deployed(stadt=town(1))) == set()
    assert keys_of(deployed(stadt=town(1) + SINKS)) == {SINKS_KEY}
    assert keys_of(deployed(stadt=town(1) + FOLDER)) == {OPEN_DATA_KEY}


def _materialise(deployment: Deployment, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    """What became of the late assets of the town."""
    late: Any = build_late_assets(deployment).assets
    return dg.materialize(
        late,
        instance=instance,
        partition_key="stadt",
        raise_on_error=False,
        resources={"scope": build_checked_scope(deployment)},
    )


def test_a_step_that_ends_by_what_nobody_foresaw_leaves_that_for_page_and_message(
    deployed: Deploy, town: Callable[..., str], instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(work: Work) -> Iterator[Result]:
        raise KeyError(work.tenant.slug)
        yield

    steps = [step._replace(take=broken) for step in late_assets._STEPS]
    monkeypatch.setattr(late_assets, "_STEPS", steps)
    deployment = deployed(stadt=town(1) + SINKS)
    result = _materialise(deployment, instance)
    assert not result.success
    night = read_night(instance, deployment.files, "stadt", result.run_id, deployment.now())
    assert night is not None
    assert night.failures == (StepFailure("sinks", "unforeseen KeyError; the log of the run has more"),)
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    faults = list_run_faults(deployment.files, deployment.catalog, instance, run)
    assert faults == {"stadt": ["sinks: unforeseen KeyError: 'stadt'"]}


def test_a_step_that_fails_when_it_has_said_all_is_no_good_one(
    deployed: Deploy, town: Callable[..., str], instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where Dagster cannot take what it says: then Dagster alone knows."""

    def say_what_nobody_asked_for(work: Work) -> Iterator[Result]:
        yield Materialised(f"landing/{work.tenant.slug}")

    steps = [step._replace(take=say_what_nobody_asked_for) for step in late_assets._STEPS]
    monkeypatch.setattr(late_assets, "_STEPS", steps)
    deployment = deployed(stadt=town(1) + SINKS)
    result = _materialise(deployment, instance)
    assert not result.success
    gc.collect()  # as a step is asked for no more, it comes to its end when nobody holds it
    assert StepReports(deployment.files, "stadt").read(result.run_id)
    night = read_night(instance, deployment.files, "stadt", result.run_id, deployment.now())
    assert night is not None
    ((name, said),) = [(failure.name, failure.message) for failure in night.failures]
    assert name == "sinks"
    assert said.startswith("unforeseen Dagster")

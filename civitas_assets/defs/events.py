"""What steps say, as events of a tenant's partition, for runs that are not of one partition's assets.

Dagster would say it itself of assets that a run was planned to make. Events cost more than the work of a quiet night:
a landing to which nothing came is observed, and a check that passes as before is not said again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from civitas_assets.defs.asset_checks import DagsterResult
from civitas_assets.defs.asset_keys import HEALTH_KEY
from civitas_assets.defs.clearing import Left, list_failed_runs
from civitas_assets.defs.dagster_internals import (
    AssetCheckEvaluationTargetMaterializationData,
    AssetCheckExecutionRecordStatus,
)
from civitas_assets.defs.event_text import write_lean_events
from civitas_assets.defs.event_writing import AssetEvent, find_target, find_targets
from civitas_assets.defs.shown_numbers import show_numbers
from civitas_assets.pipeline.outcomes import PAGE_MADE, WELL

write_lean_events()  # in every process in which assets are made, wherever its events are kept

_OF_EACH_TABLE = {"days", "seconds", "tested"}


class CheckStanding:
    """Which checks of these tenants passed when they were last recorded; each is looked up once for all tenants."""

    def __init__(self, instance: dg.DagsterInstance, tenants: Sequence[str]) -> None:
        self._storage, self._tenants = instance.event_log_storage, tenants
        self._found: dict[dg.AssetCheckKey, Mapping[str | None, AssetCheckExecutionRecordStatus]] = {}
        self._failed_runs = list_failed_runs(instance, tenants)
        self._instance = instance

    def left_of(self, tenant: str) -> Left:
        """What runs that failed have left red of the tenant."""
        return Left(self._instance, tenant, self._failed_runs.get(tenant, ()))

    def passes(self, check: dg.AssetCheckKey, tenant: str) -> bool:
        """Whether the tenant's check passed; one that was never recorded did not."""
        if check not in self._found:
            infos = self._storage.get_asset_check_partition_info([check], partition_keys=self._tenants)
            self._found[check] = {info.partition_key: info.latest_execution_status for info in infos}
        return self._found[check].get(tenant) is AssetCheckExecutionRecordStatus.SUCCEEDED


class EventRecorder:
    """Turns what steps say of a tenant into events; a check is about the latest materialisation of its asset."""

    def __init__(
        self, tenant: str, instance: dg.DagsterInstance, standing: CheckStanding | None = None
    ) -> None:
        self._tenant, self._instance = tenant, instance
        self._standing = standing or CheckStanding(instance, [tenant])
        self._latest: dict[dg.AssetKey, AssetCheckEvaluationTargetMaterializationData | None] = {}
        self._made: set[dg.AssetKey] = set()
        self._left = self._standing.left_of(tenant)

    def record(
        self, results: Iterable[DagsterResult], write: Callable[[Sequence[AssetEvent]], object]
    ) -> None:
        """Have what steps said written together: what was made, and then the checks, which name what was made."""
        checks, made = list[DagsterResult](), list[DagsterResult]()
        for result in results:
            (made if isinstance(result, dg.MaterializeResult) else checks).append(result)
        for given in (made, checks):
            unknown = {result.asset_key for result in given if result.asset_key} - self._latest.keys()
            self._latest |= find_targets(self._instance, unknown, self._tenant)
            write([event for result in given for event in self.build_events(result)])

    def build_events(self, result: DagsterResult) -> Iterator[AssetEvent]:
        """The event, where there is one; what came before it has to be recorded by then."""
        if result.asset_key is None:
            raise ValueError("a step names the asset that it speaks of")
        if isinstance(result, dg.MaterializeResult):
            yield self._made_or_observed(result, result.asset_key)
            return
        check = dg.AssetCheckKey(result.asset_key, result.check_name or "")
        stands = result.passed and result.asset_key not in self._made
        if not (stands and self._standing.passes(check, self._tenant)):
            yield dg.AssetCheckEvaluation(
                asset_key=result.asset_key,
                check_name=result.check_name or "",
                passed=result.passed,
                severity=result.severity,
                description=result.description,
                metadata=show_numbers(_less(result)),
                target_materialization_data=self._target(result.asset_key),
                partition=self._tenant,
            )

    def clear(self, run_id: str, besides: Collection[dg.AssetKey] = ()) -> Iterator[AssetEvent]:
        """What no run that failed shall leave red any more, once that run has gone through without a failure.

        `besides` are assets that it has not looked at.
        """
        for result in self._left.results(besides):
            yield from self.build_events(result)
        self._left.note(run_id, {*besides} - {HEALTH_KEY})

    def unplanned(self, run: dg.DagsterRun) -> set[dg.AssetKey]:
        """What runs that failed have left red, and this run of assets is not about; its last step is its health."""
        own = Left(self._instance, self._tenant, [run]).assets
        return (self._left.assets - own) | {HEALTH_KEY}

    def _made_or_observed(
        self, result: dg.MaterializeResult[object], asset: dg.AssetKey
    ) -> dg.AssetMaterialization | dg.AssetObservation:
        version, metadata = result.data_version, _less(result)
        tags = {
            "dagster/data_version": version.value,
            "dagster/data_version_is_user_provided": "true",
        } if version else None  # fmt: skip
        if self._is_as_it_was(asset, metadata) and self._is_known(asset):
            said = show_numbers({name: value for name, value in metadata.items() if value != 0})
            if "failed" not in said:  # then its sources have nothing to tell one by one
                said.pop("outcome", None)
            return dg.AssetObservation(asset_key=asset, partition=self._tenant, metadata=said, tags=tags)
        self._made.add(asset)
        self._latest.pop(asset, None)
        shown = show_numbers(metadata)
        return dg.AssetMaterialization(asset_key=asset, partition=self._tenant, metadata=shown, tags=tags)

    def _is_as_it_was(self, asset: dg.AssetKey, metadata: Mapping[str, Any]) -> bool:
        """Whether nothing came to a landing, or a tenant is as well as before; what is made anew is checked anew."""
        if asset != HEALTH_KEY:
            return metadata.get("new_payloads") == 0
        checks = (dg.AssetCheckKey(HEALTH_KEY, name) for name in (WELL, PAGE_MADE))
        return metadata.get("errors") == 0 and all(self._standing.passes(key, self._tenant) for key in checks)

    def _is_known(self, asset: dg.AssetKey) -> bool:
        return asset not in self._left.assets and self._target(asset) is not None

    def _target(self, asset: dg.AssetKey) -> AssetCheckEvaluationTargetMaterializationData | None:
        if asset not in self._latest:
            self._latest[asset] = find_target(self._instance, asset, self._tenant)
        return self._latest[asset]


def _less(result: DagsterResult) -> dict[str, Any]:
    """What a result says besides, as far as others do not: a check that passes counts nothing that is broken.

    For how many days tables were made is said where they are published, how long all of them took in what the run
    prints, and how many tests there are in the check's description; of each it comes with runs of assets. Times need no
    more than milliseconds.
    """
    found = {
        name: round(value, 3) if isinstance(value, float) else value
        for name, value in (result.metadata or {}).items()
    }
    if result.asset_key is not None and result.asset_key.path[0] == "shared":
        found = {name: value for name, value in found.items() if name not in _OF_EACH_TABLE}
    if isinstance(result, dg.AssetCheckResult) and result.passed:
        return {name: value for name, value in found.items() if value != 0}
    return found

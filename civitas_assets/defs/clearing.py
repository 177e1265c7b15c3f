"""What a run that failed has left red, said again as it stands once a later run of the tenant has gone through.

A run of assets announces all that it will make, and what it did not come to is failed when it fails. Dagster 1.13 keeps
a partition failed until it is materialised, and a check until it is evaluated, whatever else has succeeded since:
where nothing is new, nothing of that would come. What is said again is what was last said of the tenant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import dagster as dg

from civitas_assets.defs.asset_checks import DagsterResult
from civitas_assets.defs.dagster_internals import (
    PARTITION_NAME_TAG,
    AssetCheckExecutionRecordStatus,
    PartitionKeyFilter,
)
from civitas_assets.defs.runs import CLEARED_TAG, SHELL_TAG

_PLANNED = {
    dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
}
_EVALUATED = {AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED}
_VERSION = "dagster/data_version"


def list_failed_runs(
    instance: dg.DagsterInstance, tenants: Sequence[str]
) -> Mapping[str, Sequence[dg.DagsterRun]]:
    """The runs of one tenant's assets that have failed, and that no later one has cleared, by tenant."""
    found: dict[str, list[dg.DagsterRun]] = {}
    if tenants:
        failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], tags={PARTITION_NAME_TAG: [*tenants]})
        for run in instance.get_runs(failed):
            if (
                CLEARED_TAG not in run.tags and SHELL_TAG not in run.tags
            ):  # from the shell nothing is announced
                found.setdefault(run.tags[PARTITION_NAME_TAG], []).append(run)
    return found


@dataclass
class Left:
    """What those runs have left of a tenant: assets and checks that they announced, and what was last said of them."""

    instance: dg.DagsterInstance
    tenant: str
    runs: Sequence[dg.DagsterRun]
    _planned: dict[dg.AssetKey, float] = field(default_factory=dict)
    _checks: dict[dg.AssetKey, set[dg.AssetCheckKey]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for run in self.runs:
            for entry in self.instance.all_logs(run.run_id, of_type=_PLANNED):
                event = entry.get_dagster_event()
                if event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED and event.asset_key:
                    self._planned[event.asset_key] = max(
                        entry.timestamp, self._planned.get(event.asset_key, 0.0)
                    )
                elif event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED:
                    check = event.asset_check_planned_data.asset_check_key
                    self._checks.setdefault(check.asset_key, set()).add(check)

    @property
    def assets(self) -> set[dg.AssetKey]:
        """The assets that were announced: to be materialised even where nothing came to them."""
        return {*self._planned}

    def results(self, besides: Collection[dg.AssetKey] = ()) -> Iterator[DagsterResult]:
        """What is still red as it was last said, each asset before its checks.

        `besides` is what the run has not looked at.
        """
        for asset in sorted(self._planned.keys() | self._checks.keys()):
            if asset in besides:
                continue
            last = self._last(asset)
            is_red = last is None or last.timestamp < self._planned.get(asset, 0.0)
            if is_red and asset in self._planned:
                yield _again(asset, last)
            for check in sorted(self._checks.get(asset, ()), key=lambda key: key.name):
                if is_red or self._is_open(check):
                    yield _evaluated_again(check, self._evaluation(check))

    def note(self, run_id: str, besides: Collection[dg.AssetKey] = ()) -> None:
        """Mark the runs as cleared by that one, unless they have left something `besides`."""
        for run in self.runs if not self.assets.intersection(besides) else ():
            self.instance.add_run_tags(run.run_id, {CLEARED_TAG: run_id})

    def _last(self, asset: dg.AssetKey) -> dg.EventLogRecord | None:
        asked = dg.AssetRecordsFilter(asset_key=asset, asset_partitions=[self.tenant])
        return next(iter(self.instance.fetch_materializations(asked, limit=1).records), None)

    def _is_open(self, check: dg.AssetCheckKey) -> bool:
        """Whether the check was announced last by one of those runs, and never evaluated."""
        storage, tenant = self.instance.event_log_storage, PartitionKeyFilter(key=self.tenant)
        latest = storage.get_latest_asset_check_execution_by_key([check], tenant).get(check)
        return latest is not None and (
            latest.status is AssetCheckExecutionRecordStatus.PLANNED
            and latest.run_id in {run.run_id for run in self.runs}
        )

    def _evaluation(self, check: dg.AssetCheckKey) -> dg.AssetCheckEvaluation | None:
        found = self.instance.event_log_storage.get_asset_check_execution_history(
            check, limit=1, status=_EVALUATED, partition_filter=PartitionKeyFilter(key=self.tenant)
        )
        event = found[0].event if found else None
        return event.get_dagster_event().asset_check_evaluation_data if event else None


def _again(asset: dg.AssetKey, last: dg.EventLogRecord | None) -> dg.MaterializeResult[object]:
    made = last.asset_materialization if last is not None else None
    version = (made.tags or {}).get(_VERSION) if made is not None else None
    return dg.MaterializeResult(
        asset_key=asset,
        metadata=made.metadata if made is not None else {},
        data_version=dg.DataVersion(version) if version else None,
    )


def _evaluated_again(check: dg.AssetCheckKey, last: dg.AssetCheckEvaluation | None) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=check.asset_key,
        check_name=check.name,
        passed=last.passed if last is not None else True,
        severity=last.severity if last is not None else dg.AssetCheckSeverity.WARN,
        description=last.description if last is not None else "the tenant has nothing that this looks at",
        metadata=last.metadata if last is not None else {},
    )

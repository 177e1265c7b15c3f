"""What steps say, as events of a tenant's partition, for runs that are not of one partition's assets.

Dagster would say it itself of assets that a run was planned to make.
"""

from __future__ import annotations

import dagster as dg

# Not public, but what a check of a batch is about can be said in no other way.
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)

from civitas_assets.defs.work import Result


class Recorder:
    """Turns what steps say of a tenant into events; a check is about the latest materialisation of its asset."""

    def __init__(self, tenant: str, instance: dg.DagsterInstance) -> None:
        self._tenant, self._instance = tenant, instance
        self._latest: dict[dg.AssetKey, AssetCheckEvaluationTargetMaterializationData | None] = {}

    def event_of(self, result: Result) -> dg.AssetMaterialization | dg.AssetCheckEvaluation:
        """The event; what came before it has to be recorded by then."""
        if result.asset_key is None:
            raise ValueError("a step names the asset that it speaks of")
        if isinstance(result, dg.AssetCheckResult):
            if result.asset_key not in self._latest:
                self._latest[result.asset_key] = self._find_latest(result.asset_key)
            return dg.AssetCheckEvaluation(
                asset_key=result.asset_key,
                check_name=result.check_name or "",
                passed=result.passed,
                severity=result.severity,
                description=result.description,
                metadata=result.metadata,
                target_materialization_data=self._latest[result.asset_key],
                partition=self._tenant,
            )
        self._latest.pop(result.asset_key, None)
        version = result.data_version
        return dg.AssetMaterialization(
            asset_key=result.asset_key,
            partition=self._tenant,
            metadata=result.metadata,
            tags={
                "dagster/data_version": version.value,
                "dagster/data_version_is_user_provided": "true",
            }
            if version
            else None,
        )

    def _find_latest(self, asset: dg.AssetKey) -> AssetCheckEvaluationTargetMaterializationData | None:
        records = self._instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=asset, asset_partitions=[self._tenant]), limit=1
        ).records
        if not records:
            return None
        found = records[0]
        return AssetCheckEvaluationTargetMaterializationData(
            storage_id=found.storage_id, run_id=found.run_id, timestamp=found.timestamp
        )

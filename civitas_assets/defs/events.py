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


def event_of(
    tenant: str, result: Result, instance: dg.DagsterInstance
) -> dg.AssetMaterialization | dg.AssetCheckEvaluation:
    """What a step says, as an event of the tenant's partition; a check is about the latest materialisation of that."""
    if result.asset_key is None:
        raise ValueError("a step names the asset that it speaks of")
    if isinstance(result, dg.AssetCheckResult):
        return dg.AssetCheckEvaluation(
            asset_key=result.asset_key,
            check_name=result.check_name or "",
            passed=result.passed,
            severity=result.severity,
            description=result.description,
            metadata=result.metadata,
            target_materialization_data=_latest(instance, result.asset_key, tenant),
            partition=tenant,
        )
    version = result.data_version
    return dg.AssetMaterialization(
        asset_key=result.asset_key,
        partition=tenant,
        metadata=result.metadata,
        tags={
            "dagster/data_version": version.value,
            "dagster/data_version_is_user_provided": "true",
        }
        if version
        else None,
    )


def _latest(
    instance: dg.DagsterInstance, asset: dg.AssetKey, tenant: str
) -> AssetCheckEvaluationTargetMaterializationData | None:
    records = instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=asset, asset_partitions=[tenant]), limit=1
    ).records
    if not records:
        return None
    found = records[0]
    return AssetCheckEvaluationTargetMaterializationData(
        storage_id=found.storage_id, run_id=found.run_id, timestamp=found.timestamp
    )

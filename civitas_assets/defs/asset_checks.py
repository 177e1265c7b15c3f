"""Checks that belong to a tenant, and what steps say as Dagster's results.

Each partition has its own result, so no tenant's outcome hides another's. Dagster marks partitioned checks as a
preview; that is used in this one place.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, TypeAlias

import dagster as dg
import msgspec

from civitas_assets.defs.asset_keys import to_key
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.results import Checked, Materialised, Result, Shown


def build_partitions(deployment: Deployment) -> dg.StaticPartitionsDefinition:
    """The tenants; only validated slugs become partition keys."""
    return dg.StaticPartitionsDefinition(deployment.catalog.keys)


DagsterResult: TypeAlias = "dg.MaterializeResult[Any] | dg.AssetCheckResult"
_SOURCES = "sources"
_TESTS = "tests"


def build_partitioned_check(
    name: str,
    asset: dg.AssetKey,
    partitions: dg.PartitionsDefinition[str],
    description: str,
    *,
    blocking: bool = False,
) -> dg.AssetCheckSpec:
    """A check whose results are kept per tenant; `blocking` says in the UI that what comes after waits for it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return dg.AssetCheckSpec(
            name, asset=asset, description=description, blocking=blocking, partitions_def=partitions
        )


def to_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What a step says of something, as Dagster shows it."""
    return {name: _shown(value) if isinstance(value, Shown) else value for name, value in metadata.items()}


def _shown(value: Shown) -> dg.MetadataValue[Any]:
    wrapped = {
        "markdown": dg.MetadataValue.md,
        "text": dg.MetadataValue.text,
        "url": dg.MetadataValue.url,
        "json": dg.MetadataValue.json,
    }[value.as_]
    return wrapped(value.value)


def to_severity(severity: str) -> dg.AssetCheckSeverity:
    """Dagster's word for it."""
    return dg.AssetCheckSeverity.ERROR if severity == "error" else dg.AssetCheckSeverity.WARN


def to_dagster(result: Result) -> DagsterResult:
    """What a step has said, as Dagster takes it."""
    if isinstance(result, Materialised):
        return dg.MaterializeResult(
            asset_key=to_key(result.asset),
            metadata={**result.counts, **to_metadata(result.metadata)},
            data_version=dg.DataVersion(result.version) if result.version else None,
        )
    return to_check_result(result)


def to_check_result(check: Checked) -> dg.AssetCheckResult:
    """The result; what it says of each source or test is in its metadata as data."""
    return dg.AssetCheckResult(
        asset_key=to_key(check.asset),
        check_name=check.check,
        passed=check.passed,
        severity=to_severity(check.severity),
        description=check.description or None,
        metadata={
            **to_metadata(check.metadata),
            **({_SOURCES: _data(check.sources)} if check.sources else {}),
            **({_TESTS: _data(check.tests)} if check.tests else {}),
        },
    )


def _data(outcomes: object) -> dg.MetadataValue[Any]:
    return dg.MetadataValue.json(msgspec.to_builtins(outcomes))

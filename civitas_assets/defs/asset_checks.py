"""Checks that belong to a tenant, and what steps say as Dagster's results and events: there and back.

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
from civitas_assets.pipeline.results import (
    Checked,
    Materialised,
    Metadata,
    Result,
    Shown,
    SourceOutcome,
    TestOutcome,
)

DagsterResult: TypeAlias = "dg.MaterializeResult[Any] | dg.AssetCheckResult"
_SOURCES = "sources"
_TESTS = "tests"
_PLAIN = (bool, int, float, str, list)


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
            metadata=to_metadata(result.metadata),
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


def read_check(event: dg.AssetCheckEvaluation) -> Checked:
    """What a step has said, from the event that was made of it."""
    return Checked(
        "/".join(event.asset_key.path),
        event.check_name,
        event.passed,
        "error" if event.severity is dg.AssetCheckSeverity.ERROR else "warn",
        event.description or "",
        _plain(event.metadata),
        tuple(_read(event.metadata, _SOURCES, SourceOutcome)),
        tuple(_read(event.metadata, _TESTS, TestOutcome)),
    )


def read_materialisation(event: dg.AssetMaterialization) -> Materialised:
    """What a step has said, from the event that was made of it."""
    return Materialised("/".join(event.asset_key.path), _plain(event.metadata))


def _plain(metadata: Mapping[str, dg.MetadataValue[Any]]) -> Metadata:
    """Of an event's metadata what is a plain value."""
    values = {name: value.value for name, value in metadata.items()}
    return {
        name: [*value] if isinstance(value, tuple) else value
        for name, value in values.items()
        if isinstance(value, (*_PLAIN, tuple)) and name not in {_SOURCES, _TESTS}
    }


def _read(metadata: Mapping[str, dg.MetadataValue[Any]], name: str, kind: type[Any]) -> list[Any]:
    found = metadata.get(name)
    if not isinstance(found, dg.JsonMetadataValue):
        return []
    outcomes: list[Any] = msgspec.convert(found.data, type=list[kind])  # type: ignore[valid-type]
    return outcomes

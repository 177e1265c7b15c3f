"""The keys of assets, by which those of one step are told from those of another."""

from __future__ import annotations

import dagster as dg

HEALTH = dg.AssetKey(["tenants", "health"])
SINKS = dg.AssetKey(["tenants", "sinks"])
OPEN_DATA = dg.AssetKey(["tenants", "open_data"])


def landing_key(connector: str) -> dg.AssetKey:
    """The key of a connector's landing."""
    return dg.AssetKey(["landing", connector])


def records_key(record_type: str) -> dg.AssetKey:
    """The key of a record type's asset."""
    return dg.AssetKey(["records", record_type])


def staging_key(model: str) -> dg.AssetKey:
    """The key of a staging or intermediate model's asset."""
    return dg.AssetKey(["staging", model])


def shared_key(model: str) -> dg.AssetKey:
    """The key of a shared model's asset."""
    return dg.AssetKey(["shared", model])

"""The keys of assets, by which those of one step are told from those of another."""

from __future__ import annotations

import dagster as dg

from civitas_assets.pipeline import asset_names

HEALTH_KEY = dg.AssetKey(asset_names.HEALTH.split("/"))
SINKS_KEY = dg.AssetKey(asset_names.SINKS.split("/"))
OPEN_DATA_KEY = dg.AssetKey(asset_names.OPEN_DATA.split("/"))


def landing_key(connector: str) -> dg.AssetKey:
    """The key of a connector's landing."""
    return to_key(asset_names.name_landing(connector))


def records_key(record_type: str) -> dg.AssetKey:
    """The key of a record type's asset."""
    return to_key(asset_names.name_records(record_type))


def staging_key(model: str) -> dg.AssetKey:
    """The key of a staging or intermediate model's asset."""
    return dg.AssetKey(["staging", model])


def shared_key(model: str) -> dg.AssetKey:
    """The key of a shared model's asset."""
    return to_key(asset_names.name_shared(model))


def published_key(destination: str) -> dg.AssetKey:
    """The key of a destination's asset."""
    return to_key(asset_names.name_published(destination))


def commons_key(destination: str) -> dg.AssetKey:
    """The key of the commons of a destination."""
    return to_key(asset_names.name_commons(destination))


def to_key(name: str) -> dg.AssetKey:
    """The key of the asset that the steps call so."""
    return dg.AssetKey(name.split("/"))

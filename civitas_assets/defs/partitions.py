"""Tenants as partitions."""

from __future__ import annotations

import dagster as dg

from civitas_assets.pipeline.deployment import Deployment


def build_partitions(deployment: Deployment) -> dg.StaticPartitionsDefinition:
    """The tenants; only validated slugs become partition keys."""
    return dg.StaticPartitionsDefinition(deployment.catalog.keys)

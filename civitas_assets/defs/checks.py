"""Checks that belong to a tenant: each partition has its own result, so no tenant's outcome hides another's.

Dagster marks partitioned checks as a preview; that is used in this one place.
"""

from __future__ import annotations

import warnings

import dagster as dg


def partitioned_check(
    name: str, asset: dg.AssetKey, partitions: dg.PartitionsDefinition[str], description: str
) -> dg.AssetCheckSpec:
    """A check whose results are kept per tenant."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return dg.AssetCheckSpec(name, asset=asset, description=description, partitions_def=partitions)

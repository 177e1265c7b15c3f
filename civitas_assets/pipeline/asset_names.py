"""The names of assets, as steps write them: what Dagster takes for their keys, with `/` between the parts."""

from __future__ import annotations

HEALTH = "tenants/health"
SINKS = "tenants/sinks"
OPEN_DATA = "tenants/open_data"


def name_landing(connector: str) -> str:
    """A connector's landing."""
    return f"landing/{connector}"


def name_records(record_type: str) -> str:
    """A record type."""
    return f"records/{record_type}"


def name_shared(model: str) -> str:
    """A shared model."""
    return f"shared/{model}"


def name_published(destination: str) -> str:
    """What a kind of destination holds."""
    return f"published/{destination}"


def name_commons(destination: str) -> str:
    """What tenants share in a kind of destination."""
    return f"commons/{destination}"

"""Repairs as jobs: replaying days with today's mapping, and trying rejected rows again, for one tenant.

They are the nightly job without fetching, with another way of reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from civitas_assets.pipeline.deployment import Deployment

REPLAY, RETRY = "replay", "quarantine_retry"


def build_repairs(deployment: Deployment) -> dg.Definitions:
    """The jobs; their configuration in the launchpad begins with what touches nothing."""
    selection = dg.AssetSelection.all() - dg.AssetSelection.groups("landing")
    days = {"from": deployment.now().date().isoformat(), "to": deployment.now().date().isoformat()}
    return dg.Definitions(
        jobs=[
            _job(
                REPLAY,
                "Read landing of some days again with today's mapping. show_replay says what would change, in the "
                "checks of the records; replay appends it as revisions and publishes the days.",
                {"repair": "show_replay", "days": days},
                selection,
            ),
            _job(
                RETRY,
                "Try rejected rows again with today's mapping; what is accepted becomes records and is published.",
                {"repair": "retry_quarantine"},
                selection,
            ),
        ]
    )


def _job(name: str, description: str, scope: Mapping[str, Any], selection: dg.AssetSelection) -> Any:
    return dg.define_asset_job(
        name,
        selection=selection,
        description=description,
        executor_def=dg.in_process_executor,
        config={"resources": {"scope": {"config": scope}}},
    )

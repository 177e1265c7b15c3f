"""Dagster's entry: all definitions of a deployment, built from its catalogue and settings.

Nothing is read at import; Dagster asks when it loads the code location.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import dagster as dg

from civitas_assets.defs.file_sensor import build_file_sensor
from civitas_assets.defs.freshness import build_freshness_sensor
from civitas_assets.defs.landing_assets import build_landing_assets
from civitas_assets.defs.late_assets import build_late_assets
from civitas_assets.defs.maintenance import build_maintenance
from civitas_assets.defs.messages import build_message_sensors
from civitas_assets.defs.published import build_published_assets
from civitas_assets.defs.record_assets import build_record_assets
from civitas_assets.defs.repair import build_repairs
from civitas_assets.defs.report import build_report_assets
from civitas_assets.defs.retention_job import build_retention
from civitas_assets.defs.schedules import build_cadences
from civitas_assets.defs.scope import build_checked_scope
from civitas_assets.defs.sensors import build_arrival_sensors
from civitas_assets.defs.shared_models import build_shared_assets
from civitas_assets.defs.shell_runs import build_shell_sensor
from civitas_assets.inert import guard_log_entries
from civitas_assets.pipeline.deployment import Deployment, load_deployment

# What a deployment consists of; each part makes its own assets, checks, jobs, schedules and sensors.
PARTS: Sequence[Callable[[Deployment], dg.Definitions]] = (
    build_landing_assets,
    build_record_assets,
    build_shared_assets,
    build_published_assets,
    build_late_assets,
    build_report_assets,
    build_cadences,
    build_retention,
    build_maintenance,
    build_arrival_sensors,
    build_freshness_sensor,
    build_file_sensor,
    build_shell_sensor,
    build_message_sensors,
    build_repairs,
)


def build_definitions(deployment: Deployment) -> dg.Definitions:
    """Everything that a deployment consists of."""
    guard_log_entries()
    rest = dg.Definitions(
        resources={"scope": build_checked_scope(deployment)}, executor=dg.in_process_executor
    )
    return dg.Definitions.merge(rest, *(part(deployment) for part in PARTS))


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions of this deployment."""
    return build_definitions(load_deployment())

"""Dagster's entry: all definitions of a deployment, built from its catalogue and settings.

Nothing is read at import; Dagster asks when it loads the code location.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import dagster as dg

from civitas_assets.defs.commons import commons_assets
from civitas_assets.defs.deployment import Deployment, load_deployment
from civitas_assets.defs.files import file_sensor
from civitas_assets.defs.freshness import freshness_sensor
from civitas_assets.defs.landing import landing_assets
from civitas_assets.defs.maintenance import maintenance
from civitas_assets.defs.messages import message_sensors
from civitas_assets.defs.published import published_assets
from civitas_assets.defs.records import record_assets
from civitas_assets.defs.repair import repairs
from civitas_assets.defs.report import report_assets
from civitas_assets.defs.retention import retention_parts
from civitas_assets.defs.schedules import cadences
from civitas_assets.defs.scope import checked_scope
from civitas_assets.defs.sensors import arrival_sensors
from civitas_assets.defs.shared import shared_assets
from civitas_assets.inert import tame_logs

# What a deployment consists of; each part makes its own assets, checks, jobs, schedules and sensors.
PARTS: Sequence[Callable[[Deployment], dg.Definitions]] = (
    landing_assets,
    record_assets,
    shared_assets,
    published_assets,
    commons_assets,
    report_assets,
    cadences,
    retention_parts,
    maintenance,
    arrival_sensors,
    freshness_sensor,
    file_sensor,
    message_sensors,
    repairs,
)


def build_definitions(deployment: Deployment) -> dg.Definitions:
    """Everything that a deployment consists of."""
    tame_logs()
    rest = dg.Definitions(resources={"scope": checked_scope(deployment)}, executor=dg.in_process_executor)
    return dg.Definitions.merge(rest, *(part(deployment) for part in PARTS))


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions of this deployment."""
    return build_definitions(load_deployment())

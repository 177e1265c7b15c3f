"""What becomes of a tenant whose file has faults: a failed check of its own, and a message, as soon as that is seen.

The tenant stays as it was last without, or is left out; nobody else notices. A mended file is taken by the next tick.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import dagster as dg

from civitas_assets.catalog.basis import is_key
from civitas_assets.defs.asset_keys import HEALTH_KEY
from civitas_assets.defs.event_writing import find_target
from civitas_assets.defs.messages import notify_of_faults
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.outcomes import WELL
from civitas_assets.pipeline.presentation import format_description
from civitas_assets.pipeline.report_step import report_to_operator

_EVERY = 60  # seconds


def build_file_sensor(deployment: Deployment) -> dg.Definitions:
    """The sensor that looks at the tenants' files."""

    @dg.sensor(
        name="faulty_files",
        minimum_interval_seconds=_EVERY,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Fails the health check of each tenant whose file has faults, and sends a message.",
    )
    def faulty_files(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        before: Mapping[str, str] = json.loads(context.cursor or "{}")
        now = deployment.with_current_catalog()
        faulty = {slug: "\n".join(map(str, faults)) for slug, faults in now.catalog.faulty.items()}
        events = []
        for slug, said in faulty.items():
            if before.get(slug) != said:
                if is_key(slug):
                    events.append(_event(context.instance, slug, said))
                notify_of_faults(
                    now,
                    slug if is_key(slug) else "-",
                    said.splitlines(),
                    f"{now.settings.ui_url.rstrip('/')}/assets",
                )
        events += [
            _event(context.instance, slug, "")
            for slug in before.keys() - faulty.keys()
            if slug in now.catalog.tenants
        ]
        if faulty != before:
            report_to_operator(now)
        return dg.SensorResult(asset_events=events, cursor=json.dumps(faulty))

    return dg.Definitions(sensors=[faulty_files])


def _event(instance: dg.DagsterInstance, tenant: str, said: str) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=HEALTH_KEY,
        check_name=WELL,
        passed=not said,
        severity=dg.AssetCheckSeverity.ERROR if said else dg.AssetCheckSeverity.WARN,
        description=format_description(said.splitlines())
        or "the tenant's file is mended; the next run looks at everything else",
        target_materialization_data=find_target(instance, HEALTH_KEY, tenant),
        partition=tenant,
    )

"""Whether each source of each tenant is fresh, as checks of its landing, by the cadence that it declares.

Runs say that a source is fresh; that it has become stale is said by a sensor, since then there was no run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import dagster as dg

from civitas_assets.catalog import Tenant
from civitas_assets.defs.asset_checks import to_check_result
from civitas_assets.defs.asset_keys import landing_key
from civitas_assets.defs.event_writing import find_target
from civitas_assets.defs.messages import notify_of_faults
from civitas_assets.defs.shown_numbers import show_numbers
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.outcomes import FRESH, check_freshness
from civitas_assets.store.status import SourceStatus, read_source_statuses

_EVERY = 900  # seconds


def build_freshness_sensor(deployment: Deployment) -> dg.Definitions:
    """The sensor that says when a source becomes stale."""

    @dg.sensor(
        name="stale_sources",
        minimum_interval_seconds=_EVERY,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Fails the freshness check of each source that was silent for longer than its cadence allows.",
    )
    def stale_sources(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        before = set(json.loads(context.cursor or "[]"))
        events, stale = [], set[str]()
        for tenant in deployment.list_startable_tenants():
            found = _stale(deployment, tenant)
            stale.update(f"{tenant.slug}/{name}" for name in found)
            new = {name: what for name, what in found.items() if f"{tenant.slug}/{name}" not in before}
            connectors = sorted({tenant.sources[name].connector for name in new})
            events += [_event(context.instance, deployment, tenant, connector) for connector in connectors]
            if new:
                link = f"{deployment.settings.ui_url.rstrip('/')}/assets/landing"
                notify_of_faults(
                    deployment, tenant.slug, [f"{name} {what}" for name, what in new.items()], link
                )
        return dg.SensorResult(asset_events=events, cursor=json.dumps(sorted(stale)))

    return dg.Definitions(sensors=[stale_sources])


def _stale(deployment: Deployment, tenant: Tenant) -> Mapping[str, SourceStatus]:
    """The sources that are not fresh any more; one that was never fetched has not been due yet."""
    now = deployment.now()
    found = read_source_statuses(deployment.files, tenant, now)
    return {name: what for name, what in found.items() if what.answered_at is not None and what.is_late}


def _event(
    instance: dg.DagsterInstance, deployment: Deployment, tenant: Tenant, connector: str
) -> dg.AssetCheckEvaluation:
    """The check of all sources of the connector that were ever fetched, outside of any run."""
    fetched = {
        name: what
        for name, what in read_source_statuses(deployment.files, tenant, deployment.now()).items()
        if tenant.sources[name].connector == connector and what.answered_at is not None
    }
    result = to_check_result(check_freshness(connector, fetched))
    return dg.AssetCheckEvaluation(
        asset_key=landing_key(connector),
        check_name=FRESH,
        passed=result.passed,
        severity=result.severity,
        description=result.description,
        metadata=show_numbers(result.metadata),
        target_materialization_data=find_target(instance, landing_key(connector), tenant.slug),
        partition=tenant.slug,
    )

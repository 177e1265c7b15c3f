"""Whether each source of each tenant is fresh, as checks of its landing, by the cadence that it declares.

Runs say that a source is fresh; that it has become stale is said by a sensor, since then there was no run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import dagster as dg

from civitas_assets.catalog import Source, Tenant
from civitas_assets.defs.deployment import Deployment
from civitas_assets.defs.keys import landing_key
from civitas_assets.defs.messages import tell
from civitas_assets.defs.presentation import Metadata
from civitas_assets.ingest.freshness import Freshness, freshness

_EVERY = 900  # seconds


_FRESH = "Fresh_"  # no source has a name with a capital letter


def fresh_check(source: str) -> str:
    """The name of the check."""
    return f"{_FRESH}{source}"


def is_fresh_check(name: str) -> bool:
    """Whether a check of a landing is about its freshness, and not about what was answered in this run."""
    return name.startswith(_FRESH)


def fresh_result(source: Source, found: Freshness) -> dg.AssetCheckResult:
    """The outcome of the check for one tenant, in a run."""
    return dg.AssetCheckResult(
        asset_key=landing_key(source.connector),
        check_name=fresh_check(source.name),
        passed=found.fresh,
        severity=dg.AssetCheckSeverity.WARN,
        description=str(found),
        metadata=_metadata(source, found),
    )


def freshness_sensor(deployment: Deployment) -> dg.Definitions:
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
        for tenant in deployment.active:
            found = _stale(deployment, tenant)
            stale.update(f"{tenant.slug}/{name}" for name in found)
            new = {name: what for name, what in found.items() if f"{tenant.slug}/{name}" not in before}
            events += [_event(tenant, tenant.sources[name], what) for name, what in new.items()]
            if new:
                link = f"{deployment.settings.ui_url.rstrip('/')}/assets/landing"
                tell(deployment, tenant.slug, [f"{name} {what}" for name, what in new.items()], link)
        return dg.SensorResult(asset_events=events, cursor=json.dumps(sorted(stale)))

    return dg.Definitions(sensors=[stale_sources])


def _stale(deployment: Deployment, tenant: Tenant) -> Mapping[str, Freshness]:
    """The sources that are not fresh any more; one that was never fetched has not been due yet."""
    now = deployment.now()
    found = {
        name: freshness(deployment.files, tenant.slug, source, now) for name, source in tenant.sources.items()
    }
    return {name: what for name, what in found.items() if what.answered_at is not None and not what.fresh}


def _event(tenant: Tenant, source: Source, found: Freshness) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=landing_key(source.connector),
        check_name=fresh_check(source.name),
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        description=str(found),
        metadata=_metadata(source, found),
        partition=tenant.slug,
    )


def _metadata(source: Source, found: Freshness) -> Metadata:
    answered = (
        {"answered_at": dg.TimestampMetadataValue(found.answered_at.timestamp())} if found.answered_at else {}
    )
    return {"cadence": source.cadence, "allowed_hours": found.patience.total_seconds() / 3600, **answered}

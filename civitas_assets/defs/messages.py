"""When somebody gets a message: a run that failed, or one whose checks did; one per night and tenant.

What a message says and how it is brought to people is in `civitas_assets.messages`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from civitas_assets.defs.checks import faults_of_check
from civitas_assets.defs.deployment import Deployment
from civitas_assets.defs.runs import FAILED, OPERATORS_TIME, SHELL_TAG, tenants_of
from civitas_assets.messages.delivery import addresses, deliver_once
from civitas_assets.messages.text import compose, secrets_of
from civitas_assets.settings import read_secret

_NIGHT_BEGINS = timedelta(hours=2)
_EVENTS = {
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.RUN_FAILURE,
}
_NOBODY = "-"


def message_sensors(deployment: Deployment) -> dg.Definitions:
    """The sensors of runs that have ended, in one way or the other."""
    found = []
    for status, name, what in (
        (dg.DagsterRunStatus.FAILURE, "failed_runs", "a run has failed"),
        (dg.DagsterRunStatus.SUCCESS, "failed_checks", "a run has succeeded, but a check in it has not"),
    ):

        @dg.run_status_sensor(
            run_status=status,
            name=name,
            minimum_interval_seconds=30,
            default_status=dg.DefaultSensorStatus.RUNNING,
            description=f"Sends a message when {what}: one per tenant and night.",
        )
        def ended(context: dg.RunStatusSensorContext) -> None:
            tell_of_run(deployment, context.instance, context.dagster_run)

        found.append(ended)
    return dg.Definitions(sensors=found)


def tell_of_run(deployment: Deployment, instance: dg.DagsterInstance, run: dg.DagsterRun) -> int:
    """Send a message for each tenant of the run that something went wrong for; how many were sent.

    Who has started the run in a shell has seen it.
    """
    if SHELL_TAG in run.tags:
        return 0
    link = f"{deployment.settings.ui_url.rstrip('/')}/runs/{run.run_id}"
    return sum(tell(deployment, tenant, faults, link) for tenant, faults in faults_of(instance, run).items())


def tell(deployment: Deployment, tenant: str, faults: Sequence[str], link: str) -> bool:
    """Send the message about a tenant's faults, unless one was sent this night; nothing where nobody wants any."""
    known = deployment.catalog.tenants.get(tenant)
    names = [deployment.settings.notify_secret] if deployment.settings.notify_secret else []
    if known is not None and known.notify is not None:
        names.append(known.notify.secret)
    night = night_of(deployment.now())
    message = compose(known.name if known else "civitas_assets", night, faults, link)
    secrets = secrets_of(known, read_secret) if known else []
    return deliver_once(
        deployment.files, f"{night}/{tenant}", message, addresses(names, read_secret), secrets
    )


def night_of(now: datetime) -> str:
    """The date of the night that lasts from one nightly schedule to the next."""
    return (now.astimezone(ZoneInfo(OPERATORS_TIME)) - _NIGHT_BEGINS).date().isoformat()


def faults_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Mapping[str, Sequence[str]]:
    """What went wrong in the run, by tenant: checks of severity error, and steps that failed."""
    tenants = tenants_of(run.tags)
    own = tenants[0] if len(tenants) == 1 else _NOBODY
    faults: dict[str, list[str]] = {}
    ending = ""
    for entry in instance.all_logs(run.run_id, of_type=_EVENTS):
        event = entry.get_dagster_event()
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            check = event.asset_check_evaluation_data
            for severity, text in faults_of_check(check):
                if severity is dg.AssetCheckSeverity.ERROR:
                    faults.setdefault(check.partition or own, []).append(text)
        elif event.is_step_failure:
            given = event.step_failure_data.user_failure_data
            by_tenant = given.metadata.get(FAILED) if given else None
            if isinstance(by_tenant, dg.JsonMetadataValue) and isinstance(by_tenant.data, dict):
                for tenant, error in by_tenant.data.items():
                    faults.setdefault(tenant, []).append(str(error))
            else:
                raised = event.step_failure_data.error
                text = (given.description if given else None) or (raised.message if raised else "failed")
                faults.setdefault(own, []).append(f"{event.step_key}: {text}")
        else:
            ending = event.message or "the run failed"
    if ending and not faults:
        faults[own] = [ending]
    return faults

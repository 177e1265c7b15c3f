"""When somebody gets a message: a run that failed, or one whose checks did; one per night and tenant.

What a message says and how it is brought to people is in `civitas_assets.messages`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from civitas_assets.catalog import Catalog
from civitas_assets.catalog.cadence import CADENCES
from civitas_assets.defs.night import list_unreported, read_failed_tenants
from civitas_assets.defs.runs import (
    ARRIVALS,
    CADENCE_TAG,
    OPERATORS_TIME,
    OUTCOME_TAG,
    SHELL_TAG,
    list_tenants_of_run,
)
from civitas_assets.errors import CatalogError
from civitas_assets.messages.delivery import deliver, deliver_once, read_addresses
from civitas_assets.messages.message_text import (
    Message,
    compose,
    compose_done,
    compose_end,
    list_message_secrets,
)
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.report.kept_pages import make_page_address
from civitas_assets.settings import read_secret
from civitas_assets.store.files import Files
from civitas_assets.store.nights import NightBook
from civitas_assets.store.step_reports import StepReports

_NIGHT_BEGINS = timedelta(hours=2)
_NOBODY = "-"
ANY = "any"  # of a run of all of a tenant's sources, as one by hand is


def build_message_sensors(deployment: Deployment) -> dg.Definitions:
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
            notify_of_run(deployment, context.instance, context.dagster_run)

        found.append(ended)
    return dg.Definitions(sensors=found)


def notify_of_run(deployment: Deployment, instance: dg.DagsterInstance, run: dg.DagsterRun) -> int:
    """Send a message for each tenant of the run that something went wrong for, or for which it is over; how many.

    Who has started the run in a shell has seen it.
    """
    if SHELL_TAG in run.tags:
        return 0
    link = f"{deployment.settings.ui_url.rstrip('/')}/runs/{run.run_id}"
    faults, files, cadence, count = (
        list_run_faults(deployment.files, deployment.catalog, instance, run),
        deployment.files,
        run.tags.get(CADENCE_TAG),
        0,
    )
    if OUTCOME_TAG not in run.tags:  # of some assets only, or ended before it could say so itself
        failed = run.status is dg.DagsterRunStatus.FAILURE
        outcome = "failed" if failed else "faults" if faults else "ok"
        instance.add_run_tags(run.run_id, {OUTCOME_TAG: outcome})
    for tenant, found in faults.items():
        if notify_of_faults(deployment, tenant, found, link):
            files.write(f"messages/open-{cadence or ANY}/{tenant}", b"")
            count += 1
    # A run that was cut short has not come to all of its tenants.
    if run.status is dg.DagsterRunStatus.SUCCESS or read_failed_tenants(instance, run.run_id):
        # A run of a cadence says nothing of the sources of others; one of all sources says it of all.
        cadences = [cadence] if cadence else [*CADENCES, ARRIVALS, ANY]
        opened = [key for one in cadences for key in files.list_keys(f"messages/open-{one}/")]
        for tenant in set(list_tenants_of_run(run.tags)) - faults.keys():
            marks = [mark for mark in opened if mark.rpartition("/")[2] == tenant]
            if marks and _tell_end(deployment, tenant, link):
                files.delete_all(marks)
                count += 1
    return count


def notify_of_faults(deployment: Deployment, tenant: str, faults: Sequence[str], link: str) -> bool:
    """Send the message about a tenant's faults, unless one was sent this night; nothing where nobody wants any."""
    night = find_night(deployment.now())
    links = _links(deployment, tenant, link)
    return _deliver(deployment, tenant, night, lambda who: compose(who, night, faults, links))


def _tell_end(deployment: Deployment, tenant: str, link: str) -> bool:
    night = find_night(deployment.now())
    links = _links(deployment, tenant, link)
    return _deliver(deployment, tenant, f"{night}-over", lambda who: compose_end(who, night, links))


def _links(deployment: Deployment, tenant: str, run: str) -> str:
    """The tenant's morning page, which its own people may open, and the run, which operators may."""
    has_page = tenant in deployment.catalog.tenants
    return f"{make_page_address(deployment.settings, tenant)}\n{run}" if has_page else run


def _deliver(deployment: Deployment, tenant: str, about: str, written: Callable[[str], Message]) -> bool:
    known = deployment.catalog.tenants.get(tenant)
    names = [deployment.settings.notify_secret] if deployment.settings.notify_secret else []
    if known is not None and known.notify is not None:
        names.append(known.notify.secret)
    message = written(known.name if known else "civitas_assets")
    secrets = list_message_secrets(known, read_secret) if known else []
    return deliver_once(
        deployment.files, f"{about}/{tenant}", message, read_addresses(names, read_secret), secrets
    )


def notify_of_night_end(deployment: Deployment, tenants: int, faulty: int) -> bool:
    """Give the sign of life of a night, where somebody waits for it: a service that calls when it does not come."""
    name = deployment.settings.alive_secret
    if not name:
        return False
    night = find_night(deployment.now())
    return deliver(
        f"the night of {night}", compose_done(night, tenants, faulty), read_addresses([name], read_secret)
    )


def find_night(now: datetime) -> str:
    """The date of the night that lasts from one nightly schedule to the next."""
    return (now.astimezone(ZoneInfo(OPERATORS_TIME)) - _NIGHT_BEGINS).date().isoformat()


def list_run_faults(
    files: Files, catalog: Catalog, instance: dg.DagsterInstance, run: dg.DagsterRun
) -> Mapping[str, Sequence[str]]:
    """What went wrong in the run, by tenant, as its steps have reported it, and what Dagster alone knows of it."""
    faults, told, tenants = dict[str, list[str]](), set[str](), list_tenants_of_run(run.tags)
    for tenant in tenants:
        try:
            catalog.get_tenant(tenant)
        except CatalogError as error:  # nobody has worked for it
            faults[tenant] = [str(error)]
            told.add(tenant)
            continue
        night = NightBook(files, tenant).find(run.run_id)
        steps = night.steps if night is not None else StepReports(files, tenant).read(run.run_id)
        told |= {step.step for step in steps if step.problem is not None}
        if lines := [line for step in steps for line in step.list_errors()]:
            faults[tenant] = lines
    if run.status is not dg.DagsterRunStatus.FAILURE:
        return faults
    own = tenants[0] if len(tenants) == 1 else _NOBODY
    named = read_failed_tenants(instance, run.run_id)
    for tenant, text in named.items():
        faults.setdefault(tenant, [text])
    failed = [f"{step.step}: {step.problem}" for step in list_unreported(instance, run.run_id, told)]
    if not (failed or named or told):  # as where its process was killed
        ends = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
        failed = [entry.get_dagster_event().message or "the run failed" for entry in ends]
    if failed and own not in told:
        faults[own] = [*faults.get(own, ()), *failed]
    return faults

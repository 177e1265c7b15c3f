"""The asset `tenants/sinks`: servers of others, brought up to what each tenant has published when all else is done."""

import logging
from collections.abc import Iterator
from typing import Any

import dagster as dg

from civitas_assets.defs.asset_keys import SINKS
from civitas_assets.defs.deployment import Deployment
from civitas_assets.defs.scope import RunScope
from civitas_assets.defs.work import Result, Work, raise_as_failures
from civitas_assets.errors import ExportError
from civitas_assets.sinks.deliver import bring_to_sinks

log = logging.getLogger("civitas_assets.publish")
_LATE = {"dagster/priority": "-50"}  # before the page, after everything else


def build_sink_assets(deployment: Deployment) -> dg.Definitions:
    """The sinks; where no tenant has one, there is nothing."""
    if not any(tenant.sinks for tenant in deployment.catalog.tenants.values()):
        return dg.Definitions()

    @dg.multi_asset(
        name="sinks",
        specs=[
            dg.AssetSpec(
                SINKS,
                group_name="tenants",
                kinds={"sensorthings"},
                owners=[f"team:{deployment.settings.team}"],
                description="Each tenant's sinks: servers that are kept up to date with what it has published.",
                skippable=True,
            )
        ],
        partitions_def=deployment.partitions,
        op_tags=_LATE,
        can_subset=True,
    )
    def sinks(context: dg.AssetExecutionContext, scope: RunScope) -> Iterator[Any]:
        with raise_as_failures():
            yield from deliver_tenant(Work.from_context(context, deployment, scope))

    return dg.Definitions(assets=[sinks])


def deliver_tenant(work: Work) -> Iterator[Result]:
    """Bring the tenant's sinks up to what it has published, in every run that looks at it.

    Raises:
        ExportError: a server does not answer, or has not taken all; the others were brought up to it.
    """
    deployment, tenant = work.deployment, work.tenant
    if not tenant.sinks:
        return
    with work.hold_lock():
        reports = bring_to_sinks(deployment.settings, deployment.files, tenant, deployment.now())
    good = {name: report for name, report in reports.items() if not isinstance(report, str)}
    for name, report in good.items():
        log.info("%s · %s · %s", tenant.slug, name, report.summarise())
    if any(report.has_written for report in good.values()):
        yield dg.MaterializeResult(
            asset_key=SINKS, metadata={name: report.summarise() for name, report in good.items()}
        )
    faults = [report for report in reports.values() if isinstance(report, str)]
    faults += [f"sink {name}: {line}" for name, report in good.items() for line in report.refused]
    if faults:
        raise ExportError("; ".join(faults))

"""Delivering: servers of others are brought up to what the tenant has published, when all else is done."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from civitas_assets.errors import ExportError
from civitas_assets.pipeline.asset_names import SINKS
from civitas_assets.pipeline.results import Materialised, Result
from civitas_assets.pipeline.work import Work

log = logging.getLogger("civitas_assets.publish")


def deliver_tenant(work: Work) -> Iterator[Result]:
    """Bring the tenant's sinks up to what it has published, in every run that looks at it.

    Raises:
        ExportError: a server does not answer, or has not taken all; the others were brought up to it.
    """
    deployment, tenant = work.deployment, work.tenant
    if not tenant.sinks:
        return
    from civitas_assets.sinks.deliver import bring_to_sinks  # noqa: PLC0415 - as most tenants have none

    with work.hold_lock():
        reports = bring_to_sinks(deployment.settings, deployment.files, tenant, deployment.now())
    good = {name: report for name, report in reports.items() if not isinstance(report, str)}
    for name, report in good.items():
        log.info("%s · %s · %s", tenant.slug, name, report.summarise())
    if any(report.has_written for report in good.values()):
        yield Materialised(SINKS, {name: report.summarise() for name, report in good.items()})
    faults = [report for report in reports.values() if isinstance(report, str)]
    faults += [f"sink {name}: {line}" for name, report in good.items() for line in report.refused]
    if faults:
        raise ExportError("; ".join(faults))

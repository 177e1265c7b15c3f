"""Repairs as jobs: replaying days with today's mapping, and trying rejected rows again, for one tenant.

They are the nightly job without fetching, with another way of reading; how that works is in the package `ingest`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from civitas_assets.catalog import Source
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.defs.deployment import Deployment
from civitas_assets.defs.work import Work
from civitas_assets.ingest.rehearse import rehearse_source
from civitas_assets.ingest.replay import ReplayPlan, plan_replay, replay_source
from civitas_assets.ingest.reports import ReadReport
from civitas_assets.ingest.retry import retry_rows
from civitas_assets.ingest.summarise import note_read

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


def run_repair(work: Work) -> list[ReadReport]:
    """What the repair that the scope asks for did with each source; the tenant's lock must be held.

    Raises:
        dg.Failure: a replay is asked for without days.
    """
    sources = work.scope.select_sources(work.tenant)
    repair = _retried if work.scope.repair == "retry_quarantine" else _replayed
    reports = [repair(work, source) for source in sources.values()]
    note_read(work.stores, work.tenant.slug, sources, grown=True)
    return reports


def _replayed(work: Work, source: Source) -> ReadReport:
    days, stores = work.scope.window(), work.stores
    if days is None:
        raise dg.Failure("a replay is of days: say days.from and days.to", allow_retries=False)
    folder = work.deployment.settings.workspaces
    with rehearse_source(
        work.tenant, source, CONNECTORS[source.connector], stores, folder, work.run_id, days=days
    ) as rehearsal:
        if work.scope.repair == "replay":
            return replay_source(rehearsal, work.tenant, stores, days)
        return _told(plan_replay(rehearsal, stores, days))


def _told(proposal: ReplayPlan) -> ReadReport:
    """What would change, as remarks of a report that counts nothing as done."""
    report = ReadReport(proposal.source, proposal.payloads)
    report.errors.extend(proposal.errors)
    for difference in filter(None, proposal.differences):
        total = difference.total()
        columns = ", ".join(f"{name} ({c.changed})" for name, c in difference.columns.items())
        report.warnings.append(
            f"{difference.record_type} would have {total.new} new, {total.changed} changed, {total.vanished} vanished "
            f"and {difference.rejected} rejected" + (f"; columns: {columns}" if columns else "")
        )
    return report


def _retried(work: Work, source: Source) -> ReadReport:
    rows = work.stores.quarantine.read_rows()
    own = rows.filter(rows["source"] == source.name)
    if own.is_empty():
        return ReadReport(source.name)
    result = retry_rows(
        work.tenant, source, CONNECTORS[source.connector], work.stores, own,
        work.deployment.settings.workspaces, work.run_id,
    )  # fmt: skip
    result.report.warnings.append(
        f"{result.accepted} of {own.height} row(s) are accepted now, {result.rejected} are rejected still, "
        f"{result.unread} cannot be read"
    )
    return result.report

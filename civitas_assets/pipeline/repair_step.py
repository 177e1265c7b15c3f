"""Repairs in place of reading what is new: replaying days with today's mapping, and trying rejected rows again.

How that works is in the package `ingest`.
"""

from __future__ import annotations

from civitas_assets.catalog import Source
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.errors import ScopeError
from civitas_assets.ingest.rehearse import rehearse_source
from civitas_assets.ingest.replay import ReplayPlan, plan_replay, replay_source
from civitas_assets.ingest.reports import ReadReport
from civitas_assets.ingest.retry import retry_rows
from civitas_assets.ingest.summarise import note_read
from civitas_assets.pipeline.work import Work


def run_repair(work: Work) -> list[ReadReport]:
    """What the repair that the scope asks for did with each source; the tenant's lock must be held.

    Raises:
        ScopeError: a replay is asked for without days.
    """
    sources = work.scope.select_sources(work.tenant)
    repair = _retried if work.scope.repair == "retry_quarantine" else _replayed
    reports = [repair(work, source) for source in sources.values()]
    note_read(work.stores, work.tenant.slug, sources, grown=True)
    return reports


def _replayed(work: Work, source: Source) -> ReadReport:
    days, stores = work.scope.window, work.stores
    if days is None:
        raise ScopeError("a replay is of days: say days.from and days.to")
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
    report.problems.extend(proposal.problems)
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

"""What runs between nights do about a page: they make it anew at once for what it does not tell, else once an hour.

What is wrong is taken from the run and from the stores alone, which costs no more than reading a few small files.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from civitas_assets.catalog import Tenant
from civitas_assets.report.findings import Situation, list_findings
from civitas_assets.report.page_summary import PageSummary, list_remarks, make_digest
from civitas_assets.report.source_standings import list_standings
from civitas_assets.store.nights import Night
from civitas_assets.store.stores import Stores

_RENEWED_AFTER = timedelta(hours=1)


def is_old(last: PageSummary, now: datetime) -> bool:
    """Whether a page's figures have been as they are for long enough."""
    return now - last.made_at >= _RENEWED_AFTER


def is_told(last: PageSummary, tenant: Tenant, stores: Stores, night: Night, now: datetime) -> bool:
    """Whether a tenant's last page is of this day, and tells all that was wrong with a run and with the sources since.

    What is no longer wrong is not to be told either; what a run only remarks may stay on the page for its day.
    """
    rejected = {f"rejected {name}" for name, source in night.sources.items() if source.rejected}
    today = now.astimezone(tenant.zone).date()
    standing = list_standings(tenant, stores, [night], {}, now)
    faults = [*map(str, tenant.faults)]
    found = list_findings(Situation(tenant.slug, now, today, [night], standing, file_faults=faults))
    return (
        last.made_at.astimezone(tenant.zone).date() == today
        and last.wrong == make_digest(found)
        and rejected | list_remarks(found) <= set(last.remarks)
    )

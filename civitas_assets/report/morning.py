"""Everything that a tenant's page says, gathered once, in no language yet.

Figures come from the published tables and are missing where there are none; outcomes come from the stores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

import msgspec

from civitas_assets.catalog import Tenant
from civitas_assets.dictionary.contracts import Contract
from civitas_assets.errors import PublishError
from civitas_assets.publish.reading import PublishedTables, open_published
from civitas_assets.report.findings import Finding, Situation, list_findings
from civitas_assets.report.places import Geography, read_geography
from civitas_assets.report.quality import (
    Covered,
    Quality,
    Rejection,
    read_coverage,
    read_quality,
    read_rejections,
)
from civitas_assets.report.query_rows import read_rows
from civitas_assets.report.series import Panel, read_panels
from civitas_assets.report.source_standings import SourceStanding, list_standings, read_newest
from civitas_assets.settings import Settings
from civitas_assets.store.nights import Night, NightBook
from civitas_assets.store.stores import Stores

State = Literal["failed", "errors", "warnings", "fine"]

WINDOW_DAYS = 28
NIGHTS = 14
_NOTHING_WORKS = frozenset({"never_run", "no_run", "no_output", "step_failed", "unreadable"})


class _Count(msgspec.Struct, frozen=True):
    name: str
    records: int


@dataclass(frozen=True)
class Figures:
    """What the published tables say."""

    row_counts: Mapping[str, int]
    newest: Mapping[str, datetime]
    panels: Sequence[Panel]
    more_panels: int
    quality: Sequence[Quality]
    doubtful_days: Mapping[date, Mapping[str, int]]
    rejections: Sequence[Rejection]
    coverage: Mapping[str, Mapping[date, Covered]]
    geography: Geography


@dataclass(frozen=True)
class Morning:
    """What there is to say to one tenant in the morning."""

    tenant: Tenant
    now: datetime
    first: date
    last: date
    nights: Sequence[Night]
    standings: Sequence[SourceStanding]
    findings: Sequence[Finding]
    figures: Figures | None
    contracts: Mapping[str, Contract] = field(repr=False)

    @property
    def state(self) -> State:
        """The worst of all findings in one word."""
        worst = {finding.severity for finding in self.findings}
        if any(finding.kind in _NOTHING_WORKS for finding in self.findings):
            return "failed"
        return "errors" if "error" in worst else "warnings" if "warning" in worst else "fine"

    @property
    def days(self) -> list[date]:
        """The days of the window, in order."""
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    def find_title(self, source: str) -> str:
        """What a source is called; its key where the tenant no longer has it."""
        known = self.tenant.sources.get(source)
        return known.title if known else source

    def count(self, severity: str) -> int:
        """How many findings weigh so much."""
        return sum(finding.severity == severity for finding in self.findings)


def gather_morning(
    settings: Settings, tenant: Tenant, stores: Stores, contracts: Mapping[str, Contract], now: datetime
) -> Morning:
    """Read outcomes and figures; what cannot be read is a finding, and no reason to say nothing."""
    last = now.astimezone(tenant.zone).date()
    first = last - timedelta(days=WINDOW_DAYS - 1)
    nights = NightBook(stores.files, tenant.slug).read_last(60)
    figures, unreadable, has_output = _figures(settings, tenant, contracts, first, last)
    standing = list_standings(tenant, stores, nights, figures.newest if figures else {}, now)
    situation = Situation(
        tenant=tenant.slug,
        now=now,
        today=last,
        nights=nights,
        has_output=has_output,
        waiting_days=len(stores.journal.read_pending().days),
        standings=standing,
        rejections=figures.rejections if figures else (),
        silent=figures.geography.silent if figures else (),
        coverage={n: d for n, d in figures.coverage.items() if n in tenant.sources} if figures else {},
        window=WINDOW_DAYS,
        file_faults=[*map(str, tenant.faults)],
    )
    found = list_findings(situation)
    if unreadable:
        command = f"civitas rebuild {tenant.slug}"
        found.insert(0, Finding("unreadable", "error", command, detail=unreadable))
    return Morning(tenant, now, first, last, nights[:NIGHTS], standing, found, figures, contracts)


def _figures(
    settings: Settings, tenant: Tenant, contracts: Mapping[str, Contract], first: date, last: date
) -> tuple[Figures | None, str, bool]:
    """The figures; without them why, and whether there is any output at all."""
    try:
        opened = open_published(settings, tenant.slug)
        with opened as tables:
            try:
                return _read(tables, tenant, contracts, first, last), "", True
            except PublishError as error:
                return None, str(error), True
    except PublishError:
        return None, "", False


def _read(
    tables: PublishedTables, tenant: Tenant, contracts: Mapping[str, Contract], first: date, last: date
) -> Figures:
    there = tables.list_models()
    counts = " union all ".join(
        f"select '{name}' as name, count(*) as records from \"{name}\""  # noqa: S608 - names of our own models
        for name in contracts
        if name in there
    )
    panels, more = read_panels(tables, first, last, tenant.timezone)
    quality, doubtful = read_quality(tables, first, last)
    return Figures(
        row_counts={row.name: row.records for row in read_rows(tables, counts, [], _Count)} if counts else {},
        newest=read_newest(tables, first),
        panels=panels,
        more_panels=more,
        quality=quality,
        doubtful_days=doubtful,
        rejections=read_rejections(tables, first, last),
        coverage=read_coverage(tables, first, last),
        geography=read_geography(tables, tenant.bbox, last),
    )

"""What the operator's page says of a tenant: a short summary, kept when the tenant's own page is made.

So the operator's page needs no tenant's tables, and is made in a moment for hundreds of tenants.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, datetime

import msgspec

from civitas_assets.catalog import Tenant
from civitas_assets.report.findings import Finding
from civitas_assets.report.morning import Morning, State
from civitas_assets.report.source_standings import EXPECTED_WITHIN
from civitas_assets.store.nights import Night

_MOST_FINDINGS = 3
# What runs tell of what they have done, so that one with nothing to do tells nothing of it.
_REMARKS: Mapping[str, str] = {
    "unmapped": "rejected",
    "rejected": "rejected",
    "test_warned": "warned",
    "unfilled": "unfilled",
}
# What only the published tables tell.
_OF_FIGURES = frozenset({"quiet", "silent", "gaps", "unreadable", "no_output"})
_ORDER: Mapping[str, int] = {"failed": 0, "errors": 1, "warnings": 2, "fine": 3}


class Topic(msgspec.Struct, frozen=True):
    """A finding in short: its kind, the source by its title, what its text tells, and the command that helps."""

    kind: str
    severity: str
    source: str
    command: str
    facts: Mapping[str, str | int | float | list[str] | None] = {}
    moments: Mapping[str, datetime] = {}
    days: Mapping[str, date] = {}

    @property
    def values(self) -> Mapping[str, object]:
        """What fills the finding's text."""
        return {**self.facts, **self.moments, **self.days}


class PageSummary(msgspec.Struct, frozen=True):
    """A tenant at the time when its page was made.

    `wrong` is the digest of what the page tells to be wrong with runs and sources, `remarks` are what it tells beside.
    """

    tenant: str
    name: str
    state: State
    made_at: datetime
    last_run_at: datetime | None
    published: bool
    sources: int
    sources_ok: int
    errors: int
    warnings: int
    new: int
    rejected: int
    observations: int
    newest_at: datetime | None
    topics: tuple[Topic, ...]
    wrong: str = ""
    remarks: tuple[str, ...] = ()

    def as_of(self, now: datetime) -> PageSummary:
        """The same tenant now: where no run came since, that itself is what is wrong."""
        known = any(topic.kind == "no_run" for topic in self.topics)
        if known or self.last_run_at is None or now - self.last_run_at <= EXPECTED_WITHIN:
            return self
        command, since = f"civitas run --tenant {self.tenant}", {"since": self.last_run_at}
        missing = Topic("no_run", "error", "", command, moments=since)
        return msgspec.structs.replace(
            self, state="failed", errors=self.errors + 1, topics=(missing, *self.topics)[:_MOST_FINDINGS]
        )

    @property
    def urgency(self) -> tuple[int, int, int, str]:
        """Sorts the most urgent first."""
        return _ORDER[self.state], -self.errors, -self.warnings, self.name


def build_page_summary(morning: Morning) -> PageSummary:
    """The tenant in short."""
    last: Night | None = morning.nights[0] if morning.nights else None
    sources = last.sources.values() if last else ()
    figures, tenant = morning.figures, morning.tenant
    return PageSummary(
        tenant=tenant.slug,
        name=tenant.name,
        state=morning.state,
        made_at=morning.now,
        last_run_at=last.started_at if last else None,
        published=last.published if last else False,
        sources=len(morning.standings),
        sources_ok=sum(standing.status.is_ok for standing in morning.standings),
        errors=morning.count("error"),
        warnings=morning.count("warning"),
        new=sum(source.new for source in sources),
        rejected=sum(source.rejected for source in sources),
        observations=figures.row_counts.get("observation", 0) if figures else 0,
        newest_at=max(figures.newest.values(), default=None) if figures else None,
        topics=tuple(_topic(finding, tenant) for finding in morning.findings[:_MOST_FINDINGS]),
        wrong=make_digest(morning.findings),
        remarks=tuple(sorted(list_remarks(morning.findings))),
    )


def make_digest(found: Iterable[Finding]) -> str:
    """What stands for all that is wrong, as far as every run can tell it."""
    wrong = [f for f in found if f.kind not in _OF_FIGURES and f.kind not in _REMARKS]
    told = sorted((finding.kind, finding.source, finding.detail) for finding in wrong)
    return hashlib.sha256(repr(told).encode()).hexdigest()


def list_remarks(found: Iterable[Finding]) -> frozenset[str]:
    """What was rejected, warned of or left empty, by source, test and model."""
    return frozenset(
        f"{_REMARKS[f.kind]} {f.source or f.values.get('step') or f.values.get('what')}"
        for f in found
        if f.kind in _REMARKS
    )


def _topic(finding: Finding, tenant: Tenant) -> Topic:
    known = tenant.sources.get(finding.source)
    moments = {name: value for name, value in finding.values.items() if isinstance(value, datetime)}
    days = {
        name: value
        for name, value in finding.values.items()
        if isinstance(value, date) and name not in moments
    }
    return Topic(
        kind=finding.kind,
        severity=finding.severity,
        source=known.title if known else finding.source,
        command=finding.command,
        facts={
            name: value
            if value is None or (isinstance(value, int | float | str | list) and not isinstance(value, bool))
            else str(value)
            for name, value in finding.values.items()
            if name not in moments and name not in days
        },
        moments=moments,
        days=days,
    )

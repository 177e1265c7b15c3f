"""What is wrong, what is missing because of it, and the command that puts it right: the list that is worked off.

Findings are facts without language; how they read is in `texts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from civitas_assets.errors import HttpStatusError, Problem, SecretMissing
from civitas_assets.report.places import Silent
from civitas_assets.report.quality import Covered, Rejection
from civitas_assets.report.source_standings import EXPECTED_WITHIN, SourceStanding
from civitas_assets.store.nights import Night

Severity = Literal["error", "warning", "note"]

UNMAPPED = frozenset({"unknown_observed_property", "unknown_unit", "unconvertible_unit"})
_ORDER: Mapping[str, int] = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True)
class Finding:
    """One thing to know or to do: `kind` names its text, `values` fill it, `detail` is what the machine said."""

    kind: str
    severity: Severity
    command: str
    source: str = ""
    detail: str = ""
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Situation:
    """All that findings are worked out from; what the published tables tell may be left out."""

    tenant: str
    now: datetime
    today: date
    nights: Sequence[Night]
    standings: Sequence[SourceStanding]
    waiting_days: int = 0
    has_output: bool = True
    rejections: Sequence[Rejection] = ()
    silent: Sequence[Silent] = ()
    coverage: Mapping[str, Mapping[date, Covered]] = field(default_factory=dict)
    window: int = 0
    file_faults: Sequence[str] = ()  # of the tenant's file, while its last good state holds


def list_findings(situation: Situation) -> list[Finding]:
    """Everything there is to know, the worst first."""
    found = [
        *_of_the_file(situation),
        *_of_the_run(situation),
        *_of_sources(situation),
        *_of_what_is_missing(situation),
        *_of_rejections(situation),
    ]
    return sorted(found, key=lambda finding: _ORDER[finding.severity])


def _of_the_file(s: Situation) -> Iterator[Finding]:
    if s.file_faults:
        values = {"count": len(s.file_faults)}
        yield Finding("file", "error", "civitas validate", detail="; ".join(s.file_faults), values=values)


def _of_the_run(s: Situation) -> Iterator[Finding]:
    again = f"civitas run --tenant {s.tenant}"
    last = s.nights[0] if s.nights else None
    if last is None:
        yield Finding("never_run", "error", again)
    else:
        if s.now - last.started_at > EXPECTED_WITHIN:
            yield Finding("no_run", "error", again, values={"since": last.started_at})
        for failure in last.failures:
            yield Finding(
                "step_failed",
                "error",
                again,
                detail=failure.message,
                values={"step": failure.name, "days": s.waiting_days},
            )
        for warning in last.warnings:
            yield Finding("test_warned", "note", again, detail=warning.message, values={"step": warning.name})
        for name in last.unfilled:
            yield Finding("unfilled", "note", f"civitas rebuild {s.tenant}", values={"what": name})
    if not s.has_output and last and not last.failures:
        yield Finding("no_output", "error", again)


def _of_sources(s: Situation) -> Iterator[Finding]:
    for standing in s.standings:
        again = f"civitas run --tenant {s.tenant} --sources {standing.name}"
        known, state = standing.known, standing.state
        if known.error:
            yield Finding(
                _reason(known.error),
                "error",
                _with_secret(known.error, again),
                standing.name,
                known.error.text,
                {"since": standing.failed_since, "newest": standing.newest_at or known.brought_at},
            )
        if known.unread or known.read_error:
            yield Finding(
                "unread" if known.unread else "unusable",
                "error",
                f"civitas validate && {again}",
                standing.name,
                str(known.read_error or ""),
                {"payloads": known.unread, "since": standing.failed_since},
            )
        if state == "never" and s.nights:
            yield Finding("never", "warning", again, standing.name)
        if state == "late":
            yield Finding("late", "warning", again, standing.name, values={"since": known.answered_at})
        if state == "quiet":
            yield Finding("quiet", "warning", again, standing.name, values={"since": standing.newest_at})
        for note in known.notes:
            yield Finding("noted", "note", f"civitas status {s.tenant}", standing.name, note.text)


def _reason(error: Problem) -> str:
    """The kind of failure, as far as it tells what to do."""
    if error.code == SecretMissing.code:
        return "secret_missing"
    if error.code != HttpStatusError.code:
        return "fetch_failed"
    status = int(error.params["status"])
    if status in {401, 403}:
        return "not_allowed"
    if status in {404, 410}:
        return "not_there"
    return "server_down" if status >= 500 or status == 429 else "fetch_failed"


def _with_secret(error: Problem, command: str) -> str:
    return f"export {error.params['name']}=… && {command}" if error.code == SecretMissing.code else command


def _of_what_is_missing(s: Situation) -> Iterator[Finding]:
    if s.silent:
        yield Finding(
            "silent",
            "warning",
            _query(
                s.tenant,
                "select station_key, max(day) as last_day from coverage where value_count > 0"
                " group by all order by last_day limit 20",
            ),
            values={
                "stations": len(s.silent),
                "names": [station.name for station in s.silent[:5]],
                "since": min(station.last_day for station in s.silent),
            },
        )
    failing = {standing.name for standing in s.standings if standing.state in {"failing", "unread"}}
    for source, days in s.coverage.items():
        missing = find_gaps(days, s.today, s.window)
        if missing and source not in failing:
            yield Finding(
                "gaps",
                "note",
                f"civitas run --tenant {s.tenant} --sources {source}"
                f" --from {missing[0].isoformat()} --to {missing[-1].isoformat()}",
                source,
                values={"days": len(missing), "first": missing[0], "last": missing[-1]},
            )


def _query(tenant: str, sql: str) -> str:
    return f'civitas query {tenant} "{sql}"'


def find_gaps(days: Mapping[date, Covered], today: date, window: int) -> list[date]:
    """The days of the window without any record, after the source's first one and before its last one."""
    if not days:
        return []
    first, last = max(min(days), today - timedelta(days=window)), max(days)
    span = [first + timedelta(days=n) for n in range((last - first).days)]
    return [day for day in span if day not in days]


def _of_rejections(s: Situation) -> Iterator[Finding]:
    fresh = [
        r
        for r in s.rejections
        if r.last_received_at is not None and s.now - r.last_received_at <= EXPECTED_WITHIN
    ]
    for source in dict.fromkeys(r.source for r in fresh):
        of_source = [r for r in fresh if r.source == source]
        unmapped = [r for r in of_source if r.rule in UNMAPPED]
        others = [r for r in of_source if r.rule not in UNMAPPED]
        if unmapped:
            yield Finding(
                "unmapped",
                "warning",
                f"civitas mappings {s.tenant}",
                source,
                unmapped[0].example or "",
                {"records": sum(r.record_count for r in unmapped)},
            )
        if others:
            yield Finding(
                "rejected",
                "warning",
                f"civitas quarantine show {s.tenant} --source {source}",
                source,
                others[0].example or "",
                {"records": sum(r.record_count for r in others), "rule": others[0].rule},
            )

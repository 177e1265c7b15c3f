"""The command `discover`: what national services and catalogues of open data have for a tenant, as YAML for its file.

Nothing is written but the report that somebody asks for.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from civitas_assets.cli.app import Tenant, app, err, make_table, out, quote, read_settings

if TYPE_CHECKING:
    from civitas_assets.discover.dataset_findings import DatasetFinding

_SHOWN = 15


@app.command()
def discover(
    tenant: Tenant,
    catalogue: Annotated[
        list[str] | None,
        typer.Option(
            "--catalogue", "-c", metavar="URL", help="Search this catalogue for the municipality; repeatable."
        ),
    ] = None,
    *,
    national: Annotated[
        bool, typer.Option(help="Ask national services what they have in the tenant's box.")
    ] = True,
    everything: Annotated[
        bool, typer.Option("--everything", help="Take all of the catalogues for the tenant's.")
    ] = False,
    probes: Annotated[int, typer.Option(min=0, help="Fetch and read so many distributions at most.")] = 40,
    minutes: Annotated[float, typer.Option(min=0.1, help="Ask for so long at most.")] = 10.0,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write what was found as JSON; where the file is there, say first what is new or gone since.",
        ),
    ] = None,
) -> None:
    """Find sources for a tenant in national services and catalogues, and propose them as YAML, the best first."""
    from civitas_assets.cli.stores import Site
    from civitas_assets.discover.dataset_findings import (
        compare_findings,
        read_findings,
        select_proposals,
        write_findings,
    )
    from civitas_assets.discover.discovery import discover_sources
    from civitas_assets.ingest.apart import fork_reader

    fork_reader()  # while nothing has run here
    settings = read_settings()
    # What is tried and does not fit is no news; what comes of it is shown.
    logging.getLogger("civitas_assets").addHandler(logging.NullHandler())
    before = read_findings(report) if report is not None else None
    site = Site.open(settings, tenant)
    found = discover_sources(
        settings,
        site.tenant,
        catalogue or [],
        seconds=60 * minutes,
        probes=probes,
        is_national=national,
        is_everything=everything,
    )
    for note in found.notes:
        err.say_note(note)
    proposals = select_proposals(found.findings)
    if proposals:
        out.say("sources:")
        for finding in proposals:
            out.say(_comment(finding) + finding.yaml)
    _show_rest(found.findings)
    if before is not None:
        difference = compare_findings(before, found.findings)
        for what, titles in (("new", difference.new), ("gone", difference.gone)):
            shown = f": {quote('; '.join(titles[:_SHOWN]))}" if titles else ""
            err.print(f"{what} since the last report: {len(titles)}{shown}", soft_wrap=True)
    if report is not None:
        write_findings(report, found.findings)
        err.say(f"wrote {report}")


def _comment(finding: DatasetFinding) -> str:
    """Where it is from, and what a sample gave."""
    from civitas_assets.inert import escape_control_characters

    kind = f" of {finding.record_type}" if finding.record_type else ""
    read = (
        f"{finding.records:,} records{kind}, {finding.rejected:,} rejected"
        if finding.records
        else "not read yet"
    )
    text = f"{finding.title}: {read}; {finding.relevance}; {finding.catalogue}"
    return f"  # {' '.join(escape_control_characters(text).split())}\n"


def _show_rest(findings: Sequence[DatasetFinding]) -> None:
    from civitas_assets.discover.looking import count_reasons

    counts = {
        state: sum(f.state == state for f in findings)
        for state in ("proposed", "configured", "unread", "not_looked_at")
    }
    err.print(
        f"{len(findings)} found: {counts['proposed']} proposed, {counts['configured']} are sources already, "
        f"{counts['unread']} cannot be read, {counts['not_looked_at']} were not looked at"
    )
    reasons = count_reasons(findings)
    if reasons:
        table = make_table("datasets", "why not")
        for reason, count in [*reasons.items()][:_SHOWN]:
            table.add_row(str(count), quote(reason))
        err.print(table)

"""The command `replay`: landing is read again with today's mapping, what would change is shown, and then done.

How that is worked out is in the package `ingest`.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from civitas_assets.cli.app import (
    Sources,
    Tenant,
    app,
    err,
    exit_unless,
    make_table,
    out,
    quote,
    read_settings,
    show_log,
)
from civitas_assets.cli.runs import run_and_report
from civitas_assets.cli.stores import Site, make_run_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from civitas_assets.catalog import Window
    from civitas_assets.ingest.rehearse import Rehearsal
    from civitas_assets.ingest.replay import DayCounts, ReplayPlan, TableDiff

_DAYS_SHOWN = 31
_CELL = 40
_NUMBERS = {"new", "changed", "vanished", "identical", "rejected", "rows"}


@app.command()
def replay(
    tenant: Tenant,
    *,
    first: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY", help="First day of events.")
    ],
    last: Annotated[
        datetime,
        typer.Option("--to", formats=["%Y-%m-%d"], metavar="DAY", help="Last day of events, included."),
    ],
    sources: Sources = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Read landing again with today's mapping: show what would change, and after a yes append and publish it.

    Nothing is overwritten or fetched: what changes becomes a further revision. To undo a replay, put the former mapping
    back and replay the same days again.
    """
    from civitas_assets.catalog import Window
    from civitas_assets.connectors.registry import CONNECTORS
    from civitas_assets.ingest.rehearse import rehearse_source
    from civitas_assets.ingest.replay import plan_replay

    if last < first:
        raise typer.BadParameter("is before --from", param_hint="--to")
    settings = read_settings()
    show_log(settings)
    site, days = Site.open(settings, tenant), Window(first.date(), last.date())
    run_id = make_run_id("replay")
    proposals: list[ReplayPlan] = []
    rehearsals: dict[str, Rehearsal] = {}
    with ExitStack() as kept:
        for name, source in site.select_sources(sources).items():
            again = rehearse_source(
                site.tenant,
                source,
                CONNECTORS[source.connector],
                site.stores,
                settings.workspaces,
                run_id,
                days=days,
            )
            rehearsals[name] = kept.enter_context(again)
            proposals.append(plan_replay(rehearsals[name], site.stores, days))
        _print(tenant, days, proposals)
        readable = not any(proposal.problems for proposal in proposals)
        changing = {proposal.source for proposal in proposals if proposal}
        if not changing or dry_run:
            exit_unless(readable)
            return
        if not (yes or _agreed()):
            err.print("nothing was changed")
            raise typer.Exit(1)
        _apply(site, days, {name: rehearsals[name] for name in rehearsals if name in changing})
    outcomes = run_and_report(settings, [tenant], fetch=False)
    exit_unless(readable and all(outcome.ok for outcome in outcomes))


def _agreed() -> bool:
    """Whether a person says yes; where nobody can be asked, that has to be said beforehand."""
    if not sys.stdin.isatty():
        err.print("nobody can be asked here: --yes says that these changes are wanted")
        return False
    return typer.confirm("Append these changes as new revisions, and publish them?")


def _apply(site: Site, days: Window, rehearsals: Mapping[str, Rehearsal]) -> None:
    from civitas_assets.ingest.replay import replay_source as append

    with site.lock():
        for name, rehearsal in rehearsals.items():
            counts = append(rehearsal, site.tenant, site.stores, days).counts.values()
            err.print(
                f"{name}: {sum(c.new for c in counts):,} new records and {sum(c.changed for c in counts):,} revisions, "
                f"{sum(c.deleted for c in counts):,} of which take a record away"
            )
        site.summarise()


def _print(tenant: str, days: Window, proposals: list[ReplayPlan]) -> None:
    table = make_table(
        "source", "records", "day", "new", "changed", "vanished", "identical", "rejected", numbers=_NUMBERS
    )
    for proposal in proposals:
        for difference in proposal.differences:
            total = difference.total()
            _row(table, proposal.source, difference.record_type, "all", total, f"{difference.rejected:,}")
            for day, tally in _changing(difference)[:_DAYS_SHOWN]:
                _row(table, "", "", str(day), tally, "")
            more = len(_changing(difference)) - _DAYS_SHOWN
            if more > 0:
                table.add_row("", "", f"and {more} more", *[""] * 5)
    out.print(f"{tenant}, {days.first} to {days.last}, by today's mapping:")
    out.print(table)
    _print_columns(proposals)
    for proposal in proposals:
        if proposal.missing:
            err.print(
                f"[yellow]note[/]  {proposal.source}: {proposal.missing} payload(s) are not in landing any more; "
                "their records stay"
            )
        for text in map(str, proposal.problems):
            err.say_error(f"{proposal.source}: {text}")
    if not any(proposals):
        out.print("nothing would change")


def _print_columns(proposals: list[ReplayPlan]) -> None:
    table = make_table("records", "column", "changed", "for example", "now", "then", numbers=_NUMBERS)
    for proposal in proposals:
        for difference in proposal.differences:
            for name, column in difference.columns.items():
                cells = (f"{proposal.source} {difference.record_type}", name, f"{column.changed:,}")
                for example in column.examples:
                    shown = (example.key, example.before, example.after)
                    table.add_row(*cells, *(quote(text[:_CELL]) for text in shown))
                    cells = ("", "", "")
    if table.row_count:
        out.print(table)


def _changing(difference: TableDiff) -> list[tuple[object, DayCounts]]:
    days = [(day, t) for day, t in difference.days.items() if t.new or t.changed or t.vanished]
    return sorted(((day, t) for day, t in days if day is not None), key=lambda found: str(found[0]))


def _row(table: Table, source: str, record_type: str, day: str, tally: DayCounts, rejected: str) -> None:  # noqa: PLR0917
    numbers = (tally.new, tally.changed, tally.vanished, tally.identical)
    table.add_row(source, record_type, day, *(f"{number:,}" for number in numbers), rejected)

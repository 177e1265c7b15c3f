"""The commands `quarantine list`, `show`, `retry`, `discard` and `restore`: what was rejected, and what becomes of it.

What a rule means is in the docs; how rows are tried again is in the package `ingest`.
"""

from __future__ import annotations

import getpass
import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

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
from civitas_assets.cli.arguments import Commands
from civitas_assets.cli.runs import run_and_report
from civitas_assets.cli.stores import Site, make_run_id
from civitas_assets.inert import escape_json

if TYPE_CHECKING:
    import polars as pl

quarantine = Commands(
    name="quarantine", help="See rejected rows, try them again, or discard them.", no_args_is_help=True
)
app.add_typer(quarantine)

_EXAMPLE = 60
_NUMBERS = {"rows", "accepted", "still rejected", "not readable", "new", "changed"}
_GROUP = ("source", "record_type", "rule", "field")

RecordType = Annotated[str | None, typer.Option("--record-type", help="Only this record type.")]
Rule = Annotated[str | None, typer.Option("--rule", help="Only rows that broke this rule.")]
Field = Annotated[str | None, typer.Option("--field", help="Only rows that broke it in this field.")]
Ids = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]...", help="Only these rows, as show names them.")
]
Discarded = Annotated[bool, typer.Option("--discarded", help="Rows that were discarded, instead.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, one object per line.")]
All = Annotated[bool, typer.Option("--all", help="All rows; without, name ids or narrow them down.")]


@quarantine.command("list")
def list_(
    tenant: Tenant, sources: Sources = None, discarded: Discarded = False, as_json: AsJson = False
) -> None:
    """Count rejected rows by source, record type, rule and field, the most frequent first."""
    import polars as pl

    rows = _chosen(Site.open(read_settings(), tenant), discarded=discarded, sources=sources)
    groups = (
        rows.group_by(_GROUP)
        .agg(
            pl.len().alias("rows"),
            pl.col("day").min().alias("first"),
            pl.col("day").max().alias("last"),
            pl.coalesce("detail", "raw").first().alias("example"),
        )
        .sort("rows", *_GROUP, descending=[True, *[False] * len(_GROUP)])
    )
    if as_json:
        _print_json(groups)
        return
    table = make_table(
        "source", "records", "rule", "field", "rows", "first", "last", "example", numbers=_NUMBERS
    )
    for row in groups.iter_rows():
        *names, count, first, last, example = row
        cells = (*(quote(name or "–") for name in names), f"{count:,}", str(first), str(last))
        table.add_row(*cells, quote((example or "")[:_EXAMPLE]))
    out.print(table)
    kind = "discarded" if discarded else "rejected"
    out.print(f"{rows.height:,} {kind} row(s)")


@quarantine.command()
def show(
    tenant: Tenant,
    ids: Ids = None,
    *,
    sources: Sources = None,
    record_type: RecordType = None,
    rule: Rule = None,
    field: Field = None,
    limit: Annotated[int, typer.Option(min=1, help="Print at most so many rows.")] = 20,
    discarded: Discarded = False,
    as_json: AsJson = False,
) -> None:
    """Show single rows: what was read, which rule it broke, and where it stands in which payload."""
    import polars as pl

    site = Site.open(read_settings(), tenant)
    rows = _chosen(site, ids, sources, record_type=record_type, rule=rule, field=field, discarded=discarded)
    shown = rows.head(limit)
    addresses = _addresses(site, shown)
    urls = [addresses.get((s, p), "") for s, p in shown.select("source", "payload").iter_rows()]
    shown = shown.with_columns(pl.Series("url", urls, pl.String))
    if as_json:
        _print_json(shown)
        return
    for row in shown.iter_rows(named=True):
        out.print(f"[bold]{row['id']}[/] {row['source']} · {row['record_type']}")
        where = f" in {row['field']}" if row["field"] else ""
        detail = f": {row['detail']}" if row["detail"] else ""
        lines = [
            f"{row['rule']}{where}{detail}",
            row["raw"],
            f"row {row['row']} of {row['url'] or 'an address that landing does not know any more'}",
            f"payload {row['payload']}, received {row['received_at']:%Y-%m-%d %H:%M} UTC",
        ]
        if discarded:
            lines.append(
                f"discarded {row['discarded_at']:%Y-%m-%d %H:%M} UTC by {row['discarded_by']}: {row['reason']}"
            )
        for line in lines:
            out.print(f"  {quote(line)}", soft_wrap=True)
    out.print(f"{shown.height:,} of {rows.height:,} row(s)")


@quarantine.command()
def retry(
    tenant: Tenant,
    ids: Ids = None,
    *,
    sources: Sources = None,
    record_type: RecordType = None,
    rule: Rule = None,
    field: Field = None,
) -> None:
    """Read rows again with today's mapping; what is accepted now becomes records and is published.

    An old row never replaces what a later payload has brought.
    """
    from civitas_assets.connectors.registry import CONNECTORS
    from civitas_assets.ingest.retry import retry_rows as try_again

    settings = read_settings()
    show_log(settings)
    site, run_id, accepted, errors = Site.open(settings, tenant), make_run_id("retry"), 0, list[str]()
    table = make_table(
        "source", "accepted", "still rejected", "not readable", "new", "changed", numbers=_NUMBERS
    )
    with site.lock():
        rows = _chosen(site, ids, sources, record_type=record_type, rule=rule, field=field)
        for (name,), part in rows.partition_by("source", as_dict=True, maintain_order=True).items():
            source = site.tenant.sources.get(str(name))
            if source is None:
                errors.append(f"{tenant} has no source {name} any more: put it back, or discard its rows")
                continue
            result = try_again(
                site.tenant, source, CONNECTORS[source.connector], site.stores, part, settings.workspaces, run_id
            )  # fmt: skip
            counts = result.report.counts.values()
            numbers = (result.accepted, result.rejected, result.unread)
            brought = (sum(c.new for c in counts), sum(c.changed for c in counts))
            table.add_row(source.name, *(f"{number:,}" for number in (*numbers, *brought)))
            accepted += result.accepted
            errors.extend(result.report.errors)
        site.summarise()
    out.print(table)
    for text in errors:
        err.say_error(text)
    outcomes = run_and_report(settings, [tenant], fetch=False) if accepted else []
    exit_unless(not errors and all(outcome.ok for outcome in outcomes))


@quarantine.command()
def discard(
    tenant: Tenant,
    ids: Ids = None,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why nobody needs them; it is kept with the rows.")],
    sources: Sources = None,
    record_type: RecordType = None,
    rule: Rule = None,
    field: Field = None,
    everything: All = False,
    by: Annotated[
        str | None, typer.Option("--by", help="Who decides; default: the user of this shell.")
    ] = None,
) -> None:
    """Put rows apart that nobody needs, with who says so, when and why; they are kept, and can be restored."""
    from civitas_assets.store.quarantine import Decision

    if not reason.strip():
        raise typer.BadParameter("say why", param_hint="--reason")
    _narrowed(ids, sources, record_type, rule, field, everything=everything)
    site = Site.open(read_settings(), tenant)
    decision = Decision(datetime.now(UTC), by or getpass.getuser(), reason.strip())
    with site.lock():
        rows = _chosen(site, ids, sources, record_type=record_type, rule=rule, field=field)
        for (name,), part in rows.partition_by("source", as_dict=True, maintain_order=True).items():
            _note(site, "discard", str(name), part)
            site.stores.quarantine.discard(str(name), part, decision)
        site.summarise()
    out.print(f"{rows.height:,} row(s) discarded; civitas quarantine restore {tenant} takes that back")
    _say_when(tenant, rows)


@quarantine.command()
def restore(
    tenant: Tenant,
    ids: Ids = None,
    *,
    sources: Sources = None,
    record_type: RecordType = None,
    rule: Rule = None,
    field: Field = None,
    everything: All = False,
) -> None:
    """Put discarded rows back into quarantine."""
    _narrowed(ids, sources, record_type, rule, field, everything=everything)
    site = Site.open(read_settings(), tenant)
    with site.lock():
        rows = _chosen(site, ids, sources, record_type=record_type, rule=rule, field=field, discarded=True)
        for (name,), part in rows.partition_by("source", as_dict=True, maintain_order=True).items():
            _note(site, "restore", str(name), part)
            site.stores.quarantine.restore(str(name), part)
        site.summarise()
    out.print(f"{rows.height:,} row(s) are in quarantine again")
    _say_when(tenant, rows)


def _narrowed(*given: object, everything: bool) -> None:
    """All rows are meant only if that is said."""
    if not any(given) and not everything:
        raise typer.BadParameter("name ids, narrow the rows down, or say --all", param_hint="ID")


def _note(site: Site, what: str, source: str, rows: pl.DataFrame) -> None:
    """The counts of rejected rows are published anew with the next run."""
    site.stores.journal.note(f"{make_run_id(what)}-{source}", rows["day"].unique().to_list())


def _say_when(tenant: str, rows: pl.DataFrame) -> None:
    if rows.height:
        err.print(f"{tenant}: the next run publishes the new counts")


def _chosen(
    site: Site,
    names: list[str] | None = None,
    sources: list[str] | None = None,
    *,
    discarded: bool = False,
    **wanted: str | None,
) -> pl.DataFrame:
    """The rows that are meant, by name, source and what else they have; a name that no row has is an error."""
    import polars as pl

    from civitas_assets.store.quarantine import make_row_ids

    rows = site.stores.quarantine.read_discarded() if discarded else site.stores.quarantine.read_rows()
    for name, value in wanted.items():
        rows = rows if value is None else rows.filter(pl.col(name) == value)
    if sources:
        rows = rows.filter(pl.col("source").is_in(sources))
    rows = rows.select(make_row_ids(rows), pl.all())
    unknown = sorted({*(names or ())} - {*rows["id"]})
    if unknown:
        raise typer.BadParameter(f"there is no such row: {', '.join(unknown)}", param_hint="ID")
    return rows.filter(pl.col("id").is_in(names)) if names else rows


def _addresses(site: Site, rows: pl.DataFrame) -> dict[tuple[str, str], str]:
    """Where payloads came from, by source and hash."""
    from civitas_assets.store.landing import SourceLanding

    found, hashes = dict[tuple[str, str], str](), {*rows["payload"]}
    for source in rows["source"].unique():
        landing = SourceLanding(site.stores.files, site.tenant.slug, source)
        lines = (line for manifest in landing.list_manifests() for line in manifest.lines)
        found |= {(source, line.sha256): line.url for line in lines if line.sha256 in hashes}
    return found


def _print_json(rows: pl.DataFrame) -> None:
    for row in rows.iter_rows(named=True):
        sys.stdout.write(escape_json(json.dumps(row, ensure_ascii=False, default=str)) + "\n")

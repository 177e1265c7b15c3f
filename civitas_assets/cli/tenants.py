"""Commands about a tenant itself: `tenant add`, `list`, `show`, `archive` and `grant`.

How it is handed over and how it goes is in `departure.py`; what is published of it is asked with `query` and `export`.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from civitas_assets.cli.app import Tenant, app, err, make_table, out, quote, read_settings

tenant_app = typer.Typer(
    help="A tenant's life: add, look at, archive, hand over, remove.", no_args_is_help=True
)
app.add_typer(tenant_app, name="tenant")

if TYPE_CHECKING:
    from civitas_assets.settings import Settings


@tenant_app.command()
def add(  # noqa: PLR0917 - options
    tenant: Annotated[
        str,
        typer.Argument(
            metavar="AGS|KEY",
            help="Its official municipality key, such as 05515000, or the new tenant's key, such as musterstadt; "
            "that becomes a folder.",
        ),
    ],
    name: Annotated[
        str | None, typer.Option(help="What it is called; by default as in the official list.")
    ] = None,
    ags: Annotated[
        str | None, typer.Option(help="Official municipality key, with a KEY of your own.")
    ] = None,
    bbox: Annotated[
        str | None,
        typer.Option(
            metavar="W,S,E,N",
            help="Where it is: west,south,east,north in degrees; by default by the official boundaries.",
        ),
    ] = None,
    timezone: Annotated[str, typer.Option(help="Whose calendar days partition its data.")] = "Europe/Berlin",
    destination: Annotated[str, typer.Option(help="duckdb or postgres.")] = "duckdb",
    *,
    defaults: Annotated[
        bool, typer.Option(help="Take over the sources of defaults.yaml, where there is one.")
    ] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the file instead of writing it.")] = False,
) -> None:
    """Write the file of a new tenant, with explanations of what it may say."""
    from civitas_assets.catalog.defaults import Defaults
    from civitas_assets.catalog.newcomer import make_newcomer
    from civitas_assets.catalog.starter import check_newcomer, write_tenant_file
    from civitas_assets.connectors.registry import SOURCE_MODELS

    box = None
    if bbox is not None:
        try:
            west, south, east, north = (float(part) for part in bbox.split(","))
        except ValueError:
            raise typer.BadParameter(
                f"{bbox!r}: write W,S,E,N, such as 7.47,51.84,7.77,52.06", param_hint="--bbox"
            ) from None
        box = (west, south, east, north)
    folder = read_settings().tenants_dir
    taken = defaults and Defaults(folder).file.is_file()
    newcomer, remarks = make_newcomer(tenant, name, ags, box, timezone, destination, takes_defaults=taken)
    for remark in remarks:
        err.say_note(remark)
    if dry_run:
        file = check_newcomer(folder, newcomer, SOURCE_MODELS)
        out.say(newcomer.render())
        err.say(f"nothing was written; without --dry-run, this is {file}")
        return
    file = write_tenant_file(folder, newcomer, SOURCE_MODELS)
    out.say(f"wrote {file}")
    out.say("Next:")
    out.say(f"  1. write its sources into {file.name}; each connector has a page in docs/connectors")
    out.say("  2. civitas validate")
    out.say(f"  3. civitas run --tenant {newcomer.slug}")
    if destination == "postgres":
        out.say(f"  4. civitas tenant grant {newcomer.slug}    for the roles of its analysts")
    out.say("A Dagster that is running has to load the tenants' files again: Deployment, Reload.")


@tenant_app.command("list")
def list_tenants() -> None:
    """List all tenants with what they share, how long they keep things, and when they were last published."""
    from civitas_assets.lifecycle.overview import read_published_at

    settings = read_settings()
    catalog = _catalog(settings)
    names = ("tenant", "name", "sources", "destination", "shares", "keeps", "last published", "")
    table = make_table(*names, numbers={"sources"})
    for slug, tenant in sorted(catalog.tenants.items()):
        table.add_row(
            slug, quote(tenant.name), str(len(tenant.sources)),
            ", ".join(tenant.destinations), f"{len(tenant.share)} tables",
            _kept(tenant), _moment(read_published_at(settings, tenant)),
            "file has faults" if tenant.faults else "archived" if tenant.archived else "",
        )  # fmt: skip
    for slug in catalog.left_out:
        table.add_row(slug, *[""] * 6, "file has faults: left out")
    out.print(table)


@tenant_app.command()
def show(tenant: Tenant) -> None:
    """Show what there is of a tenant: sources, sizes, days, and what it shares."""
    from civitas_assets.lifecycle.overview import read_overview
    from civitas_assets.store.storage import make_storage
    from civitas_assets.store.stores import Stores

    settings = read_settings()
    known = _catalog(settings).get_tenant(tenant)
    files = make_storage(settings).files
    seen = read_overview(
        settings, known, Stores.for_tenant(files, known.slug), list_parts_here(settings, known.slug)
    )
    first, last = (str(seen.days[0]), str(seen.days[-1])) if seen.days else ("", "")
    facts = {
        "name": known.name,
        "municipality key": known.ags,
        "state": "archived" if known.archived else "active",
        "destination": ", ".join(known.destinations),
        "last published": _moment(seen.published) or "never",
        "days recorded": f"{len(seen.days)}, from {first} to {last}" if seen.days else "none",
        "days to publish": str(seen.pending),
        "kept": _kept(known),
    }
    for share in known.share:
        without = f" without {', '.join(share.withhold)}" if share.withhold else ""
        facts[f"shares {share.table}"] = f"yes{without}"
    for name, text in facts.items():
        out.say(f"{name:<20} {text}")
    sources = make_table("source", "state", "connector", "licence", "last answered", "last new")
    for source in seen.sources:
        times = (_moment(source.fetched) or "never", _moment(source.changed) or "never")
        sources.add_row(quote(source.name), source.state, source.connector, source.licence, *times)
    out.print(sources)
    out.print(build_sizes_table(seen.parts))


@tenant_app.command()
def archive(
    tenant: Tenant, undo: Annotated[bool, typer.Option("--undo", help="Let it run again.")] = False
) -> None:
    """Let nothing run for a tenant any more; its data and what is published of it stay as they are."""
    from civitas_assets.catalog.starter import set_archived
    from civitas_assets.catalog.yaml_text import locate_file

    settings = read_settings()
    known = _catalog(settings).get_tenant(tenant)
    changed = set_archived(locate_file(settings.tenants_dir, known.slug), archived=not undo)
    state = "active" if undo else "archived"
    out.say(f"{known.slug} {'is' if changed else 'was already'} {state}")
    if changed:
        hint = "" if undo else f"; to undo it: civitas tenant archive {known.slug} --undo"
        out.say(f"A Dagster that is running has to load the tenants' files again{hint}")


@tenant_app.command()
def grant(
    tenant: Tenant,
    only_print: Annotated[
        bool, typer.Option("--print", help="Print the SQL, for somebody else to run.")
    ] = False,
    login: Annotated[
        str | None, typer.Option(help="Account that publishes; by default that of CIVITAS_POSTGRES_URL.")
    ] = None,
) -> None:
    """Print the SQL of a tenant's schemas and roles in PostgreSQL, then make them."""
    from civitas_assets.publish.postgres.postgres_names import Names
    from civitas_assets.publish.postgres.postgres_roles import grant_roles as make
    from civitas_assets.publish.postgres.postgres_roles import grants_sql, read_login
    from civitas_assets.publish.postgres.postgres_server import Server, to_statement_text

    settings, names = read_settings(), Names(tenant)
    server, query_login = Server.from_settings(settings), Server.find_query_login(settings, tenant)
    account = login or read_login(server)
    out.say("begin;")
    for statement in grants_sql(names, account, query_login):
        out.say(f"{to_statement_text(statement)};")
    out.say("commit;")
    if not only_print:
        make(server, names, account, query_login)
        err.say(f"{names.reader} and {names.writer} are there, at {server.address}")
        if query_login:
            err.say(f"{query_login} asks for civitas query; give it a password: \\password {query_login}")


def list_parts_here(settings: Settings, tenant: str) -> Any:
    """Everything of a tenant outside Dagster."""
    from civitas_assets.lifecycle.parts import list_tenant_parts
    from civitas_assets.store.storage import make_storage

    return list_tenant_parts(settings, make_storage(settings).files, tenant)


def build_sizes_table(sizes: Any) -> Table:
    """How much there is, by part."""
    table = Table(header_style="bold", box=SIMPLE_HEAD)
    for column in ("part", "files", "bytes", "rows"):
        table.add_column(column, justify="left" if column == "part" else "right")
    for name, size in sizes.items():
        if size:
            table.add_row(name, f"{size.files:,}", f"{size.bytes:,}", f"{size.rows:,}" if size.rows else "")
    return table


def _catalog(settings: Settings) -> Any:
    from civitas_assets.ingest.catalogue import load_catalogue

    return load_catalogue(settings)


def _kept(tenant: Any) -> str:
    limits = {"landing": tenant.retention.landing, "records": tenant.retention.records}
    return ", ".join(f"{name} {limit}" for name, limit in limits.items() if limit) or "for ever"


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else ""

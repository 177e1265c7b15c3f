"""The `civitas` command: what a data engineer does from the shell.

Commands parse, call the package and print; heavy imports wait until a command needs them.
"""

from __future__ import annotations

import json
import logging
import shutil
import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from civitas_assets.errors import CivitasError
from civitas_assets.settings import Settings

app = typer.Typer(
    name="civitas",
    help="Data integration for municipalities: sources in, harmonised tables per tenant out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
# Tables of results need room, also where the output is no terminal.
_WIDTH = max(110, shutil.get_terminal_size().columns)
out = Console(width=_WIDTH)
err = Console(stderr=True, width=_WIDTH)

DEMO_QUERY = (
    '"select station_id, day, sum(bicycle_count)::int as bicycles'
    ' from traffic_flow_observed group by all order by day desc, station_id limit 10"'
)
VERBATIM: Any = {"soft_wrap": True, "highlight": False, "markup": False}

Tenant = Annotated[str, typer.Argument(help="The tenant's key: the name of its file without .yaml.")]


def main() -> None:
    """Run the command; errors raised on purpose print their text and exit with 1."""
    try:
        app()
    except CivitasError as error:
        err.print(f"[bold red]error[/] {_plain(error)}", soft_wrap=True, highlight=False)
        sys.exit(1)


def _plain(text: object) -> str:
    from rich.markup import escape

    return escape(str(text))


def _show_log(settings: Settings) -> None:
    """Print the package's log as progress."""
    from rich.logging import RichHandler

    log = logging.getLogger("civitas_assets")
    log.setLevel(settings.log_level.upper())
    log.propagate = False
    if not log.handlers:
        handler = RichHandler(
            console=err, show_path=False, show_level=False, log_time_format="%H:%M:%S", markup=False
        )
        handler.setFormatter(logging.Formatter("%(message)s"))
        log.addHandler(handler)


@app.command()
def run(
    tenant: Annotated[
        list[str] | None, typer.Option("--tenant", "-t", help="Only this tenant; repeatable.")
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="First day to fetch, as 2026-08-01.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="Last day to fetch, included.")
    ] = None,
    sources: Annotated[
        str, typer.Option(metavar="A,B", help="Only these sources, separated by commas.")
    ] = "",
) -> None:
    """Fetch, read, harmonise and publish: the nightly job, now and in this shell.

    Exits with 0 only if every source answered, every payload could be read and every test passed.
    """
    settings = Settings()
    _show_log(settings)
    names = [name.strip() for name in sources.split(",") if name.strip()]
    if not run_and_report(settings, tenant, window=_window(first, last), sources=names):
        raise typer.Exit(1)


def _window(first: str | None, last: str | None) -> Any:
    from civitas_assets.catalog import Window

    if first is None and last is None:
        return None
    try:
        return Window(date.fromisoformat(first or last or ""), date.fromisoformat(last or first or ""))
    except ValueError as error:
        raise typer.BadParameter(f"{error}; write days as 2026-08-01", param_hint="--from/--to") from None


def run_and_report(
    settings: Settings,
    chosen: list[str] | None,
    *,
    window: Any = None,
    sources: list[str] | None = None,
    fetch: bool = True,
    rebuild: bool = False,
    own_instance: bool = False,
) -> bool:
    """Run tenant after tenant, print what became of each, and say whether all was well."""
    import dagster as dg

    from civitas_assets.definitions import build_definitions, load_deployment
    from civitas_assets.defs.runner import Order, run_tenant
    from civitas_assets.settings import dagster_home

    deployment = load_deployment(settings)
    tenants = [deployment.catalog.tenant(slug).slug for slug in chosen or sorted(deployment.catalog.tenants)]
    if not tenants:
        err.print(f"no tenants in {settings.tenants_dir}: add a file, or set CIVITAS_TENANTS_DIR")
        return False
    dagster_home(settings, own=own_instance)
    definitions = build_definitions(deployment)
    outcomes = []
    with dg.DagsterInstance.get() as instance:
        for slug in tenants:
            having = set(deployment.catalog.tenant(slug).sources)
            if sources and not having & set(sources) and not chosen:
                continue
            order = Order(window, tuple(sources or ()), fetch=fetch, rebuild=rebuild)
            outcomes.append(run_tenant(definitions, deployment, instance, slug, order))
    _print_outcomes(outcomes)
    return bool(outcomes) and all(outcome.ok for outcome in outcomes)


def _print_outcomes(outcomes: list[Any]) -> None:
    table = Table(header_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("tenant")
    for name in ("sources", "requests", "304", "new", "changed", "rejected", "days", "rows"):
        table.add_column(name, justify="right")
    table.add_column("result")
    for o in outcomes:
        numbers = (o.sources, o.requests, o.not_modified, o.new, o.changed, o.rejected, o.days, o.rows)
        nothing = o.ok and not o.days and not o.new
        result = "[green]nothing new[/]" if nothing else "[green]published[/]" if o.ok else "[red]failed[/]"
        table.add_row(o.tenant, *(f"{n:,}" for n in numbers), result)
    out.print(table)
    for o in outcomes:
        for text in o.errors:
            err.print(f"[red]error[/] {o.tenant}: {_plain(text)}", soft_wrap=True, highlight=False)
        for text in o.warnings:
            err.print(f"[yellow]note[/]  {o.tenant}: {_plain(text)}", soft_wrap=True, highlight=False)


@app.command()
def validate() -> None:
    """Check all tenants' files, without any network, and name every fault."""
    from civitas_assets.catalog import load_catalog
    from civitas_assets.connectors.registry import SOURCE_MODELS

    settings = Settings()
    catalog = load_catalog(settings.tenants_dir, SOURCE_MODELS)
    for slug, tenant in catalog.tenants.items():
        names = ", ".join(f"{name} ({source.connector})" for name, source in tenant.sources.items())
        out.print(f"[green]ok[/] {slug}: {len(tenant.sources)} source(s): {names or 'none'}", highlight=False)
    if not catalog.tenants:
        err.print(f"no tenants in {settings.tenants_dir}")
        raise typer.Exit(1)


@app.command()
def schema(
    file: Annotated[Path | None, typer.Argument(help="Where to write it; without, it is printed.")] = None,
) -> None:
    """Write the JSON Schema of tenants' files, for completion and checks in editors.

    In VS Code, put `# yaml-language-server: $schema=<file>` into the first line of a tenant's file.
    """
    from civitas_assets.catalog.schema import tenant_schema
    from civitas_assets.connectors.registry import SOURCE_MODELS

    text = json.dumps(tenant_schema(SOURCE_MODELS), indent=2, ensure_ascii=False)
    if file is None:
        sys.stdout.write(text + "\n")
    else:
        file.write_text(text + "\n", encoding="utf-8")
        err.print(f"wrote {file}", highlight=False)


@app.command()
def query(
    tenant: Tenant,
    sql: Annotated[str, typer.Argument(help="A query, such as: select * from station")],
    limit: Annotated[int, typer.Option(min=1, help="Print at most so many rows.")] = 40,
) -> None:
    """Ask a tenant's published tables, read-only, and print the answer."""
    from civitas_assets.publish.query import ask

    answer = ask(Settings(), tenant, sql, limit)
    table = Table(header_style="bold")
    for name, is_number in zip(answer.columns, answer.numeric, strict=True):
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for row in answer.rows:
        table.add_row(*("" if cell is None else _plain(cell) for cell in row))
    out.print(table)
    more = f", only the first {limit} are shown; see --limit" if answer.more else ""
    out.print(f"{len(answer.rows)} row(s){more}", highlight=False)


@app.command()
def rebuild(
    tenant: Tenant,
    records: Annotated[bool, typer.Option("--records", help="Read all of landing again first.")] = False,
) -> None:
    """Make a tenant's output anew from the record store; nothing is fetched.

    The old output is served until the new one is complete.
    """
    settings = Settings()
    _show_log(settings)
    if records:
        from civitas_assets.catalog import load_catalog
        from civitas_assets.connectors.registry import SOURCE_MODELS
        from civitas_assets.store.aside import put_records_aside

        known = load_catalog(settings.tenants_dir, SOURCE_MODELS).tenant(tenant)
        kept = put_records_aside(settings.home, known.slug)
        if kept:
            err.print(f"the records so far are kept in {kept}", highlight=False)
    if not run_and_report(settings, [tenant], fetch=False, rebuild=True):
        raise typer.Exit(1)


@app.command()
def demo(
    serve: Annotated[bool, typer.Option("--serve", help="Keep the sample servers up afterwards.")] = False,
) -> None:
    """Run three fictional towns against sample municipal servers on loopback; all data is synthetic."""
    from datetime import UTC, datetime

    from civitas_assets.demo.servers import start
    from civitas_assets.demo.towns import write_towns

    home = Settings().home / "demo"
    settings = Settings(home=home, tenants_dir=home / "tenants", published_dir=home / "published")
    _show_log(settings)
    with start(datetime.now(UTC).date()) as servers:
        towns = write_towns(settings.tenants_dir, servers.url)
        err.print(f"sample servers of {', '.join(towns)} on {servers.url}", highlight=False)
        fine = run_and_report(settings, towns, own_instance=True)
        here = home.relative_to(Path.cwd()) if home.is_relative_to(Path.cwd()) else home
        out.print(f"One DuckDB file per town is in {here}/published. To ask one of them:\n", highlight=False)
        out.print(f"  CIVITAS_HOME={here} {_own_command()} query {towns[0]} {DEMO_QUERY}\n", **VERBATIM)
        if serve:
            out.print("In another shell, the Dagster UI for these towns, as long as the servers run:\n")
            out.print(
                f"  CIVITAS_HOME={home} CIVITAS_TENANTS_DIR={settings.tenants_dir} make dev\n", **VERBATIM
            )
            out.print("Ctrl-C ends the servers.")
            servers.wait()
    if not fine:
        raise typer.Exit(1)


def _own_command() -> str:
    command = Path(sys.argv[0]).absolute()
    return str(command.relative_to(Path.cwd())) if command.is_relative_to(Path.cwd()) else command.name


if __name__ == "__main__":
    main()

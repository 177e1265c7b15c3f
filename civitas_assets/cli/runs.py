"""Commands that run the pipeline: `run` and `rebuild`.

The pipeline itself is the package `pipeline`.
"""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from civitas_assets.cli.app import Tenant, app, err, exit_unless, make_table, out, read_settings, show_log

if TYPE_CHECKING:
    from civitas_assets.settings import Settings


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
    settings = read_settings()
    show_log(settings)
    names = [name.strip() for name in sources.split(",") if name.strip()]
    outcomes = run_and_report(settings, tenant, window=_window(first, last), sources=names)
    exit_unless(bool(outcomes) and all(outcome.ok for outcome in outcomes))


@app.command()
def rebuild(
    tenant: Tenant,
    records: Annotated[bool, typer.Option("--records", help="Read all of landing again first.")] = False,
) -> None:
    """Make a tenant's output anew from the record store; nothing is fetched.

    The old output is served until the new one is complete.
    """
    settings = read_settings()
    show_log(settings)
    if records:
        from civitas_assets.ingest.catalogue import load_catalogue
        from civitas_assets.store.record_archive import archive_records
        from civitas_assets.store.storage import make_storage

        known, storage = (load_catalogue(settings).get_tenant(tenant), make_storage(settings))
        with storage.hold(known.slug):
            kept = archive_records(storage.files, known.slug)
        if kept:
            place = settings.storage_url or settings.home
            err.print(f"the records so far are kept in {place}/{kept}")
    outcomes = run_and_report(settings, [tenant], fetch=False, rebuild=True)
    exit_unless(all(outcome.ok for outcome in outcomes))


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
) -> list[Any]:
    """Run tenant after tenant, print what became of each, and return it."""
    with _loading():
        from civitas_assets.ingest.apart import fork_reader
        from civitas_assets.pipeline.deployment import load_deployment
        from civitas_assets.pipeline.runner import Order, build_file_outcome, run_tenant

    fork_reader()  # while nothing has run here
    deployment = load_deployment(settings)
    catalog = deployment.catalog
    faulty = {slug: catalog.left_out[slug] for slug in chosen or catalog.left_out if slug in catalog.left_out}
    tenants = [catalog.get_tenant(slug).slug for slug in chosen or catalog.active if slug not in faulty]
    if not tenants and not faulty:
        err.print(f"no tenants in {settings.tenants_dir}: add a file, or set CIVITAS_TENANTS_DIR")
        return []
    outcomes = [build_file_outcome(slug, faults) for slug, faults in faulty.items()]
    for slug in tenants:
        having = set(catalog.get_tenant(slug).sources)
        if sources and not having & set(sources) and not chosen:
            continue
        order = Order(window, tuple(sources or ()), fetch=fetch, rebuild=rebuild)
        outcomes.append(run_tenant(deployment, slug, order))
    _print_outcomes(outcomes)
    return outcomes


@contextmanager
def _loading() -> Iterator[None]:
    """Load modules that stay without looking for garbage among them, and have Ctrl-C end what waits then, too."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        # Polars 2.1 puts a handler over Python's that begins again what it interrupts: a wait would go on.
        signal.signal(signal.SIGINT, signal.getsignal(signal.SIGINT))
        gc.freeze()
        if was_enabled:
            gc.enable()


def _print_outcomes(outcomes: list[Any]) -> None:
    numbers = ("sources", "requests", "304", "new", "changed", "rejected", "days", "rows")
    table = make_table("tenant", *numbers, "result", numbers=numbers)
    for o in outcomes:
        numbers = (o.sources, o.requests, o.not_modified, o.new, o.changed, o.rejected, o.days, o.rows)
        nothing = o.ok and not o.days and not o.new
        if o.ok:
            result = "[green]nothing new[/]" if nothing else "[green]published[/]"
        else:
            result = "[yellow]published, with errors[/]" if o.path else "[red]failed[/]"
        table.add_row(o.tenant, *(f"{n:,}" for n in numbers), result)
    out.print(table)
    for o in outcomes:
        for text in o.errors:
            err.say_error(f"{o.tenant}: {text}")
        for text in o.warnings:
            err.say_note(f"{o.tenant}: {text}")

"""Commands with which a tenant's data go or come: `tenant export`, `import`, `retention` and `remove`.

What belongs to a tenant is known to the package `lifecycle`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from civitas_assets.cli.app import Tenant, err, exit_unless, out, read_settings, show_log
from civitas_assets.cli.tenants import build_sizes_table, list_parts_here, tenant_app

if TYPE_CHECKING:
    from civitas_assets.settings import Settings


@tenant_app.command()
def remove(
    tenant: Tenant,
    yes: Annotated[
        str, typer.Option(metavar="TENANT", help="The tenant's key once more, instead of being asked for it.")
    ] = "",
) -> None:
    """Remove a tenant for good: landing, records, outputs, what it shared, and its file; a report stays.

    If it is interrupted, the same command goes on.
    """
    import dagster as dg

    from civitas_assets.defs.history import build_history_part
    from civitas_assets.defs.shell_runs import record_shell_runs
    from civitas_assets.lifecycle.removal import measure_parts, remove_tenant
    from civitas_assets.report.kept_pages import BELOW
    from civitas_assets.settings import find_dagster_home
    from civitas_assets.store.storage import make_storage

    settings = read_settings()
    show_log(settings)
    find_dagster_home(settings)
    with dg.DagsterInstance.get() as instance:
        record_shell_runs(settings, instance)
        parts = [*list_parts_here(settings, tenant), build_history_part(instance, tenant)]
        out.say(f"This goes for good, from {settings.home} and {settings.published}:")
        out.print(build_sizes_table(measure_parts(tenant, parts)))
        given = yes or typer.prompt(
            f"To remove it, write the tenant's key ({tenant})", default="", show_default=False
        )
        if given != tenant:
            err.say(f"{given!r} is not {tenant}: nothing was removed")
            raise typer.Exit(1)
        report = remove_tenant(make_storage(settings), tenant, parts, lambda: datetime.now(UTC))
    if make_storage(settings).files.list_folders(BELOW):
        _renew_overview(settings)
    out.say(f"{tenant} is removed; the report is in removed/, with {len(report.parts)} parts")
    out.say("A Dagster that is running has to load the tenants' files again: Deployment, Reload.")


def _renew_overview(settings: Settings) -> None:
    """Make the page of all tenants that are still there."""
    from civitas_assets.ingest.catalogue import load_catalogue
    from civitas_assets.report.kept_pages import make_pages
    from civitas_assets.report.page import write_operator_page

    write_operator_page(settings, load_catalogue(settings), datetime.now(UTC), make_pages(settings))


@tenant_app.command()
def retention(
    tenants: Annotated[
        list[str] | None, typer.Option("--tenant", "-t", help="Only this tenant; repeatable.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go, and let nothing go.")
    ] = False,
) -> None:
    """Let go of what is older than tenants keep it, as it is done every night; the next run publishes it so."""
    from civitas_assets.defs.retention_job import apply_retention_to
    from civitas_assets.pipeline.deployment import load_deployment

    deployment = load_deployment(read_settings())
    chosen = [deployment.catalog.get_tenant(slug) for slug in tenants or deployment.catalog.active]
    fine = True
    for slug, expired, fault in apply_retention_to(deployment, chosen, dry_run=dry_run):
        said = f"{'would go: ' if dry_run and expired else ''}{expired}"
        (err if fault else out).say(f"{slug}: {fault or said}")
        fine = fine and not fault
    exit_unless(fine)


@tenant_app.command()
def export(
    tenant: Tenant,
    folder: Annotated[Path, typer.Argument(help="Folder to make; it must not be there yet.")],
    landing: Annotated[bool, typer.Option("--landing", help="With all bodies as received.")] = False,
) -> None:
    """Hand over everything that is a tenant's, for another operator: tables, records, contracts, catalogue."""
    from civitas_assets.harmonise.prepare import prepare_project
    from civitas_assets.ingest.catalogue import load_catalogue
    from civitas_assets.lifecycle.handover import hand_over
    from civitas_assets.store.storage import make_storage

    settings = read_settings()
    show_log(settings)
    known = load_catalogue(settings).get_tenant(tenant)
    handed = hand_over(
        settings,
        make_storage(settings),
        prepare_project(settings),
        known,
        folder,
        datetime.now(UTC),
        with_landing=landing,
    )
    out.say(f"{handed.files:,} files, {handed.bytes:,} bytes in {folder}")
    out.say(f"To check them there: cd {folder} && sha256sum --check --quiet checksums.sha256")


@tenant_app.command("import")
def import_tenant(
    folder: Annotated[Path, typer.Argument(help="Folder that `civitas tenant export` has made.")],
) -> None:
    """Take over a tenant that was handed over: every file is checked before and after it is stored.

    The tenant's file comes last. `civitas rebuild TENANT` makes then what is published.
    """
    from civitas_assets.lifecycle.takeover import take_over
    from civitas_assets.store.storage import make_storage

    settings = read_settings()
    show_log(settings)
    taken = take_over(settings, make_storage(settings), folder)
    out.say(f"{taken.tenant}: {taken.files:,} files, {taken.bytes:,} bytes, equal by their checksums")
    out.say(f"Next: civitas validate, then civitas rebuild {taken.tenant}")

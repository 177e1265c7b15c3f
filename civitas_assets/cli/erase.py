"""The command `erase`: one device or person goes from all that a tenant has.

What belongs to it, and where it is looked for, is decided in the package `lifecycle`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from civitas_assets.cli.app import Tenant, app, err, exit_unless, out, read_settings, show_log
from civitas_assets.cli.tenants import build_sizes_table

if TYPE_CHECKING:
    from civitas_assets.lifecycle.parts import Size


@app.command()
def erase(
    tenant: Tenant,
    where: Annotated[
        list[str],
        typer.Option(
            metavar="COLUMN=VALUE", help="What it is known by, such as station_id=dev-17; repeatable."
        ),
    ],
    exports: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FOLDER", help="Folder of exported files, of which those that hold it go; repeatable."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go, and let nothing go.")
    ] = False,
    yes: Annotated[
        str, typer.Option(metavar="TENANT", help="The tenant's key, instead of being asked for it.")
    ] = "",
) -> None:
    """Erase one device or person from all that a tenant has, publish what is left, and say what was found where.

    Looked through are answers as received, records, rejected rows, notes of runs, workspaces, dropped files that have
    landed, pages, Dagster's history and published tables, and the folders given with --exports. Things lead to what is
    told of them: station_id to datastreams and observations. It does not come back with a replay, nor when a source
    still has it. Backups, and files elsewhere, are not in reach.
    """
    import dagster as dg

    from civitas_assets.cli.runs import run_and_report
    from civitas_assets.cli.stores import Site
    from civitas_assets.defs.history_words import build_words_part
    from civitas_assets.defs.shell_runs import record_shell_runs
    from civitas_assets.lifecycle.erasure import Erasure, write_report
    from civitas_assets.lifecycle.erasure_published import count_published_rows
    from civitas_assets.settings import find_dagster_home

    settings = read_settings()
    show_log(settings)
    site, pairs, now = Site.open(settings, tenant), [_pair(text) for text in where], datetime.now(UTC)
    find_dagster_home(settings)
    with dg.DagsterInstance.get() as instance:
        record_shell_runs(settings, instance)
        with site.lock():
            erasure = Erasure(settings, site.stores, site.tenant, pairs, exports or [])

            def look() -> Mapping[str, Size]:
                known = build_words_part(instance, erasure.needles)
                published = dict(count_published_rows(settings, site.tenant, site.stores, erasure.needles))
                return {**erasure.find().places, **published, known.name: known.measure()}

            found = look()
            _show(found, "would go" if dry_run else "goes")
            if short := erasure.needles.short:
                err.say(f"{len(short)} value(s) are too short to be looked for in texts and answers")
            if dry_run:
                return
            given = yes or typer.prompt(
                f"To erase it, write the tenant's key ({tenant})", default="", show_default=False
            )
            if given != tenant:
                err.say(f"{given!r} is not {tenant}: nothing was erased")
                raise typer.Exit(1)
            erasure.erase(now, build_words_part(instance, erasure.needles).remove)
        outcomes = run_and_report(settings, [tenant], fetch=False)
        with site.lock():
            left = {place: size for place, size in look().items() if size}
            write_report(site.stores, site.tenant, now, found, left)
    if left:
        _show(left, "is still there: call it again, and see the errors above")
    fine = not left and all(outcome.ok for outcome in outcomes)
    if fine:
        out.say(f"{tenant}: nothing of it is left; it does not come back with a replay")
    exit_unless(fine)


def _show(found: Mapping[str, Any], what: str) -> None:
    if any(found.values()):
        out.say(f"This {what}:")
        out.print(build_sizes_table(found))
    else:
        out.say("Nothing of it was found")


def _pair(text: str) -> tuple[str, str]:
    column, equals, value = text.partition("=")
    if not equals or not column or not value:
        raise typer.BadParameter(
            f"{text!r}: write COLUMN=VALUE, such as station_id=dev-17", param_hint="--where"
        )
    return column.strip(), value

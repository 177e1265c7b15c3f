"""The command `workspace`: a tenant's records as a run gives them to dbt, for working on models by hand.

What a workspace is made of is in the package `harmonise`.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from civitas_assets.cli.app import Tenant, app, err, out, read_settings, show_log
from civitas_assets.cli.stores import Site


@app.command()
def workspace(
    tenant: Tenant,
    *,
    days: Annotated[
        int, typer.Option(min=1, metavar="N", help="The latest days that have records, so many.")
    ] = 7,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FOLDER", help="By default target/workspace of the dbt project."
        ),
    ] = None,
) -> None:
    """Make a DuckDB file with a tenant's records, in which dbt's own commands work, and print what to set for them.

    Nothing is fetched or published. Views in the file read the records where they are kept, so make it again when they
    have changed. For a shell: eval "$(civitas workspace TENANT)", then dbt build --select +MODEL.
    """
    from msgspec.structs import replace

    from civitas_assets.harmonise.prepare import prepare_project
    from civitas_assets.harmonise.task import plan_task
    from civitas_assets.harmonise.workspace import Workspace, make_workspace

    settings = read_settings()
    show_log(settings)
    site = Site.open(settings, tenant)
    folder = (output or settings.dbt_project_dir / "target" / "workspace").resolve()
    if folder.exists() and any(folder.iterdir()) and not Workspace(folder).is_made:
        raise typer.BadParameter(
            f"{folder} holds something else; name a folder that is new or empty", param_hint="--output"
        )
    project = prepare_project(settings)
    with site.lock():
        whole = plan_task(site.stores, rebuild=True)
        if whole is None or not whole.days:
            err.print(
                f"{tenant} has no records yet: `civitas run --tenant {tenant}` fetches and reads them",
                soft_wrap=True,
            )
            raise typer.Exit(1)
        task = replace(whole, days=whole.days[-days:], rebuild=False)
        made = make_workspace(folder, project, site.tenant, site.stores, task, limits=settings.limits)
    err.print(
        f"{made.database}: {len(task.days)} day(s) of {tenant}, {task.days[0]} to {task.days[-1]}. "
        "Set what follows, then: dbt build --select +MODEL",
        soft_wrap=True,
    )
    if settings.models_dir is not None:
        err.print(
            f"The project is a copy with the models of {settings.models_dir}: change them there, then make this again.",
            soft_wrap=True,
        )
    for name, value in (("DBT_PROJECT_DIR", project.folder), ("DBT_PROFILES_DIR", folder)):
        out.print(f"export {name}={shlex.quote(str(value))}", soft_wrap=True, markup=False)

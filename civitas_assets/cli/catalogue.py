"""Commands about what is configured: `validate` and `schema`.

Neither of them needs a network.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from civitas_assets.cli.app import app, err, out, read_settings, show_log


@app.command()
def validate(
    resolved: Annotated[
        str | None,
        typer.Option(
            metavar="TENANT", help="Print this tenant's file with what it takes over from defaults.yaml."
        ),
    ] = None,
) -> None:
    """Check all tenants' files, without any network, and name every fault."""
    from civitas_assets.catalog.checks import Check
    from civitas_assets.catalog.frame import Frame
    from civitas_assets.catalog.known_names import find_unknown_names
    from civitas_assets.catalog.load import read_catalog
    from civitas_assets.catalog.vocabulary import read_vocabulary
    from civitas_assets.connectors.registry import SOURCE_MODELS
    from civitas_assets.errors import CatalogError

    settings = read_settings()
    if resolved is not None:
        _print_resolved(settings.tenants_dir, resolved)
        return
    vocabulary = read_vocabulary(settings.dbt_project_dir)
    frame = Frame.from_settings(settings)
    checks: list[Check] = [lambda tenant: find_unknown_names(tenant, vocabulary)]
    catalog = read_catalog(settings.tenants_dir, SOURCE_MODELS, checks=checks, frame=frame)
    if any(tenant.share for tenant in catalog.tenants.values()):
        from civitas_assets.harmonise.prepare import prepare_project
        from civitas_assets.pipeline.deployment import list_catalog_checks

        show_log(settings)
        checks += list_catalog_checks(prepare_project(settings))
        catalog = read_catalog(settings.tenants_dir, SOURCE_MODELS, checks=checks, frame=frame)
    for slug, tenant in catalog.tenants.items():
        names = ", ".join(f"{name} ({source.connector})" for name, source in tenant.sources.items())
        out.print(f"[green]ok[/] {slug}: {len(tenant.sources)} source(s): {names or 'none'}")
    if catalog.faulty:
        raise CatalogError([fault for faults in catalog.faulty.values() for fault in faults])
    if not catalog.tenants:
        err.print(f"no tenants in {settings.tenants_dir}")
        raise typer.Exit(1)


def _print_resolved(folder: Path, tenant: str) -> None:
    from civitas_assets.catalog.defaults import Defaults, render_resolved
    from civitas_assets.catalog.yaml_text import locate_file
    from civitas_assets.errors import CatalogError

    document = Defaults(folder).open(locate_file(folder, tenant))
    if document.faults:
        raise CatalogError(document.faults)
    out.print(render_resolved(document), end="", soft_wrap=True, markup=False)


@app.command()
def schema(
    file: Annotated[Path | None, typer.Argument(help="Where to write it; without, it is printed.")] = None,
) -> None:
    """Write the JSON Schema of tenants' files, for completion and checks in editors.

    In VS Code, put `# yaml-language-server: $schema=<file>` into the first line of a tenant's file.
    """
    from civitas_assets.catalog.schema import build_tenant_schema
    from civitas_assets.catalog.vocabulary import read_vocabulary
    from civitas_assets.connectors.registry import SOURCE_MODELS

    vocabulary = read_vocabulary(read_settings().dbt_project_dir)
    text = json.dumps(build_tenant_schema(SOURCE_MODELS, vocabulary), indent=2, ensure_ascii=False)
    if file is None:
        sys.stdout.write(text + "\n")
    else:
        file.write_text(text + "\n", encoding="utf-8")
        err.print(f"wrote {file}")

"""The command `sink`: a tenant's sinks are brought up to what it has published, now and not at night.

What a sink gets is decided in the package `sinks`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from civitas_assets.cli.app import Tenant, app, err, read_settings


@app.command()
def sink(
    tenant: Tenant,
    *,
    names: Annotated[
        list[str] | None, typer.Option("--sink", metavar="NAME", help="Only this sink; may be repeated.")
    ] = None,
    first: Annotated[
        datetime | None,
        typer.Option(
            "--from",
            formats=["%Y-%m-%d"],
            metavar="DAY",
            help="Compare from this day on, and not only as far back as the sink says.",
        ),
    ] = None,
) -> None:
    """Bring a tenant's sinks, such as FROST or a context broker, up to what it has published, by what has changed.

    What the server was seen to have is read back from it, row by row. The tenant's file lists sinks under `sinks`:
    docs/sinks.md. The command exits with 0 only if every server has all of it.
    """
    from civitas_assets.errors import ExportError
    from civitas_assets.ingest.catalogue import load_catalogue
    from civitas_assets.pipeline.deployment import get_utc_now
    from civitas_assets.sinks.deliver import bring_to_sinks
    from civitas_assets.store.storage import make_storage

    settings = read_settings()
    known = load_catalogue(settings).get_tenant(tenant)
    if not known.sinks:
        raise ExportError(f"{tenant} has no sink; its file lists them under sinks:")
    storage = make_storage(settings)
    with storage.hold(tenant):
        reports = bring_to_sinks(
            settings, storage.files, known, get_utc_now(), names=names or (), first=first and first.date()
        )
    is_whole = True
    for name, report in reports.items():
        if isinstance(report, str):
            err.say(f"{tenant}: {report}")
            is_whole = False
            continue
        err.say(f"{tenant}: {name}: {report.summarise()}")
        for line in (*report.left_out, *report.refused):
            err.say(f"{tenant}: {name}: {line}")
        is_whole = is_whole and not report.refused
    if not is_whole:
        raise typer.Exit(1)

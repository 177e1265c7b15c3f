"""The command `opendata`: a tenant's folder of open data, made now and not at night, or copied to where one likes.

What is in it is decided in the package `opendata`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from civitas_assets.cli.app import Tenant, app, err, read_settings


@app.command()
def opendata(
    tenant: Tenant,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            file_okay=False,
            help="Bring this folder up to it, for a web server of one's own; files that stay the same are not touched.",
        ),
    ] = None,
) -> None:
    """Make a tenant's folder of open data anew where something has changed, as each night does.

    In it are files of all tables that are open, a catalogue by DCAT-AP.de, a data package, dictionary and licences:
    docs/open-data.md. The tenant's file says with `open_data.folder` that there is one.
    """
    from civitas_assets.errors import ExportError
    from civitas_assets.ingest.catalogue import load_catalogue
    from civitas_assets.opendata.folder_contents import make_open_folder
    from civitas_assets.opendata.folder_copy import copy_folder
    from civitas_assets.pipeline.deployment import get_utc_now
    from civitas_assets.store.open_folder import OpenFolder
    from civitas_assets.store.storage import make_storage

    settings = read_settings()
    known = load_catalogue(settings).get_tenant(tenant)
    storage = make_storage(settings)
    with storage.hold(tenant):
        change = make_open_folder(settings, storage.files, known, get_utc_now())
    for table, reason in (change.left_out if change else {}).items():
        err.say(f"{tenant}: {table} is left out: {reason}")
    folder = OpenFolder(storage.files, tenant)
    index = folder.read_index()
    if index is None:
        if known.open_data.folder is not None:
            raise ExportError(f"{tenant} has published nothing yet; run: civitas run --tenant {tenant}")
        raise ExportError(
            f"{tenant} has no folder of open data; its file says open_data: {{folder: {{}}}} for one"
        )
    changed = len(change.changed) if change else 0
    err.say(f"{tenant}: {len(index.files)} files, {changed} of them changed")
    if output is not None:
        written = copy_folder(folder, index, output)
        err.say(f"{tenant}: {written} files written to {output}")

"""The command `pygeoapi`: a folder from which pygeoapi serves what is open as OGC API Features.

What is in it is decided in the package `opendata`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from civitas_assets.cli.app import app, complete_tenants, err, read_settings


@app.command()
def pygeoapi(
    tenants: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TENANT]...", help="Tenants' keys; without, all.", autocompletion=complete_tenants
        ),
    ] = None,
    *,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            file_okay=False,
            help="Bring this folder up to it; files that stay the same are not touched.",
        ),
    ],
    url: Annotated[
        str, typer.Option("--url", metavar="URL", help="The address under which pygeoapi is reached.")
    ],
    with_sinks: Annotated[
        bool,
        typer.Option(
            "--with-sinks",
            help="Also Things, Datastreams and Observations of sinks that are SensorThings servers and ask for no"
            " header; all that is on these servers is shown to everybody.",
        ),
    ] = False,
    portal: Annotated[
        str,
        typer.Option(
            "--portal",
            metavar="EPSG:CODE",
            help="Also write services.json and layer-tree.json, for a Masterportal whose map is in that system.",
        ),
    ] = "",
) -> None:
    """Write what pygeoapi needs to serve open tables as OGC API Features: its configuration, and the files.

    Served is what folders of open data have as GeoJSON for everybody, a collection per table: docs/features.md.
    pygeoapi reads files at each request, and pygeoapi.yml when it starts; whether that has changed is said.
    """
    from civitas_assets.dcat.offered_files import make_open_url
    from civitas_assets.errors import ExportError
    from civitas_assets.ingest.catalogue import load_shown_catalogue
    from civitas_assets.opendata.masterportal_layers import Portal
    from civitas_assets.opendata.pygeoapi_folder import CONFIGURATION, write_pygeoapi_folder
    from civitas_assets.store.storage import make_storage

    if not url.startswith(("http://", "https://")):
        raise typer.BadParameter("must be an address, as https://daten.example/features", param_hint="--url")
    settings, shown = read_settings(), None
    known = load_shown_catalogue(settings)
    chosen = [known.get_tenant(slug) for slug in tenants or known.tenants]
    if portal:
        shown = Portal.build(portal, {one.slug: make_open_url(settings, one.slug) for one in chosen})
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"{output} cannot be written to: {error.strerror or error}") from error
    unknown = [] if tenants else [*known.left_out]
    served = write_pygeoapi_folder(
        make_storage(settings).files,
        chosen,
        output,
        url,
        with_sinks=with_sinks,
        unknown=unknown,
        portal=shown,
    )
    for slug in unknown:
        err.say(f"{slug} is left out: its file has faults; what is there of it stays")
    for name, reason in served.left_out.items():
        err.say(f"{name} is left out: {reason}")
    restart = "; restart pygeoapi" if served.has_changed else ", which stays the same"
    err.say(f"{len(served.collections)} collections in {output / CONFIGURATION}{restart}")

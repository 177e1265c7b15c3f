"""The command `browse`: a tenant's published tables in a browser on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from civitas_assets.cli.app import Tenant, app, out, read_settings


@app.command()
def browse(
    tenant: Tenant,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on loopback; 0: any that is free.")] = 0,
    *,
    show: Annotated[bool, typer.Option("--open", help="Open it in this machine's browser.")] = False,
) -> None:
    """Look at a tenant's published tables in a browser: dictionary, rows, queries, map, series, downloads.

    It is served on loopback only, to whoever has the address with its token, and shows what `civitas query` may read.
    Needs the extra `browse`.
    """
    from civitas_assets.browse.server import serve

    with serve(read_settings(), tenant, port) as (address, process):
        out.say(address)
        out.print("Ctrl-C ends it.")
        if show:
            typer.launch(address)
        try:
            process.wait()
        except KeyboardInterrupt:
            return

"""Commands about connectors of a deployment: `connector new`.

What a connector is, and how a package brings one, is in docs/extend.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from civitas_assets.cli.app import app, out

connector_app = typer.Typer(help="Connectors of a deployment's own.", no_args_is_help=True)
app.add_typer(connector_app, name="connector")


@connector_app.command()
def new(
    name: Annotated[str, typer.Argument(help="What tenants write as `connector:`, such as gauge_lines.")],
    folder: Annotated[Path, typer.Argument(help="Where its package goes, in a folder of its own.")] = Path(),
) -> None:
    """Write a package that brings a connector of your own, with a sample and a test, to go on from."""
    from civitas_assets.connectors.scaffold import write_connector_package

    package = write_connector_package(folder, name)
    out.say(f"wrote {package}")
    out.say("Next:")
    out.say(f"  1. pip install -e '{package}[dev]'    beside civitas_assets, which then knows {name}")
    out.say(f"  2. pytest {package}")
    out.say("  3. put a sample of yours beside its test, and change connector.py until it is read")

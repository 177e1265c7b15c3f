"""The `civitas` command: what a data engineer does from the shell.

Commands parse, call the package and print; heavy imports wait until a command needs them.
"""

from __future__ import annotations

import sys

from pydantic import ValidationError

from civitas_assets.cli import (
    catalogue,
    demo,
    departure,
    export,
    mappings,
    models,
    purge,
    runs,
    tables,
    tenants,
)
from civitas_assets.cli.app import app, err, plain
from civitas_assets.errors import CivitasError
from civitas_assets.settings import Settings

__all__ = [
    "app",
    "catalogue",
    "demo",
    "departure",
    "export",
    "main",
    "mappings",
    "models",
    "purge",
    "runs",
    "tables",
    "tenants",
]


def main() -> None:
    """Run the command; errors raised on purpose print their text and exit with 1."""
    try:
        app()
    except ValidationError as error:
        if error.title != Settings.__name__:
            raise
        for fault in error.errors(include_url=False, include_input=False):
            name = "CIVITAS_" + "_".join(map(str, fault["loc"])).upper()
            err.print(f"[bold red]error[/] {name}: {plain(fault['msg'])}", soft_wrap=True, highlight=False)
        sys.exit(1)
    except CivitasError as error:
        err.print(f"[bold red]error[/] {plain(error)}", soft_wrap=True, highlight=False)
        sys.exit(1)

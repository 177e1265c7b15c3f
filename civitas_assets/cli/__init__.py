"""The `civitas` command: what a data engineer does from the shell.

Commands parse, call the package and print; heavy imports wait until a command needs them.
"""

from __future__ import annotations

import sys

from civitas_assets.cli import (
    audit,
    browse,
    catalogue,
    connectors,
    core,
    dcat,
    demo,
    departure,
    discover,
    erase,
    export,
    mappings,
    models,
    opendata,
    probe,
    purge,
    pygeoapi,
    quarantine,
    replay,
    report,
    restore,
    runs,
    sink,
    status,
    tables,
    tenants,
    workspace,
)
from civitas_assets.cli.app import app, err, quote
from civitas_assets.errors import CivitasError
from civitas_assets.inert import guard_log_entries

__all__ = [
    "app",
    "audit",
    "browse",
    "catalogue",
    "connectors",
    "core",
    "dcat",
    "demo",
    "departure",
    "discover",
    "erase",
    "export",
    "main",
    "mappings",
    "models",
    "opendata",
    "probe",
    "purge",
    "pygeoapi",
    "quarantine",
    "replay",
    "report",
    "restore",
    "runs",
    "sink",
    "status",
    "tables",
    "tenants",
    "workspace",
]


def main() -> None:
    """Run the command; errors raised on purpose print their text and exit with 1."""
    guard_log_entries()
    try:
        with audit.record_command(sys.argv[1:]):
            app.select_command(next(iter(sys.argv[1:]), ""))()
    except CivitasError as error:
        err.print(f"[bold red]error[/] {quote(error)}", soft_wrap=True)
        sys.exit(1)

"""Commands that look at published tables, and at what was not published: `query`, `file`.

They never change one.
"""

from __future__ import annotations

import shutil
import sys
from typing import Annotated, Literal

import typer

from civitas_assets.cli.app import Tenant, app, complete_tenants, read_settings

Destination = Literal[
    "duckdb", "postgres"
]  # as the models of tenants' files say, which are not loaded for it
_SHOWN = 40  # rows, where people read them
_ALL = 2**31 - 2


@app.command()
def query(
    tenant: Tenant,
    sql: Annotated[str, typer.Argument(help="A query, such as: select * from station")],
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="At most so many rows.", show_default="40; with --csv and --json all"),
    ] = None,
    *,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON array, an object per row.")] = False,
    vertical: Annotated[bool, typer.Option("--vertical", help="Print a line per column.")] = False,
    run: Annotated[
        str | None,
        typer.Option(
            metavar="RUN", help="Ask what this run made and did not publish, as a blocking test failed."
        ),
    ] = None,
    destination: Annotated[
        Destination | None, typer.Option(help="Where to ask.", show_default="the first that the tenant lists")
    ] = None,
) -> None:
    """Ask a tenant's published tables, read-only, and print the answer.

    Times are in UTC here. In a session of your own with a local time zone, date_trunc('hour', ...) of DuckDB makes
    one of the two hours of the same name in autumn: take time_bucket(interval '1 hour', ...) there.
    """
    from civitas_assets.cli.answers import format_box, format_csv, format_json, format_lines
    from civitas_assets.publish.query import ask_kept, ask_tables

    if as_csv + as_json + vertical > 1:
        raise typer.BadParameter("only one of --csv, --json and --vertical can be printed")
    settings, most = read_settings(), limit or (_ALL if as_csv or as_json else _SHOWN)
    answer = (
        ask_kept(settings, tenant, run, sql, most)
        if run
        else ask_tables(settings, tenant, sql, most, destination)
    )
    if as_csv:
        lines = format_csv(answer)
    elif as_json:
        lines = format_json(answer)
    elif vertical:
        lines = format_lines(answer)
    else:
        lines = format_box(answer, _width())
    for line in lines:
        sys.stdout.write(line + "\n")


@app.command()
def file(
    tenants: Annotated[
        list[str],
        typer.Argument(
            help="Tenants' keys, or commons.", autocompletion=complete_tenants, show_default=False
        ),
    ],
) -> None:
    """Print where tenants' published DuckDB files are on this machine, for any client of DuckDB.

    Where machines share them in object storage, those that have changed are fetched first.
    """
    from civitas_assets.publish.reading import fetch_published

    settings = read_settings()
    for tenant in tenants:
        sys.stdout.write(f"{fetch_published(settings, tenant)}\n")


def _width() -> int:
    """Of the terminal; where the output is none, nothing is cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _ALL

"""Commands that look at published tables: `query`.

They never change one.
"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from civitas_assets.cli.app import Tenant, app, current_settings, out, plain


@app.command()
def query(
    tenant: Tenant,
    sql: Annotated[str, typer.Argument(help="A query, such as: select * from station")],
    limit: Annotated[int, typer.Option(min=1, help="Print at most so many rows.")] = 40,
) -> None:
    """Ask a tenant's published tables, read-only, and print the answer."""
    from civitas_assets.publish.query import ask

    answer = ask(current_settings(), tenant, sql, limit)
    table = Table(header_style="bold")
    for name, is_number in zip(answer.columns, answer.numeric, strict=True):
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for row in answer.rows:
        table.add_row(*("" if cell is None else plain(cell) for cell in row))
    out.print(table)
    more = f", only the first {limit} are shown; see --limit" if answer.more else ""
    out.print(f"{len(answer.rows)} row(s){more}", highlight=False)

"""Commands about a tenant itself: `tenant grant`.

What is published of it is asked with `query` and `export`.
"""

from __future__ import annotations

from typing import Annotated

import typer

from civitas_assets.cli.app import VERBATIM, Tenant, app, err, out
from civitas_assets.settings import Settings

tenant_app = typer.Typer(help="What belongs to a tenant.", no_args_is_help=True)
app.add_typer(tenant_app, name="tenant")


@tenant_app.command()
def grant(
    tenant: Tenant,
    only_print: Annotated[
        bool, typer.Option("--print", help="Print the SQL, for somebody else to run.")
    ] = False,
    login: Annotated[
        str | None, typer.Option(help="Account that publishes; by default that of CIVITAS_POSTGRES_URL.")
    ] = None,
) -> None:
    """Print the SQL of a tenant's schemas and roles in PostgreSQL, then make them."""
    from civitas_assets.publish.postgres_names import Names
    from civitas_assets.publish.postgres_roles import grant as make
    from civitas_assets.publish.postgres_roles import granting, login_of
    from civitas_assets.publish.postgres_server import Server, text_of

    server, names = Server.of(Settings()), Names(tenant)
    account = login or login_of(server)
    out.print("begin;", **VERBATIM)
    for statement in granting(names, account):
        out.print(f"{text_of(statement)};", **VERBATIM)
    out.print("commit;", **VERBATIM)
    if not only_print:
        make(server, names, account)
        err.print(f"{names.reader} and {names.writer} are there, at {server.address}", **VERBATIM)

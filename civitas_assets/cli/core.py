"""The command `core`: published tables for CIVITAS/CORE, which reads them from PostgreSQL.

What is in a package is decided in the package `opendata`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from civitas_assets.cli.app import Tenant, app, err, read_settings


@app.command()
def core(
    tenant: Tenant,
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL]...",
            help="Shared models; without, all that have a key and rows.",
            show_default=False,
        ),
    ] = None,
    *,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FOLDER", file_okay=False, help="Where the documents are written."
        ),
    ],
    days: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Of tables with days, read the last so many.", show_default="all rows"
        ),
    ] = None,
    cron: Annotated[
        str, typer.Option(metavar="CRON", help="When the platform reads: six fields, seconds first.")
    ] = "0 30 6 * * ?",
) -> None:
    """Write a package with which a CIVITAS/CORE 2 reads a tenant's tables from PostgreSQL into tables of its own.

    For each table: data structures, data source, mapping, data sink and pipeline, as the platform's registry demands;
    docs/civitas-core.md says what they hold. No document has a password.
    """
    import json
    from io import BytesIO

    from civitas_assets.errors import ExportError
    from civitas_assets.export.output import open_output
    from civitas_assets.ingest.catalogue import load_catalogue
    from civitas_assets.opendata.core_package import Polling, build_core_package, select_contracts
    from civitas_assets.publish.postgres.postgres_names import Names
    from civitas_assets.publish.postgres.postgres_server import Server
    from civitas_assets.publish.reading import open_published

    settings = read_settings()
    known = load_catalogue(settings).get_tenant(tenant)
    if "postgres" not in known.destinations:
        raise ExportError(
            f"{tenant} is not published to PostgreSQL, from which the platform reads: add it to destination in its file"
        )
    address = Server.from_settings(settings).address
    dsn = address.replace("postgresql://", "postgres://", 1) if "://" in address else None
    polling = Polling(dsn, Names(known.slug).schema, days, cron)
    with open_published(settings, known.slug, destination="postgres") as published:
        contracts = select_contracts(published, models or [])
    documents = build_core_package(known, contracts, polling)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"{output} cannot be written to: {error.strerror or error}") from error
    for name, document in documents.items():
        with open_output(output / name, BytesIO()) as sink:
            sink.write((json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode())
    if dsn is None:
        err.say(f"{address} is known to libpq alone: set dsn in the platform")
    err.say(f"{tenant}: {len(contracts)} tables, {len(documents)} documents in {output}")

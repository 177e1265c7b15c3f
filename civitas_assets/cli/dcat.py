"""The command `catalogue`: what a tenant, or all tenants together, publish openly, as DCAT-AP.de.

What the catalogue says is decided in the package `dcat`.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from civitas_assets.cli.app import app, complete_tenants, err, read_settings

if TYPE_CHECKING:
    from civitas_assets.catalog import Tenant
    from civitas_assets.dcat.open_tables import OpenTables
    from civitas_assets.settings import Settings


class Serialisation(StrEnum):
    """How a catalogue can be written."""

    TURTLE = "turtle"
    JSONLD = "jsonld"
    RDFXML = "rdfxml"


@app.command()
def catalogue(
    tenant: Annotated[
        str | None,
        typer.Argument(
            help="The tenant's key; without, the catalogue of what all tenants share.",
            autocompletion=complete_tenants,
        ),
    ] = None,
    *,
    form: Annotated[
        Serialisation, typer.Option("--format", metavar="FORMAT", help="turtle, jsonld or rdfxml.")
    ] = Serialisation.TURTLE,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The file, which appears whole or not at all."),
    ] = None,
    files: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            exists=True,
            file_okay=False,
            help="Folder with the exported files that were uploaded: only those are announced, with their sizes;"
            " without TENANT, with a folder per tenant.",
        ),
    ] = None,
    publisher: Annotated[
        str | None, typer.Option(metavar="NAME", help="Without TENANT: who publishes the catalogue.")
    ] = None,
    landing_page: Annotated[
        str | None, typer.Option(metavar="URL", help="Without TENANT: the page of the catalogue.")
    ] = None,
) -> None:
    """Write what is published openly as a catalogue by DCAT-AP.de 3.0, for open-data portals to harvest.

    Open is what a tenant lists under `share` and whose rows are all under an open licence. What is left out is said on
    standard error, with the reason. The tenant's file says who publishes, whom to ask and where: docs/catalogue.md.
    """
    from civitas_assets.dcat.catalogue_files import check_page, write_catalogue
    from civitas_assets.dcat.catalogue_graph import build_catalogue, build_commons_catalogue
    from civitas_assets.dcat.offered_files import find_offer

    if tenant is not None:
        if publisher or landing_page:
            raise typer.BadParameter(
                "are said in the tenant's file", param_hint="--publisher, --landing-page"
            )
        found = _find_open_tables(tenant)
        graph = build_catalogue(found, find_offer(read_settings(), found.tenant, files))
    else:
        if not publisher or not landing_page:
            raise typer.BadParameter("are needed without TENANT", param_hint="--publisher, --landing-page")
        settings = read_settings()
        offered = [
            (found, find_offer(settings, found.tenant, files and files / found.tenant.slug))
            for found in _list_open_tables()
        ]
        graph = build_commons_catalogue(offered, publisher, check_page(landing_page))
    count = write_catalogue(graph, form.value, output, sys.stdout.buffer)
    place = f" written to {output}" if output else ""
    err.say(f"{count} dataset(s){place}")


def _find_open_tables(tenant: str) -> OpenTables:
    from civitas_assets.ingest.catalogue import load_catalogue

    settings = read_settings()
    return _read_open_tables(settings, load_catalogue(settings).get_tenant(tenant))


def _read_open_tables(settings: Settings, known: Tenant) -> OpenTables:
    from civitas_assets.dcat.open_tables import read_open_tables
    from civitas_assets.errors import ExportError

    if known.open_data.missing:
        raise ExportError(
            f"{known.slug}: a catalogue needs {', '.join(known.open_data.missing)} in the tenant's file"
        )
    if not known.share:
        raise ExportError(f"{known.slug} shares nothing; list the tables that others may have under share:")
    return _tell(read_open_tables(settings, known))


def _list_open_tables() -> list[OpenTables]:
    """Those of all tenants that share; a tenant whose tables cannot be announced is named and stays out."""
    from civitas_assets.errors import CivitasError
    from civitas_assets.ingest.catalogue import load_catalogue

    found, settings = list["OpenTables"](), read_settings()
    for tenant in load_catalogue(settings).tenants.values():  # read once: there may be hundreds
        if tenant.share and not tenant.archived:
            try:
                found.append(_read_open_tables(settings, tenant))
            except CivitasError as error:
                err.say(f"left out: {error}")
    return found


def _tell(found: OpenTables) -> OpenTables:
    for model, reason in found.left_out.items():
        err.say(f"{found.tenant.slug}: {model} is left out: {reason}")
    return found

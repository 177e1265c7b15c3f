"""The command `report`: the morning pages, made anew from what is there.

What is on them is decided in the package `report`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from civitas_assets.cli.app import app, err, out, read_settings
from civitas_assets.cli.stores import open_files


class LanguageName(StrEnum):
    """The languages that pages can be written in."""

    DE = "de"
    EN = "en"


@app.command()
def report(
    tenant: Annotated[
        str | None, typer.Argument(help="The tenant's key; without it, the pages of all tenants.")
    ] = None,
    *,
    lang: Annotated[
        LanguageName | None, typer.Option("--lang", help="Only this language; by default both.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Folder for the pages; by default reports in CIVITAS_HOME."
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the page in this machine's browser.")] = False,
) -> None:
    """Write the morning page: what failed, for whom, why, what is missing, and how to put it right.

    One page per tenant and one for the operator, each a file that opens without network; docs/report.md says what is on
    them.
    """
    from civitas_assets.dictionary.contracts import read_contracts
    from civitas_assets.harmonise.prepare import prepare_project
    from civitas_assets.ingest.catalogue import load_catalogue
    from civitas_assets.report.html_document import make_file_name
    from civitas_assets.report.kept_pages import Pages, make_pages, make_pages_url
    from civitas_assets.report.language import LANGUAGES
    from civitas_assets.report.page import write_operator_page, write_tenant_page
    from civitas_assets.store.files import LocalFiles
    from civitas_assets.store.stores import Stores

    settings = read_settings()
    catalog = load_catalogue(settings)
    chosen = [catalog.get_tenant(tenant)] if tenant else [*catalog.tenants.values()]
    folder = output.expanduser().absolute() if output else None
    pages = Pages(LocalFiles(folder), "") if folder else make_pages(settings)
    languages = (lang.value,) if lang else LANGUAGES
    contracts, files, now = read_contracts(prepare_project(settings)), open_files(settings), datetime.now(UTC)
    for number, one in enumerate(chosen, 1):
        started = monotonic()
        stores = Stores.for_tenant(files, one.slug)
        made = write_tenant_page(settings, one, stores, contracts, now, pages, languages)
        findings = f"{made.errors} errors, {made.warnings} warnings"
        progress = (
            f"[{number}/{len(chosen)}] {one.slug}: {made.state}, {findings}, {monotonic() - started:.1f} s"
        )
        err.say(progress)
    write_operator_page(settings, catalog, now, pages, languages)
    name = f"{chosen[0].slug}/{make_file_name(languages[0])}" if tenant else make_file_name(languages[0])
    if folder is None and settings.storage_url:
        out.say(f"{make_pages_url(settings)}/{name}")
        if show:
            typer.launch(f"{make_pages_url(settings)}/{name}")
        return
    page = (folder or settings.reports) / name
    out.say(str(page))
    if show:
        typer.launch(str(page))

"""The command that makes again what a backup does not hold: `restore`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from civitas_assets.cli.app import app, err, exit_unless, read_settings, show_log
from civitas_assets.cli.runs import run_and_report

if TYPE_CHECKING:
    from civitas_assets.settings import Settings


@app.command()
def restore(
    tenants: Annotated[
        list[str] | None, typer.Argument(metavar="[TENANT]...", help="These; by default all that are active.")
    ] = None,
) -> None:
    """Make again what is missing or older than the rest, once a backup is back in its place; nothing is fetched.

    Records are read again from landing where there are none. Tables are made from records in any case, and readers
    keep the old ones until the new ones are complete.
    """
    settings = read_settings()
    show_log(settings)
    chosen = _prepared(settings, tenants)
    outcomes = run_and_report(settings, chosen, fetch=False, rebuild=True) if chosen else []
    exit_unless(all(outcome.ok for outcome in outcomes))


def _prepared(settings: Settings, tenants: list[str] | None) -> list[str]:
    """The tenants of whom there is something, with nothing noted of records that are gone."""
    from civitas_assets.ingest.catalogue import load_catalogue
    from civitas_assets.store.holdings import read_holdings
    from civitas_assets.store.record_archive import archive_records
    from civitas_assets.store.storage import make_storage

    catalog, storage = load_catalogue(settings), make_storage(settings)
    chosen = []
    for slug in tenants or catalog.active:
        known = catalog.get_tenant(slug)
        with storage.hold(known.slug):
            held = read_holdings(storage.files, known.slug)
            if held.landing and not held.records:
                # What was noted of reading is true of records that are gone.
                archive_records(storage.files, known.slug)
        err.print(f"{known.slug}: {held}", soft_wrap=True)
        if held:
            chosen.append(known.slug)
    return chosen

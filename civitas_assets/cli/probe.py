"""The command `probe`: what a source answers right now and what becomes of it, or what an unknown file seems to be.

Nothing of it is kept.
"""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from civitas_assets.cli.app import (
    app,
    complete_sources,
    complete_tenants,
    err,
    exit_unless,
    make_table,
    out,
    quote,
    read_settings,
)
from civitas_assets.cli.stores import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl

    from civitas_assets.catalog import Source, Tenant
    from civitas_assets.catalog.vocabulary import Kind
    from civitas_assets.connectors.transport.http import HttpClient
    from civitas_assets.ingest.probe import Probe
    from civitas_assets.settings import Settings

_CELL, _COLUMNS = 24, 8
_MOST_BYTES = 256 * 1024 * 1024


@app.command()
def probe(
    what: Annotated[
        str,
        typer.Argument(
            metavar="TENANT|URL|FILE",
            help="A tenant, or an address or a file of unknown form.",
            autocompletion=complete_tenants,
        ),
    ],
    source: Annotated[
        str | None,
        typer.Argument(help="With a tenant: which of its sources.", autocompletion=complete_sources),
    ] = None,
    *,
    tenant: Annotated[
        str | None,
        typer.Option(
            "--tenant",
            "-t",
            help="With an address or a file: whose box and zone.",
            autocompletion=complete_tenants,
        ),
    ] = None,
    pages: Annotated[int, typer.Option(min=1, max=20, help="Ask for so many answers at most.")] = 2,
    rows: Annotated[int, typer.Option(min=1, help="Show so many records of each kind.")] = 10,
) -> None:
    """Fetch a little of a source and show what becomes of it; of an unknown file, propose the source's YAML.

    Nothing is written: neither landing nor records change.
    """  # fmt: skip
    settings = read_settings()
    # What is tried and does not fit is no news; what comes of it is shown.
    logging.getLogger("civitas_assets").addHandler(logging.NullHandler())
    is_address = re.match("https?://", what) is not None
    if source is not None:
        _probe_source(settings, what, source, pages, rows)
    elif is_address or Path(what).is_file():
        _propose(settings, what, tenant, rows, pages, is_address=is_address)
    else:
        raise typer.BadParameter(
            f"{what} is no file and no address; with a tenant, name one of its sources too"
        )


def _probe_source(settings: Settings, slug: str, name: str, pages: int, rows: int) -> None:
    from civitas_assets.ingest.apart import fork_reader

    fork_reader()  # while nothing has run here
    site = Site.open(settings, slug)
    source = site.select_sources([name])[name]
    found = _looked(settings, site.tenant, source, pages)
    for url in found.asked:
        out.say(f"asked {url}")
    if found.cut:
        out.print(f"only the first {pages} answer(s) were asked for; see --pages")
    _show(found, rows)
    _show_unknown(settings, site.tenant, found)
    exit_unless(not found.error and found.report.ok)


def _looked(settings: Settings, tenant: Tenant, source: Source, pages: int) -> Probe:
    """What a few answers of the source become."""
    from civitas_assets.catalog import Window
    from civitas_assets.connectors.registry import CONNECTORS
    from civitas_assets.ingest.probe import probe_source as look
    from civitas_assets.store.storage import make_storage

    today = datetime.now(tenant.zone).date()
    with _client(settings) as client:
        return look(
            tenant, source, CONNECTORS[source.connector], client, Window(today - timedelta(days=1), today),
            settings.workspaces, lambda: datetime.now(UTC), pages=pages, drop=make_storage(settings).files,
            database_files=settings.database_files,
        )  # fmt: skip


def _propose(
    settings: Settings, what: str, slug: str | None, rows: int, pages: int, *, is_address: bool
) -> None:
    from civitas_assets.catalog.frame import Frame
    from civitas_assets.catalog.vocabulary import read_vocabulary
    from civitas_assets.ingest.apart import call_apart, fork_reader
    from civitas_assets.ingest.bounds import ReadLimits
    from civitas_assets.propose.proposal import Proposal, make_sample_tenant, propose_source
    from civitas_assets.propose.sample import shorten_names as shown_names

    fork_reader()  # while nothing has run here
    tenant = Site.open(settings, slug).tenant if slug is not None else None
    advice: tuple[str, ...] = ()
    if is_address:
        what, body, advice = _fetched(settings, what)
    else:
        body = _read(Path(what))
    vocabulary = read_vocabulary(settings.dbt_project_dir)
    bounds = ReadLimits.from_frame(Frame.from_settings(settings))
    found: Proposal = call_apart(bounds, propose_source, body, what, settings.workspaces, vocabulary, tenant)
    out.say(f"sources:\n{found.yaml}")
    if tenant is None:
        err.print("--tenant T says in whose box positions have to lie, and in which zone times are")
    for remark in (
        *found.remarks,
        *(f"what the address held goes into the block as {text}" for text in advice),
    ):
        err.say_note(remark)
    shown = found.probe
    if shown is None and is_address and found.leads_on:
        shown = _looked(settings, tenant or make_sample_tenant(), found.source, pages)
    if shown is None:
        err.say(
            "nothing of it was read: put the block into a tenant's file and try it with civitas probe TENANT SOURCE"
        )
        return
    _show(shown, rows)
    if found.unused:
        err.say(f"nothing is made of: {shown_names(found.unused, 100)}")
    seen = f"{found.rows:,} row(s) give" if found.rows else "it gives"
    accepted = found.count_accepted(shown)
    err.print(
        f"read with this, {seen} {accepted:,} records of {found.record_type or 'all kinds'}, "
        f"{shown.rejected.height:,} are rejected"
    )
    # A document of a standard may hold nothing and be right.
    is_empty = not found.rows and not found.record_type and not shown.rejected.height
    exit_unless(accepted > 0 or (is_empty and shown.report.ok and not shown.error))


def _read(file: Path) -> bytes:
    """The file, if it is no larger than a sample may be.

    Raises:
        ReadError: it cannot be read, or is larger.
    """
    from civitas_assets.errors import ReadError

    try:
        if (size := file.stat().st_size) > _MOST_BYTES:
            raise ReadError(f"{file} has {size:,} bytes: probe a part of it")
        return file.read_bytes()
    except OSError as error:
        raise ReadError(f"{file} cannot be read: {error.strerror}") from None


def _client(settings: Settings, secrets: Callable[[str], str] | None = None) -> HttpClient:
    from civitas_assets.connectors.reachable import Reachable
    from civitas_assets.connectors.transport.http import HttpClient
    from civitas_assets.settings import read_secret

    reachable = Reachable.from_settings(settings)
    return HttpClient(
        settings.user_agent,
        clock=lambda: datetime.now(UTC),
        secrets=secrets or read_secret,
        reachable=reachable,
    )


def _fetched(settings: Settings, url: str) -> tuple[str, bytes, tuple[str, ...]]:
    """The address without what lets somebody in, its body, and what the block has to say instead.

    It is asked once, and for no more than a sample may have.
    """
    from civitas_assets.catalog import HttpPolicy
    from civitas_assets.connectors.base import Request
    from civitas_assets.ingest.given import parse_url_request

    asked = parse_url_request(url, HttpPolicy(attempts=1, max_bytes=_MOST_BYTES))
    with _client(settings, asked.read_secret) as client:
        body = client.get(Request(asked.source.url), asked.source).body or b""
    return asked.source.url, body, asked.advice


def _show(found: Probe, rows: int) -> None:
    for name, records in found.records.items():
        out.print(f"[bold]{name}[/]: {records.height:,} record(s)")
        _show_records(records.head(rows))
    if found.rejected.height:
        table = make_table("rejected", "rule", "field", "for example", "row")
        groups = found.rejected.group_by("record_type", "rule", "field", maintain_order=True)
        for (record_type, rule, field), part in groups:
            example, row = (part["detail"][0] or part["raw"][0] or "")[:60], part["row"][0]
            cells = (f"{part.height:,} {record_type}", str(rule), str(field or "–"), quote(example), str(row))
            table.add_row(*cells)
        out.print(table)
    for note in found.report.notes:
        err.say_note(note.text)
    for text in filter(None, [found.error, *found.report.errors]):
        err.say_error(text)


def _show_records(records: pl.DataFrame) -> None:
    """The columns that hold something, as far as they fit."""
    from civitas_assets.records import PROVENANCE

    own = [name for name in records.columns if name not in PROVENANCE]
    filled = [name for name in own if records[name].null_count() < records.height]
    table = make_table(*filled[:_COLUMNS])
    for row in records.select(filled[:_COLUMNS]).iter_rows():
        table.add_row(*("" if value is None else quote(str(value)[:_CELL]) for value in row))
    out.print(table)
    if filled[_COLUMNS:]:
        out.print(f"  and {', '.join(filled[_COLUMNS:])}")


def _show_unknown(settings: Settings, tenant: Tenant, found: Probe) -> None:
    """Properties and units that nobody knows, with what they may mean."""
    import polars as pl

    from civitas_assets.catalog.spelling import normalise_spelling
    from civitas_assets.catalog.vocabulary import read_vocabulary

    natives = {"observed_property": set[str](), "unit": set[str]()}
    for records in found.records.values():
        for name in natives.keys() & {*records.columns}:
            natives[name] |= {*records.filter(pl.col(name).is_not_null())[name]}
    if not any(natives.values()):
        return
    table, vocabulary = make_table("native", "is a", "perhaps"), read_vocabulary(settings.dbt_project_dir)
    kinds: Mapping[str, tuple[Kind, Mapping[str, str]]] = {
        "observed_property": ("property", tenant.properties),
        "unit": ("unit", tenant.units),
    }
    for name, (kind, own) in kinds.items():
        known = {*map(normalise_spelling, own)}
        for native in sorted(natives[name]):
            if normalise_spelling(native) not in known and vocabulary.find_code(native, kind) is None:
                table.add_row(quote(native), kind, ", ".join(vocabulary.suggest_codes(native, kind)) or "–")
    if table.row_count:
        out.print(table)
        out.say(f"To say what one means: civitas mappings {tenant.slug} --property 'NATIVE=code', or --unit")

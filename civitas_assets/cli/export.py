"""The command `export`: a published model as a file or on standard output.

What the formats look like is decided in the package `export`.
"""

from __future__ import annotations

import sys
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from civitas_assets.cli.app import Tenant, app, err, read_settings

if TYPE_CHECKING:
    from civitas_assets.export.formats import Format
    from civitas_assets.export.selection import DaySpan
    from civitas_assets.export.terms import Conditions
    from civitas_assets.settings import Settings

_SECONDS_BETWEEN_LINES = 5


class FormatName(StrEnum):
    """How a model can be written."""

    NGSI_LD = "ngsi-ld"
    CSV = "csv"
    GEOJSON = "geojson"
    GEOPARQUET = "geoparquet"
    PARQUET = "parquet"
    SENSORTHINGS = "sensorthings"


@app.command()
def export(
    form: Annotated[
        FormatName,
        typer.Argument(metavar="FORMAT", help="ngsi-ld, csv, geojson, geoparquet, parquet or sensorthings."),
    ],
    tenant: Tenant,
    model: Annotated[str, typer.Argument(help="A shared model, such as observation; see civitas models.")],
    *,
    first: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY", help="First day, as 2026-08-01."),
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], metavar="DAY", help="Last day, included.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The file, which appears whole or not at all."),
    ] = None,
    german: Annotated[
        bool, typer.Option("--german", help="csv: as spreadsheets expect that are set to German.")
    ] = False,
    lines: Annotated[bool, typer.Option("--lines", help="geojson: one feature per line.")] = False,
    batch: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="ngsi-ld: one array per line, of at most so many entities. sensorthings: observations per line.",
        ),
    ] = None,
    internal: Annotated[
        bool,
        typer.Option(
            "--internal",
            help="For the tenant's own use: also rows that may not be given to others, and small counts.",
        ),
    ] = False,
) -> None:
    """Write a tenant's published model as it is now, to standard output or a file.

    FORMAT is csv, geojson, geoparquet, parquet, ngsi-ld or sensorthings; docs/export.md says what each makes of the
    models. Days are those of the tenant. Rows of sources that are proprietary, or of unknown licence, are left out
    unless the source says `shareable: true`, and so are counts below the tenant's `k`; --internal writes them, too.
    Licence, attribution and notice of change are written with every row.
    """
    from civitas_assets.export.formats import export_model as write

    settings = read_settings()
    chosen = _format(form, settings, german=german, lines=lines, batch=batch)
    if form in {FormatName.GEOPARQUET, FormatName.PARQUET} and output is None and sys.stdout.isatty():
        raise typer.BadParameter(f"{form.value} is no text; name a file with --output", param_hint="--output")
    span = _span(settings, tenant, first and first.date(), last and last.date())
    told = monotonic()

    def tell(written: int) -> None:
        nonlocal told
        if monotonic() - told > _SECONDS_BETWEEN_LINES:
            told = monotonic()
            err.say(f"{tenant}: {written:,} {chosen.unit} so far")

    def tell_terms(conditions: Conditions) -> None:
        if conditions.closed:
            names = ", ".join(conditions.closed)
            err.say(f"{tenant}: left out, as they may not be given to others: {names}")
        if said := conditions.combine_notices():
            err.say(f"{tenant}: {said}")

    written = write(
        settings,
        tenant,
        model,
        chosen,
        span=span,
        file=output,
        standard_output=sys.stdout.buffer,
        progress=tell,
        everything=internal,
        tell=tell_terms,
    )
    place = f" written to {output}" if output else ""
    err.say(f"{tenant}: {written:,} {chosen.unit} of {model}{place}")


def _format(form: FormatName, settings: Settings, *, german: bool, lines: bool, batch: int | None) -> Format:
    """The format with its own option; that of another one would mean nothing."""
    from civitas_assets.export.csv_format import Csv
    from civitas_assets.export.export_vocabulary import ExportVocabulary
    from civitas_assets.export.geojson_format import GeoJson
    from civitas_assets.export.geoparquet_format import GeoParquet
    from civitas_assets.export.ngsi_ld_format import NgsiLd
    from civitas_assets.export.parquet_format import Parquet
    from civitas_assets.export.sensorthings_format import ROWS, SensorThings

    given = {
        "--german": ((FormatName.CSV,), german),
        "--lines": ((FormatName.GEOJSON,), lines),
        "--batch": ((FormatName.NGSI_LD, FormatName.SENSORTHINGS), batch is not None),
    }
    for option, (of, is_given) in given.items():
        if is_given and form not in of:
            known = " and ".join(name.value for name in of)
            raise typer.BadParameter(f"is for {known} only, not for {form.value}", param_hint=option)
    match form:
        case FormatName.CSV:
            return Csv(german)
        case FormatName.GEOJSON:
            return GeoJson(lines)
        case FormatName.GEOPARQUET:
            return GeoParquet()
        case FormatName.PARQUET:
            return Parquet()
        case FormatName.SENSORTHINGS:
            return SensorThings(batch or ROWS)
        case FormatName.NGSI_LD:
            return NgsiLd(ExportVocabulary.read(settings.dbt_project_dir), batch)


def _span(settings: Settings, tenant: str, first: date | None, last: date | None) -> DaySpan | None:
    from civitas_assets.export.selection import DaySpan
    from civitas_assets.ingest.catalogue import load_catalogue

    if first is None and last is None:
        return None
    zone = load_catalogue(settings).get_tenant(tenant).zone
    return DaySpan(first, last, zone)

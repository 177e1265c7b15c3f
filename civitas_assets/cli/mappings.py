"""The command `mappings`: what publishers call properties and units that nobody knows, and what they mean.

A mapping is written into the tenant's file; runs read it from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from civitas_assets.cli.app import Tenant, app, err, make_table, out, quote, read_settings, show_log

if TYPE_CHECKING:
    from civitas_assets.catalog.mappings import Section
    from civitas_assets.catalog.vocabulary import Kind, Vocabulary
    from civitas_assets.settings import Settings

_UNKNOWN = """
    select
        streams.source,
        streams.observed_property_native,
        streams.unit_native,
        streams.observed_property is null as is_property,
        count(distinct streams.datastream_key)::bigint as datastreams,
        sum(coverage.unmapped_count)::bigint as values_
    from coverage inner join datastream as streams using (datastream_key)
    where coverage.unmapped_count > 0
    group by all
    order by values_ desc
"""


@app.command()
def mappings(
    tenant: Tenant,
    properties: Annotated[
        list[str] | None,
        typer.Option("--property", metavar="NATIVE=CODE", help="Say what a property means; repeatable."),
    ] = None,
    units: Annotated[
        list[str] | None,
        typer.Option("--unit", metavar="NATIVE=CODE", help="Say what a unit means; repeatable."),
    ] = None,
) -> None:
    """List what a tenant's publishers call things that nobody knows, or write what it means into the tenant's file.

    Values of what is unknown are in quarantine; the next run of their days publishes them, and a rebuild all of them.
    """
    from civitas_assets.catalog.vocabulary import read_vocabulary
    from civitas_assets.ingest.catalogue import load_catalogue

    settings = read_settings()
    show_log(settings)
    known = load_catalogue(settings).get_tenant(tenant)
    vocabulary = read_vocabulary(settings.dbt_project_dir)
    if not properties and not units:
        _list(settings, known.slug, vocabulary)
        return
    chosen: list[tuple[Section, str, str]] = [
        *(("properties", *_pair(text, vocabulary, "property")) for text in properties or ()),
        *(("units", *_pair(text, vocabulary, "unit")) for text in units or ()),
    ]
    _write(settings, known.slug, chosen)


def _pair(text: str, vocabulary: Vocabulary, kind: Kind) -> tuple[str, str]:
    native, _, code = (part.strip() for part in text.rpartition("="))
    if not native:
        raise typer.BadParameter(f"{text!r}: write NATIVE=CODE", param_hint=f"--{kind}")
    if code not in vocabulary.list_codes(kind):
        perhaps = ", ".join(vocabulary.suggest_codes(code, kind))
        raise typer.BadParameter(
            f"{code!r} is no code of a {kind}" + (f"; perhaps {perhaps}" if perhaps else ""),
            param_hint=f"--{kind}",
        )
    return native, code


def _write(settings: Settings, tenant: str, chosen: list[tuple[Section, str, str]]) -> None:
    from civitas_assets.catalog.mappings import write_mapping
    from civitas_assets.catalog.yaml_text import locate_file

    file = locate_file(settings.tenants_dir, tenant)
    for section, native, code in chosen:
        write_mapping(file, section, native, code)
        err.print(f"{file}: {section}: {quote(native)} means {code}", soft_wrap=True)
    err.print(f"The next run publishes what comes; `civitas rebuild {tenant}` also what came before.")


def _list(settings: Settings, tenant: str, vocabulary: Vocabulary) -> None:
    from civitas_assets.publish.query import ask_tables

    rows = ask_tables(settings, tenant, _UNKNOWN, 1000).rows
    if not rows:
        out.print(f"{tenant}: all properties and units are known")
        return
    numbers = ("datastreams", "values")
    table = make_table("source", "unknown", "as written", *numbers, "perhaps", numbers=numbers)
    for source, native_property, native_unit, is_property, datastreams, values in rows:
        native = native_property if is_property else native_unit
        perhaps = vocabulary.suggest_codes(str(native or ""), "property" if is_property else "unit")
        table.add_row(
            quote(source), "property" if is_property else "unit", quote(native or "(nothing)"),
            f"{datastreams:,}", f"{values:,}", ", ".join(perhaps) or "–",
        )  # fmt: skip
    out.print(table)
    out.print(f"To say what one means: civitas mappings {tenant} --property 'AS WRITTEN=code', or --unit")

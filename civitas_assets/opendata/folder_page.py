"""The page of a folder of open data: its tables with their files and licences, for people who follow a link there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from civitas_assets.catalog import Tenant
from civitas_assets.dcat.model_labels import MODEL_LABELS
from civitas_assets.dcat.open_tables import OpenTable
from civitas_assets.report.elements import html

_ABOUT = {
    "catalogue.ttl": "Katalog (DCAT-AP.de, Turtle)",
    "catalogue.jsonld": "Katalog (DCAT-AP.de, JSON-LD)",
    "catalogue.rdf": "Katalog (DCAT-AP.de, RDF/XML)",
    "datapackage.json": "Data Package",
    "dictionary.json": "Spalten und Einheiten",
    "licences.json": "Lizenzen und Namensnennung",
}


def render_folder_page(tenant: Tenant, tables: Iterable[OpenTable], sizes: Mapping[str, int]) -> str:
    """The page in German; it loads nothing."""
    title = f"Offene Daten von {tenant.name}"
    rows = [
        html.tr(
            html.th(MODEL_LABELS[table.model].title_de, scope="row"),
            html.td(MODEL_LABELS[table.model].description_de),
            html.td(", ".join(table.licences)),
            html.td(*_link_files(table.model, sizes)),
        )
        for table in tables
    ]
    heads = [html.th(text, scope="col") for text in ("Tabelle", "Inhalt", "Lizenz", "Dateien")]
    head = html.head(
        html.meta(charset="utf-8"),
        html.meta(name="viewport", content="width=device-width, initial-scale=1"),
        html.meta(http_equiv="Content-Security-Policy", content="default-src 'none'"),
        html.title(title),
    )
    more = html.ul(*(html.li(html.a(text, href=name)) for name, text in _ABOUT.items()))
    main = html.main(html.h1(title), html.table(html.thead(html.tr(*heads)), html.tbody(*rows)), more)
    return f"<!doctype html>\n{html.html(head, html.body(main), lang='de')}\n"


def _link_files(model: str, sizes: Mapping[str, int]) -> Iterable[str]:
    for ending in ("csv", "geojson", "parquet"):
        if (name := f"{model}.{ending}") in sizes:
            yield html.a(name, href=name)
            yield f" ({_format_size(sizes[name])}) "


def _format_size(size: int) -> str:
    return f"{size / 1e6:.1f} MB".replace(".", ",") if size >= 100_000 else f"{max(1, round(size / 1000))} kB"

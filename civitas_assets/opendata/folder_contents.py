"""Making a tenant's folder of open data from what it has published, and putting it in the place of the last one.

Rows are in the order of their keys, so that the same rows are the same bytes. Where nothing has changed, nothing is
made: neither the publication, nor the tenant's file, nor this product.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from civitas_assets import __version__
from civitas_assets.catalog import Tenant
from civitas_assets.catalog.licence import find_terms_of_licence
from civitas_assets.catalog.open_data import FolderFormat
from civitas_assets.dcat.catalogue_files import write_catalogue
from civitas_assets.dcat.catalogue_graph import build_catalogue
from civitas_assets.dcat.controlled_terms import FILE_KINDS, IANA
from civitas_assets.dcat.model_labels import MODEL_LABELS
from civitas_assets.dcat.offered_files import Offer, make_open_url
from civitas_assets.dcat.open_tables import OpenTable, OpenTables, select_open_tables
from civitas_assets.dictionary.json_schema import build_json_schema
from civitas_assets.errors import ExportError
from civitas_assets.export.csv_format import Csv
from civitas_assets.export.formats import Format, write_selection
from civitas_assets.export.geojson_format import GeoJson
from civitas_assets.export.geoparquet_format import GeoParquet
from civitas_assets.export.parquet_format import Parquet
from civitas_assets.export.selection import Selection
from civitas_assets.export.terms import Conditions, read_conditions_of
from civitas_assets.opendata.data_package import build_data_package
from civitas_assets.publish.destinations import make_destination
from civitas_assets.publish.reading import PublishedTables, open_published
from civitas_assets.publish.suppression import suppression_sql
from civitas_assets.report.elements import html
from civitas_assets.settings import Settings
from civitas_assets.store.files import Files
from civitas_assets.store.open_folder import FolderIndex, OpenFile, OpenFolder, hash_file

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


_FORM = 1  # of these files; whoever changes what is written into them raises it
_POSITION = frozenset({"lon", "lat"})
_CATALOGUES = {
    "catalogue.ttl": ("turtle", "text/turtle"),
    "catalogue.jsonld": ("jsonld", "application/ld+json"),
    "catalogue.rdf": ("rdfxml", "application/rdf+xml"),
}


@dataclass(frozen=True)
class FolderChange:
    """What was put into the place of the last folder; without an index, nothing: the folder is gone.

    `left_out` says by table that the tenant shares why it is not there.
    """

    index: FolderIndex | None
    changed: Sequence[str]
    left_out: Mapping[str, str]


def make_open_folder(settings: Settings, files: Files, tenant: Tenant, now: datetime) -> FolderChange | None:
    """Bring the folder up to what the tenant has published and its file says; None where it is so already.

    Whoever calls this holds the tenant's lock. A tenant whose file has no `open_data.folder` any more has no folder.

    Raises:
        ExportError: the tenant's file does not say who publishes, whom to ask, or where.
        PublishError: what is published cannot be read.
        StoreError: files cannot be kept; the last folder still is.
    """
    folder = OpenFolder(files, tenant.slug)
    before = folder.read_index()
    said = tenant.open_data.folder
    if said is None:
        if before is None:
            return None
        folder.clear()
        return FolderChange(None, sorted(before.files), {})
    if missing := ", ".join(tenant.open_data.missing):
        raise ExportError(
            f"{tenant.slug}: a folder of open data needs {missing}; set it in the tenant's file"
        )
    publication = make_destination(settings, tenant.slug, tenant.destinations[0]).read_publication()
    if not publication:
        return None
    url = make_open_url(settings, tenant.slug)
    basis = hashlib.sha256(
        "\n".join((publication, tenant.model_dump_json(), url, __version__, str(_FORM))).encode()
    ).hexdigest()
    if before is not None and before.basis == basis:
        return None
    settings.workspaces.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory(prefix="open-", suffix=f"-{tenant.slug}", dir=settings.workspaces) as place,
        open_published(settings, tenant.slug) as published,
    ):
        making = _Making(Path(place), tenant, published, now)
        found = making.write_tables(read_conditions_of(tenant, published))
        making.write_descriptions(found, url)
        index = folder.replace(making.paths, basis, said.access, now)
    old = before.files if before else {}
    changed = sorted({*old.items()} ^ {*index.files.items()}, key=lambda item: item[0])
    return FolderChange(index, sorted({name for name, _ in changed}), found.left_out)


class _Making:
    """The files of a folder, as they come into being beside it."""

    def __init__(self, place: Path, tenant: Tenant, published: PublishedTables, now: datetime) -> None:
        self._place, self._tenant, self._published, self._now = place, tenant, published, now
        self.paths: dict[str, tuple[Path, str]] = {}
        self._made: list[tuple[OpenTable, Selection]] = []

    def write_tables(self, conditions: Conditions) -> OpenTables:
        """A file per open table and format."""
        tenant, contracts = self._tenant, self._published.read_contracts()
        below = {share.table: tenant.k if share.k is None else share.k for share in tenant.share}
        small = {
            name: suppression_sql(contracts[name], least)
            for name, least in below.items()
            if name in contracts
        }
        found = select_open_tables(self._published, tenant, conditions)
        is_open = {
            name: said
            for name, said in conditions.given.items()
            if find_terms_of_licence(said.licence).is_open
        }
        terms = replace(conditions, sources=is_open, small=small)
        columns = self._published.list_columns()
        # A row lies where its thing does: nobody learns of a thing's position that is not open itself.
        things = {
            table.model: columns[table.model]
            for table in found.tables
            if table.withheld.isdisjoint(_POSITION)
        }
        for table in found.tables:
            models = {**things, table.model: columns[table.model]}
            key = table.contract.key if table.contract else ()
            selection = Selection(
                table.model, columns[table.model], models, None, terms, table.withheld, tuple(key)
            )
            self._made.append((table, selection))
            for ending, form in self._choose_formats(table, selection):
                self._write(f"{table.model}.{ending}", FILE_KINDS[ending].media_type, selection, form)
        return found

    def _choose_formats(
        self, table: OpenTable, selection: Selection
    ) -> Iterator[tuple[FolderFormat, Format]]:
        said = self._tenant.open_data.folder
        formats = said.formats if said else ()
        if "csv" in formats:
            yield "csv", Csv()
        # Each row of a series as a feature would be many times the table, without telling more.
        if "geojson" in formats and table.has_position and "lon" in selection.columns:
            yield "geojson", GeoJson()
        if "parquet" in formats:
            somewhere = table.has_position and selection.is_somewhere
            yield "parquet", GeoParquet() if somewhere else Parquet()

    def write_descriptions(self, found: OpenTables, url: str) -> None:
        """What describes the files: dictionary, licences, data package, catalogue, and the page."""
        files = {
            name: OpenFile(hash_file(path), path.stat().st_size, kind, self._now)
            for name, (path, kind) in self.paths.items()
        }
        self._put_json("dictionary.json", {table.model: _describe_rows(table) for table, _ in self._made})
        self._put_json(
            "licences.json",
            {
                table.model: {
                    "licences": table.licences,
                    "attributions": table.attributions,
                    "notices": table.notices,
                }
                for table in found.tables
            },
        )
        self._put_json("datapackage.json", build_data_package(self._tenant, self._made, files))
        index = FolderIndex("", "everybody", files)
        graph = build_catalogue(found, Offer.from_index(url, self._tenant, index))
        for name, (form, media_type) in _CATALOGUES.items():
            write_catalogue(graph, form, self._place / name, BytesIO())
            self.paths[name] = (self._place / name, media_type)
        sizes = {name: file.size for name, file in files.items()}
        page = render_folder_page(self._tenant, found.tables, sizes)
        self._put("index.html", "text/html; charset=utf-8", page)

    def _write(self, name: str, media_type: str, selection: Selection, form: Format) -> None:
        path = self._place / name
        with path.open("xb") as sink:
            write_selection(self._published, selection, form, sink)
        self.paths[name] = (path, media_type.removeprefix(f"{IANA}/"))

    def _put_json(self, name: str, content: object) -> None:
        self._put(name, "application/json", json.dumps(content, ensure_ascii=False, indent=1) + "\n")

    def _put(self, name: str, media_type: str, text: str) -> None:
        path = self._place / name
        path.write_text(text, encoding="utf-8")
        self.paths[name] = (path, media_type)


def _describe_rows(table: OpenTable) -> object:
    """The contract of a table as JSON Schema, without columns that are withheld."""
    if table.contract is None:
        return {}
    columns = {n: column for n, column in table.contract.columns.items() if n not in table.withheld}
    return build_json_schema(replace(table.contract, columns=columns))

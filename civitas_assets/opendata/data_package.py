"""Open tables as a Data Package: what each file is, and what the columns of each table mean.

Source: https://specs.frictionlessdata.io/data-package/ and https://specs.frictionlessdata.io/table-schema/, version 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from civitas_assets.catalog import Tenant
from civitas_assets.catalog.licence import find_terms_of_licence
from civitas_assets.dcat.model_labels import MODEL_LABELS
from civitas_assets.dcat.open_tables import OpenTable
from civitas_assets.dictionary.contracts import Contract, ModelColumn
from civitas_assets.export.selection import Selection
from civitas_assets.store.open_folder import OpenFile

_TYPES: Mapping[str, Mapping[str, str]] = {
    "DOUBLE": {"type": "number"},
    "INTEGER": {"type": "integer"},
    "BIGINT": {"type": "integer"},
    "BOOLEAN": {"type": "boolean"},
    "DATE": {"type": "date"},
    "TIMESTAMP WITH TIME ZONE": {
        "type": "datetime",
        "format": "any",
    },  # with decimals of a second where there are some
}
_WKB, _WKT = "geometry_wkb", "geometry_wkt"


def build_data_package(
    tenant: Tenant, tables: Iterable[tuple[OpenTable, Selection]], files: Mapping[str, OpenFile]
) -> dict[str, Any]:
    """The descriptor of a folder with these files; the same tables and files make the same one."""
    found, said = [*tables], tenant.open_data
    resources = [
        resource
        for table, selection in found
        for ending in ("csv", "geojson", "parquet")
        if (file := files.get(f"{table.model}.{ending}")) is not None
        for resource in [_describe_file(table, selection, ending, file)]
    ]
    licences = sorted({licence for table, _ in found for licence in table.licences})
    sources = sorted({text for table, _ in found for text in table.attributions})
    publisher = said.publisher
    made: dict[str, Any] = {
        "name": tenant.slug,
        "title": f"Offene Daten von {tenant.name}",
        "profile": "data-package",
        "homepage": said.landing_page,
        "contributors": [{"title": publisher.name, "role": "publisher"}] if publisher else [],
        "licenses": [*map(_describe_licence, licences)],
        "sources": [{"title": text} for text in sources],
        "resources": resources,
    }
    return {name: value for name, value in made.items() if value}


def _describe_file(table: OpenTable, selection: Selection, ending: str, file: OpenFile) -> dict[str, Any]:
    label = MODEL_LABELS[table.model]
    made = {
        "name": table.model if ending == "csv" else f"{table.model}.{ending}",
        "title": label.title_de,
        "description": label.description_de,
        "path": f"{table.model}.{ending}",
        "format": ending,
        "mediatype": file.media_type,
        "bytes": file.size,
        "hash": f"sha256:{file.digest}",
        "licenses": [*map(_describe_licence, table.licences)],
    }
    if ending == "csv":
        made |= {
            "profile": "tabular-data-resource",
            "encoding": "utf-8",
            "schema": _describe_columns(table.contract, selection),
        }
    return made


def _describe_licence(licence: str) -> dict[str, str]:
    address = find_terms_of_licence(licence).address
    return {"name": licence.replace("/", "-"), "title": licence, **({"path": address} if address else {})}


def _describe_columns(contract: Contract | None, selection: Selection) -> dict[str, Any]:
    known = contract.columns if contract else {}
    fields = [
        {"name": _WKT if name == _WKB else name, **_TYPES.get(kind, {"type": "string"})}
        | (_describe_column(known[name]) if name in known else {})
        for name, kind in selection.shown.items()
    ]
    fields += [{"name": name, "type": "string"} for name in selection.said]
    key = [*contract.key] if contract else []
    return {"fields": fields, "missingValues": [""], **({"primaryKey": key} if key else {})}


def _describe_column(column: ModelColumn) -> dict[str, Any]:
    made: dict[str, Any] = {"description": column.description}
    if column.unit:
        made["unit"] = column.unit  # a code of UCUM
    if not column.nullable:
        made["constraints"] = {"required": True}
    return made

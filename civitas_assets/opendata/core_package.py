"""A package for CIVITAS/CORE 2: published tables as data sources of the platform, and the way into tables of its own.

For each table there are two data structures (the row as it is published, and as the platform keeps it, with a point),
the data source on our PostgreSQL, a mapping, a data sink and a pipeline that polls; a manifest lists them. Source: the
JSON Schemas of the platform's registry and the packages of its marketplace, open-urban-apps-civitascore, August 2026.

The platform reads a whole table each time, and puts rows in the place of those with the same key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from civitas_assets import __version__
from civitas_assets.catalog import Tenant
from civitas_assets.dcat.model_labels import MODEL_LABELS
from civitas_assets.dictionary.contracts import Contract
from civitas_assets.dictionary.json_schema import DIALECT, build_json_schema, make_artifact_urn
from civitas_assets.errors import ExportError
from civitas_assets.publish.reading import PublishedTables

_OWNER = "civitasassets"  # of manifests, where no hyphen may be
_CORE = "https://civitasconnect.digital/core"
_POINT = "https://geojson.org/schema/Point.json"
_POSITION = "position"
_FIELDS_OF_CRON = 6


@dataclass(frozen=True)
class Polling:
    """Where and when the platform reads: `dsn` without account; days back, none for all; cron with seconds first."""

    dsn: str | None
    schema: str
    days: int | None
    cron: str

    def __post_init__(self) -> None:
        if len(self.cron.split()) != _FIELDS_OF_CRON:
            raise ExportError(f"{self.cron!r} is no cron of six fields, seconds first, such as 0 30 6 * * ?")


def select_contracts(published: PublishedTables, models: Sequence[str]) -> Sequence[Contract]:
    """The contracts of these models, or of all that have rows and a key, by which the platform replaces rows.

    Raises:
        ExportError: a model is not published or has no key, or there is none with rows.
    """
    contracts = published.read_contracts()
    for name in models:
        if name not in contracts:
            known = ", ".join(sorted(contracts))
            raise ExportError(f"{published.tenant} has no published table {name}; there are: {known}")
        if not contracts[name].key:
            raise ExportError(f"{name} has no key by which the platform could replace rows")
    found = [contracts[name] for name in models] or [
        contract
        for name, contract in sorted(contracts.items())
        if contract.key and published.query_rows(f'select 1 from "{name}" limit 1')  # noqa: S608 - a model's name
    ]
    if not found:
        raise ExportError(f"{published.tenant} has no published table with rows and a key")
    return found


def build_core_package(
    tenant: Tenant, contracts: Sequence[Contract], polling: Polling
) -> Mapping[str, Mapping[str, Any]]:
    """The documents of a package, by the name of their file."""
    documents, members = dict[str, Mapping[str, Any]](), dict[str, list[dict[str, Any]]]()
    for contract in contracts:
        for kind, suffix, document in _TableDocuments(tenant, contract, polling).build():
            name = f"{contract.name}{suffix}.json"
            documents[name] = document
            member: dict[str, Any] = {"file": name}
            if parameters := _PARAMETERS.get(kind):
                member["parameters"] = [
                    {"field": field, "label": label} for field, label in parameters.items()
                ]
            members.setdefault(kind, []).append(member)
    publisher, titles = tenant.open_data.publisher, sorted({_find_title(contract) for contract in contracts})
    documents["manifest.json"] = {
        "id": f"urn:{_OWNER}:usecase:tabellen-{tenant.slug.replace('_', '-').strip('-')}",
        "type": "usecase",
        "displayName": f"Kommunale Daten: {tenant.name}",
        "description": f"Harmonisierte Tabellen von {tenant.name}, gelesen aus PostgreSQL: "
        + ", ".join(titles),
        "version": __version__,
        "maintainer": publisher.name if publisher else tenant.name,
        "license": "EUPL-1.2",
        "keywords": titles,
        "members": members,
        "dependencies": [],
    }
    return documents


def _find_title(contract: Contract) -> str:
    """In German, but of a model of the deployment's own."""
    label = MODEL_LABELS.get(contract.name)
    return label.title_de if label else contract.name


# What the receiving instance says itself; a password is in no package.
_PARAMETERS: Mapping[str, Mapping[str, str]] = {
    "dataSources": {"dsn": "Adresse der Datenbank", "user": "Anmeldung", "password": "Passwort"},
    "dataSinks": {"tableName": "Name der Tabelle"},
}


@dataclass(frozen=True)
class _TableDocuments:
    tenant: Tenant
    contract: Contract
    polling: Polling

    def build(self) -> Sequence[tuple[str, str, Mapping[str, Any]]]:
        return [
            ("dataStructures", ".datastructure", self._structure(self._row, self._urn("datastructure"))),
            ("dataStructures", "-table.datastructure", self._structure(self._table_row, self._table_urn)),
            ("dataSources", ".datasource", self._source),
            ("mappings", ".mapping", self._mapping),
            ("dataSinks", ".datasink", self._sink),
            ("pipelines", ".pipeline", self._pipeline),
        ]

    def _urn(self, kind: str, name: str = "") -> str:
        """Of what all tenants have in common, with the contract's version: nothing else tells of a change."""
        return f"{make_artifact_urn(kind, name or self.contract.name)}:{self.contract.version}"

    def _own_urn(self, kind: str) -> str:
        """Of what is the tenant's alone."""
        return self._urn(kind, f"{self.tenant.slug}.{self.contract.name}")

    @property
    def _table_urn(self) -> str:
        return self._urn("datastructure", f"{self.contract.name}.table")

    @property
    def _title(self) -> str:
        return f"{_find_title(self.contract)} – {self.tenant.name}"

    @property
    def _columns(self) -> Sequence[str]:
        """Those that a structure of the platform has a type for."""
        return [name for name, column in self.contract.columns.items() if column.type != "blob"]

    @property
    def _has_point(self) -> bool:
        return {"lon", "lat"} <= {*self._columns} and _POSITION not in self.contract.columns

    @property
    def _row(self) -> dict[str, Any]:
        return build_json_schema(self.contract)

    @property
    def _table_row(self) -> dict[str, Any]:
        """What the platform makes a table from: a type that is a list it would take for a text."""
        columns = {name: replace(self.contract.columns[name], nullable=False) for name in self._columns}
        made = build_json_schema(replace(self.contract, columns=columns))
        for name in self.contract.key:
            made["properties"][name]["x-core-primaryKey"] = True
        if self._has_point:
            made["properties"][_POSITION] = {
                "$ref": _POINT,
                "crs": "EPSG:4326",
                "description": "Lage als Punkt, aus lon und lat.",
            }
        required = [name for name in self._columns if not self.contract.columns[name].nullable]
        return {**made, "$id": self._urn("element", f"{self.contract.name}.table"), "required": required}

    def _structure(self, row: Mapping[str, Any], urn: str) -> Mapping[str, Any]:
        name = "".join(part.capitalize() for part in self.contract.name.split("_"))
        return {
            "$schema": DIALECT,
            "$id": urn,
            "title": _find_title(self.contract),
            "description": self.contract.description,
            "$defs": {name: {key: value for key, value in row.items() if key != "$schema"}},
        }

    @property
    def _source(self) -> Mapping[str, Any]:
        days = self.polling.days
        is_limited = days is not None and self.contract.replaced == "replace_days"
        return {
            "$schema": f"{_CORE}/datasource/v1",
            "id": self._own_urn("datasource"),
            "title": self._title,
            "description": f"Tabelle {self.contract.name} {self.contract.version}.",
            "connectionType": "sql",
            "element": self._urn("datastructure"),
            "driver": "postgres",
            "dsn": self.polling.dsn,
            "table": f"{self.polling.schema}.{self.contract.name}",
            "columns": [*self._columns],
            "where": f"day >= current_date - {days}" if is_limited else None,
            "user": None,
            "password": None,
        }

    @property
    def _mapping(self) -> Mapping[str, Any]:
        fields: dict[str, Any] = {f"$.{name}": f"$.{name}" for name in self._columns}
        if self._has_point:
            fields[f"$.{_POSITION}"] = {"op": "geoPoint", "lon": "$.lon", "lat": "$.lat"}
        urn, title = self._urn("mapping"), _find_title(self.contract)
        return {
            "mappingUrn": urn,
            "name": title,
            "document": {
                "$schema": f"{_CORE}/mapping/v1",
                "id": urn,
                "title": title,
                "source": self._urn("datastructure"),
                "target": self._table_urn,
                "fields": fields,
            },
        }

    @property
    def _sink(self) -> Mapping[str, Any]:
        return {
            "$schema": f"{_CORE}/datasink/v1",
            "id": self._own_urn("datasink"),
            "title": f"{self._title} (Tabelle)",
            "connectionType": "postgis",
            # Two underscores: a_b and c would else be called as a and b_c.
            "tableName": f"{self.tenant.slug}__{self.contract.name}",
            "element": self._table_urn,
        }

    @property
    def _pipeline(self) -> Mapping[str, Any]:
        steps: Sequence[tuple[str, Mapping[str, str]]] = (
            ("start", {}),
            ("cron", {"cronExpression": self.polling.cron}),
            ("source", {"sourceRef": self._own_urn("datasource")}),
            ("mapping", {"mappingRef": self._urn("mapping")}),
            ("sink", {"sinkRef": self._own_urn("datasink")}),
            ("end", {}),
        )
        kinds = [kind for kind, _ in steps]
        return {
            "name": self._title,
            "model": {
                "$schema": f"{_CORE}/pipeline/v1",
                "id": self._own_urn("pipeline"),
                "title": self._title,
                "nodes": [
                    {"id": kind, "kind": kind, "x-ui-position": {"x": 260 * place, "y": 120}, **said}
                    for place, (kind, said) in enumerate(steps)
                ],
                "edges": [
                    {"id": f"{first}-{second}", "source": first, "target": second}
                    for first, second in pairwise(kinds)
                ],
            },
        }

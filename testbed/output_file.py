"""A town that has published tables without a run: by contract, and with no more rows than somebody puts there."""

from __future__ import annotations

from pathlib import Path

import duckdb
import msgspec

from civitas_assets.dictionary.contracts import read_contracts
from civitas_assets.harmonise.prepare import prepare_project
from civitas_assets.harmonise.project import Project
from civitas_assets.settings import Settings

TOWN = """
name: Beispielstadt
ags: "99000001"
bbox: [9.9, 50.9, 10.1, 51.1]
sources:
  air: {title: Luft, connector: json, licence: CC0-1.0, url: "https://air.example/values", record_type: observation,
    fields: {datastream_id: id, value: v}, time: {column: at, zone: utc}}
"""


def write_output(settings: Settings, slug: str, project: Project | None = None) -> Path:
    """Write the town's file and its published tables; where these are."""
    settings.tenants_dir.mkdir(parents=True, exist_ok=True)
    (settings.tenants_dir / f"{slug}.yaml").write_text(TOWN, encoding="utf-8")
    file = settings.published / slug / f"{slug}_db.duckdb"
    file.parent.mkdir(parents=True)
    contracts = read_contracts(project or prepare_project(settings))
    with duckdb.connect(str(file)) as connection:
        for contract in contracts.values():
            columns = ", ".join(f'"{name}" {column.type}' for name, column in contract.columns.items())
            connection.execute(f'create table "{contract.name}" ({columns})')
        connection.execute("create schema meta")
        content = msgspec.json.encode(dict(contracts)).decode()
        connection.execute("create table meta.publication as select ? as contracts", [content])
    return file

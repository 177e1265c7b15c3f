"""The tables of a workspace before dbt runs: one per record type, and what there is to know about tenant and sources.

They are the sources of the dbt project; filling them is in `workspace.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import polars as pl

from civitas_assets.catalog import Tenant
from civitas_assets.catalog.licence import find_terms_of_licence
from civitas_assets.records import RECORD_TYPES
from civitas_assets.store.summary import SourceSummary

WORKSPACE_FILE = "workspace.duckdb"  # a manifest remembers the stem, hence the same one for all
RECORDS_SCHEMA = "records"
SHARED_SCHEMA = "shared"
STAGING_SCHEMA = "staging"
BEFORE = "observation_before"  # of days before affected ones, for what looks back into them

_TYPES: dict[pl.DataType, str] = {
    pl.String(): "varchar",
    pl.Float64(): "double",
    pl.Int64(): "bigint",
    pl.Int32(): "integer",
    pl.Boolean(): "boolean",
    pl.Date(): "date",
    pl.Binary(): "blob",
    pl.Datetime("us", "UTC"): "timestamptz",
}

# About the data itself: the tenant, its sources, the days of this run, and what was rejected on them.
CONTEXT_TABLES: Mapping[str, Mapping[str, str]] = {
    "tenant": {
        "tenant": "varchar",
        "name": "varchar",
        "ags": "varchar",
        "timezone": "varchar",
        "west": "double",
        "south": "double",
        "east": "double",
        "north": "double",
    },
    "source": {
        "source": "varchar",
        "id_space": "varchar",
        "title": "varchar",
        "connector": "varchar",
        "licence": "varchar",
        "attribution": "varchar",
        "licence_url": "varchar",
        "notice": "varchar",
        "is_shareable": "boolean",
        "url": "varchar",
        "last_fetched_at": "timestamptz",
        "last_changed_at": "timestamptz",
        "state": "varchar",
    },
    "mapping": {"kind": "varchar", "native": "varchar", "code": "varchar"},
    "affected_day": {"day": "date"},
    "seen": {"source": "varchar", "record_type": "varchar", "id": "varchar", "last_seen_at": "timestamptz"},
    "rejected": {
        "source": "varchar",
        "record_type": "varchar",
        "rule": "varchar",
        "field": "varchar",
        "detail": "varchar",
        "day": "date",
        "received_at": "timestamptz",
        "payload": "varchar",
        "run_id": "varchar",
    },
}


def list_table_columns() -> dict[str, dict[str, str]]:
    """Every table of the records schema with its columns and DuckDB types."""
    tables = {
        name: {column: _TYPES[dtype] for column, dtype in record_type.stored_schema.items()}
        for name, record_type in RECORD_TYPES.items()
    }
    before = {BEFORE: dict(tables["observation"])}
    return {**tables, **before, **{name: dict(columns) for name, columns in CONTEXT_TABLES.items()}}


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make all tables of a workspace, empty, in UTC."""
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(f"create schema if not exists {RECORDS_SCHEMA}")
    for name, columns in list_table_columns().items():
        body = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
        connection.execute(f'create table {RECORDS_SCHEMA}."{name}" ({body})')


def build_source_row(tenant: Tenant, name: str, known: SourceSummary) -> tuple[object, ...]:
    """A source as a row of its table, in the order of its columns."""
    source = tenant.sources[name]
    terms = find_terms_of_licence(source.licence)
    return (
        name, source.id_space or name, source.title, source.connector, source.licence, source.attribution,
        terms.address or None, terms.build_notice(source.licence), source.is_shareable, source.url,
        known.heard_at or known.answered_at, known.brought_at, known.state or "never",
    )  # fmt: skip

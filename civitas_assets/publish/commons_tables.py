"""The tables in the DuckDB file of the commons: rows by tenant, and views that say whose and under which licence.

Which file that is, when it is changed, and how it reaches readers, is in `commons_duckdb.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb
import msgspec

from civitas_assets.catalog.share import Withheld
from civitas_assets.dictionary.contracts import Contract
from civitas_assets.publish.commons import (
    ADDED_COLUMNS,
    COMMONS_SCHEMA,
    TENANT_NAME,
    Member,
    list_source_columns,
)
from civitas_assets.publish.commons_published import Published

# Rows lie apart from the views, so that a changed licence or name costs nothing but its own row.
_ROWS = "rows"
_META = f"""
create schema if not exists meta;
create schema if not exists {_ROWS};
create schema if not exists {COMMONS_SCHEMA};
create table if not exists meta.tenant (tenant varchar, name varchar);
create table if not exists meta.source (tenant varchar, source varchar, licence varchar, attribution varchar);
create table if not exists meta.holding (tenant varchar, model varchar, withheld varchar[], complete boolean);
create table if not exists meta.shape (model varchar, shape varchar);
"""

Holdings = Mapping[tuple[str, str], Withheld]


class CommonsTables:
    """What an open file of the commons holds."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._run = connection.execute

    def create_schema(self) -> None:
        """Make what every file of the commons has."""
        self._run(_META)

    @contextmanager
    def change(self) -> Iterator[None]:
        """All that follows happens together, or not at all."""
        complete = False
        self._run("begin")
        try:
            yield
            complete = True
        finally:
            self._run("commit" if complete else "rollback")

    def read_holdings(self) -> Holdings:
        """Whose models are here, each with what of it was withheld."""
        rows = self._run("select tenant, model, withheld from meta.holding").fetchall()
        return {(tenant, model): Withheld.from_entries(withheld) for tenant, model, withheld in rows}

    def list_incomplete(self) -> frozenset[tuple[str, str]]:
        """Those whose rows could not come yet, as they follow a contract of another meaning."""
        rows = self._run("select tenant, model from meta.holding where not complete").fetchall()
        return frozenset((tenant, model) for tenant, model in rows)

    def list_tenants(self) -> frozenset[str]:
        """Everybody of whom there is anything at all."""
        rows = self._run("select tenant from meta.holding union select tenant from meta.tenant").fetchall()
        return frozenset(tenant for (tenant,) in rows)

    def count(self, tenant: str) -> int:
        """How many rows there are of a tenant."""
        return sum(
            self._count(f'select count(*) from {_ROWS}."{model}" where tenant = ?', [tenant])  # noqa: S608
            for model in self.list_models()
        )

    def drop(self, tenant: str, model: str) -> int:
        """Take a tenant's rows of a model out; how many there were."""
        count = self._delete(tenant, model, None)
        self._run("delete from meta.holding where tenant = ? and model = ?", [tenant, model])
        return count

    def hide(self, tenant: str, model: str, more: Withheld) -> int:
        """Take out rows of sources and columns that are withheld from now on; the number of rows that held any."""
        there, changed = self._columns(model), 0
        if more.sources and "source" in there:
            gone = (
                f'delete from {_ROWS}."{model}" where tenant = ? and source in (select unnest(?::varchar[]))'  # noqa: S608
            )
            changed += self._count(gone, [tenant, sorted(more.sources)])
        held = [name for name in sorted(more.columns) if name in there]
        if held:
            emptied = ", ".join(f'"{name}" = null' for name in held)
            filled = " or ".join(f'"{name}" is not null' for name in held)
            changed += self._count(
                f'update {_ROWS}."{model}" set {emptied} where tenant = ? and ({filled})',  # noqa: S608
                [tenant],
            )
        self._run(
            "update meta.holding set withheld = list_sort(list_distinct(withheld || ?::varchar[]))"
            " where tenant = ? and model = ?",
            [more.to_entries(), tenant, model],
        )
        return changed

    def forget_tenant(self, tenant: str) -> None:
        """Forget name and licences of a tenant of whom nothing is left."""
        self._run("delete from meta.tenant where tenant = ?", [tenant])
        self._run("delete from meta.source where tenant = ?", [tenant])

    def find_misshapen(self, contracts: Mapping[str, Contract]) -> frozenset[str]:
        """Models that follow another contract than now, or none."""
        shapes = dict(self._run("select model, shape from meta.shape").fetchall())
        return frozenset(name for name, shape in shapes.items() if is_other_shape(contracts.get(name), shape))

    def begin(self, contract: Contract) -> None:
        """Make the model's table anew and empty, by its contract."""
        name = contract.name
        self._run(f'drop view if exists {COMMONS_SCHEMA}."{name}"')
        columns = ", ".join(f'"{column}" {promised.type}' for column, promised in contract.columns.items())
        self._run(f'create or replace table {_ROWS}."{name}" ({columns})')
        self._run("delete from meta.shape where model = ?", [name])
        self._run("insert into meta.shape values (?, ?)", [name, describe_shape(contract)])
        self._run("update meta.holding set complete = false where model = ?", [name])
        self._describe(contract)

    def end(self, model: str) -> None:
        """Remove a model that nobody shares."""
        self._run(f'drop view if exists {COMMONS_SCHEMA}."{model}"')
        self._run(f'drop table if exists {_ROWS}."{model}"')
        self._run("delete from meta.shape where model = ?", [model])

    def list_models(self) -> frozenset[str]:
        """The models that have a table."""
        return frozenset(model for (model,) in self._run("select model from meta.shape").fetchall())

    def has(self, model: str) -> bool:
        """Whether there is a table for the model."""
        return self._run("select 1 from meta.shape where model = ?", [model]).fetchone() is not None

    @contextmanager
    def attach_published(self, file: Path) -> Iterator[Published]:
        """A tenant's published file, to load from."""
        path = str(file).replace("'", "''")
        self._run(f"attach '{path}' as published (read_only)")
        try:
            yield Published(self._run)
        finally:
            self._run("detach published")

    def load(
        self, member: Member, published: Published, contract: Contract, days: frozenset[date] | None
    ) -> int:
        """Replace days of a model, or all of it, by what a tenant has published; the number of rows."""
        model, withheld = contract.name, member.shared[contract.name]
        only = days if contract.replaced == "replace_days" else None
        self._delete(member.slug, model, only)
        selection = published.selection(contract, withheld)
        rows = 0
        if selection is not None:
            conditions, parameters = list[str](), list[object]()
            if only is not None:
                conditions.append("day in (select unnest(?::date[]))")
                parameters.append(_texts(only))
            if "source" in contract.columns:
                # Of a source that the tenant does not name any more nobody knows the licence.
                conditions.append(
                    "(source is null or source in (select source from published.main.source))"
                    " and coalesce(source, '') not in (select unnest(?::varchar[]))"
                )
                parameters.append(sorted(withheld.sources))
            within = f" where {' and '.join(conditions)}" if conditions else ""
            rows = self._count(f'insert into {_ROWS}."{model}" {selection}{within}', parameters)
        self._run("delete from meta.holding where tenant = ? and model = ?", [member.slug, model])
        self._run(
            "insert into meta.holding values (?, ?, ?, ?)",
            [member.slug, model, withheld.to_entries(), selection is not None],
        )
        return rows

    def describe_member(self, member: Member) -> int:
        """Say who the tenant is, and under which licences its sources are published.

        Rows of sources that it does not name any more are taken out, since nobody knows their licence; how many.
        """
        self.forget_tenant(member.slug)
        self._run("insert into meta.tenant values (?, ?)", [member.slug, member.name])
        self._run(
            "insert into meta.source select ?, source, licence, attribution from published.main.source",
            [member.slug],
        )
        unknown = (
            "tenant = ? and source is not null and source not in (select source from published.main.source)"
        )
        return sum(
            self._count(f'delete from {_ROWS}."{model}" where {unknown}', [member.slug])  # noqa: S608
            for model in self.list_models()
            if "source" in self._columns(model)
        )

    def _describe(self, contract: Contract) -> None:
        """The view that readers see, with its comments."""
        name, own = contract.name, contract.columns
        given = {
            TENANT_NAME: "whose.name",
            **list_source_columns(),
        }
        added = [name for name in ADDED_COLUMNS if name not in own]
        order = ["tenant", TENANT_NAME, *(column for column in own if column != "tenant"), *added[1:]]
        columns = ", ".join(
            f'held."{column}"' if column in own else f'{given[column]} as "{column}"' for column in order
        )
        source = "held.source" if "source" in own else "null"
        self._run(f"""
            create or replace view {COMMONS_SCHEMA}."{name}" as
            select {columns}
            from {_ROWS}."{name}" as held
            left join meta.tenant as whose on whose.tenant = held.tenant
            left join meta.source as origin on origin.tenant = held.tenant and origin.source = {source}
        """)  # noqa: S608
        view = f'{COMMONS_SCHEMA}."{name}"'
        self._run(f"comment on view {view} is '{_quoted(contract.description)}'")
        described = {column: promised.description for column, promised in own.items()} | {
            column: ADDED_COLUMNS[column] for column in added
        }
        for column, text in described.items():
            self._run(f"comment on column {view}.\"{column}\" is '{_quoted(text)}'")

    def _delete(self, tenant: str, model: str, days: frozenset[date] | None) -> int:
        if not self.has(model):
            return 0
        within = "" if days is None else " and day in (select unnest(?::date[]))"
        return self._count(
            f'delete from {_ROWS}."{model}" where tenant = ?{within}',  # noqa: S608
            [tenant] if days is None else [tenant, _texts(days)],
        )

    def _columns(self, model: str) -> frozenset[str]:
        rows = self._run(
            "select column_name from duckdb_columns()"
            " where database_name = current_database() and schema_name = ? and table_name = ?",
            [_ROWS, model],
        )
        return frozenset(name for (name,) in rows.fetchall())

    def _count(self, statement: str, parameters: list[object]) -> int:
        row = self._run(statement, parameters).fetchone()
        return int(row[0]) if row else 0


def describe_shape(contract: Contract) -> str:
    """What a table's rows look like and mean; wording does not count."""
    columns = [(name, column.type, column.unit) for name, column in contract.columns.items()]
    content = [contract.grain, contract.key, contract.replaced, columns, *ADDED_COLUMNS]
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:16]


def is_other_shape(contract: Contract | None, shape: str) -> bool:
    """Whether a table of that shape is not what the contract promises."""
    return contract is None or describe_shape(contract) != shape


def _texts(days: Iterable[date]) -> list[str]:
    return sorted(day.isoformat() for day in days)


def _quoted(text: object) -> str:
    return str(text).replace("'", "''")

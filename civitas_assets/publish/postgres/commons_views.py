"""The views of the commons in PostgreSQL, and who may read what for them: one owner, one reader, nothing for PUBLIC.

The owner may read the shared columns of shared tables and no others, so that no view can show more. When views are
made is decided in `commons_postgres.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import msgspec
import psycopg
from psycopg.sql import SQL, Identifier, Literal

from civitas_assets.catalog.share import Withheld
from civitas_assets.dictionary.contracts import Contract
from civitas_assets.dictionary.evolution import map_names_before, plan_evolution
from civitas_assets.publish.commons import COMMONS_SCHEMA
from civitas_assets.publish.commons_tables import describe_shape
from civitas_assets.publish.postgres.commons_parts import (
    Held,
    describe_view_columns,
    quote_view,
    quote_view_columns,
    tenant_part_sql,
)
from civitas_assets.publish.postgres.postgres_names import COMMONS_OWNER, COMMONS_READER, PUBLICATION, Names
from civitas_assets.publish.postgres.postgres_narrow import Narrow, hindrances_sql, make_narrow_layout
from civitas_assets.publish.postgres.postgres_server import Statement
from civitas_assets.publish.postgres.postgres_tables import Platform, TableLayout
from civitas_assets.publish.suppression import list_suppression_inputs

_HOLDING, _SHAPE = "_holding", "_shape"
# Held while views are made, and while roles are, by whichever tenant's run.
_TURN = 4_711_000_015
_LICENCE = ("source", "licence", "attribution")

Key = tuple[str, str]


class Views:
    """The schema of the commons, in one transaction."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def is_there(self) -> bool:
        """Whether there are commons at all."""
        found = self._rows(
            SQL("select 1 from pg_namespace where nspname = {}").format(Literal(COMMONS_SCHEMA))
        )
        return bool(found)

    def acquire_lock(self) -> None:
        """Wait until no other transaction changes the commons."""
        self._run(SQL("select pg_advisory_xact_lock({})").format(Literal(_TURN)))

    def create_schema(self) -> None:
        """Make roles, schema and what is remembered, where they are not there."""
        if self.is_there():
            return
        for role in (COMMONS_OWNER, COMMONS_READER):
            self._run(
                SQL(
                    "do $$ begin if not exists (select from pg_catalog.pg_roles where rolname = {}) then"
                    " create role {} nologin; end if;"
                    " exception when duplicate_object or unique_violation then null; end $$"
                ).format(Literal(role), Identifier(role))
            )
            self._run(SQL("grant {} to current_user").format(Identifier(role)))
        schema = Identifier(COMMONS_SCHEMA)
        self._run(SQL("create schema {} authorization {}").format(schema, Identifier(COMMONS_OWNER)))
        self._run(SQL("revoke all on schema {} from public").format(schema))
        self._act_as(COMMONS_OWNER)
        self._run(SQL("grant usage on schema {} to {}").format(schema, Identifier(COMMONS_READER)))
        columns = SQL(
            "tenant text not null, model text not null, name text not null, withheld text[] not null"
        )
        self._run(SQL("create table {} ({})").format(quote_view(_HOLDING), columns))
        self._run(
            SQL("create table {} (model text not null, contract text not null)").format(quote_view(_SHAPE))
        )

    def read_held(self) -> dict[Key, Held]:
        """What the views show."""
        if not self.is_there():
            return {}
        self._act_as(COMMONS_OWNER)
        rows = self._rows(SQL("select tenant, model, name, withheld from {}").format(quote_view(_HOLDING)))
        return {
            (tenant, model): Held(name, Withheld.from_entries(withheld))
            for tenant, model, name, withheld in rows
        }

    def read_shapes(self) -> dict[str, Contract]:
        """The contracts that the views follow."""
        self._act_as(COMMONS_OWNER)
        rows = self._rows(SQL("select model, contract from {}").format(quote_view(_SHAPE)))
        return {model: msgspec.json.decode(text, type=Contract) for model, text in rows}

    def find_misshapen(self, contracts: Mapping[str, Contract]) -> set[str]:
        """Models whose views follow another contract than now, or lack what this version says of all rows."""
        found = self._rows(
            SQL(
                "select relname::text from pg_attribute join pg_class c on c.oid = attrelid"
                " join pg_namespace n on n.oid = relnamespace where nspname = {} and attname = 'notice'"
            ).format(Literal(COMMONS_SCHEMA))
        )
        whole = {model for (model,) in found}
        return {
            model
            for model, contract in self.read_shapes().items()
            if model not in contracts
            or describe_shape(contract) != describe_shape(contracts[model])
            or model not in whole
        }

    def read_contracts_of(self, tenant: str) -> Mapping[str, Contract]:
        """The contracts that a tenant's tables follow; none where nothing is published."""
        names = Names(tenant)
        table = names.quote_table(PUBLICATION)
        there = SQL("select to_regclass({}) is not null").format(Literal(table.as_string(None)))
        self._reset()
        if not self._rows(SQL("select 1 from pg_roles where rolname = {}").format(Literal(names.writer))):
            return {}
        self._act_as(names.writer)
        if not self._rows(there)[0][0]:
            return {}
        found = self._rows(SQL("select contracts from {}").format(table))
        return msgspec.json.decode(found[0][0], type=dict[str, Contract]) if found else {}

    def becomes_narrow(self, tenant: str, contract: Contract) -> bool:
        """Whether the next publication puts a view in the place of a tenant's table, unless these views use it."""
        names = Names(tenant)
        if not isinstance(make_narrow_layout(TableLayout(names, contract, Platform(0, None))), Narrow):
            return False
        table = Literal(names.quote_table(contract.name).as_string(None))
        kind = SQL("select 1 from pg_class where oid = to_regclass({}) and relkind <> 'v'").format(table)
        users = self._rows(hindrances_sql(names, contract.name)) if self._rows(kind) else []
        return bool(users) and all(schema == COMMONS_SCHEMA for _, schema in users)

    def make(
        self, model: str, contract: Contract | None, legs: Mapping[str, Held], allowed: AbstractSet[str]
    ) -> None:
        """The view of a model: a part for each tenant, by the names of the contract; none without any part.

        Of the tenants in `allowed`, the owner may read what it needs already.
        """
        parts = []
        if contract is not None:
            for slug, held in sorted(legs.items()):
                old = self._readable(slug, contract)
                if old is not None:
                    if slug not in allowed:
                        self._let_owner_read(slug, old, held.withheld, contract)
                    parts.append(tenant_part_sql(slug, held, old, contract))
        self._act_as(COMMONS_OWNER)
        self._run(SQL("drop view if exists {}").format(quote_view(model)))
        self._run(SQL("delete from {} where model = {}").format(quote_view(_SHAPE), Literal(model)))
        if contract is None or not parts:
            return
        self._run(
            SQL("create view {} with (security_barrier = true) as {}").format(
                quote_view(model), SQL(" union all ").join(parts)
            )
        )
        self._run(SQL("grant select on {} to {}").format(quote_view(model), Identifier(COMMONS_READER)))
        text = msgspec.json.encode(contract).decode()
        self._run(
            SQL("insert into {} values ({}, {})").format(quote_view(_SHAPE), Literal(model), Literal(text))
        )
        self._run(SQL("comment on view {} is {}").format(quote_view(model), Literal(contract.description)))
        for column, description in describe_view_columns(contract).items():
            place = Identifier(COMMONS_SCHEMA, model, column)
            self._run(SQL("comment on column {} is {}").format(place, Literal(description)))

    def allow(self, after: Mapping[Key, Held]) -> None:
        """Take from the owner what it does not need any more."""
        for (slug, model), held in self.read_held().items():
            if (slug, model) in after and not after[slug, model].withheld - held.withheld:
                continue
            still = {name for tenant, name in after if tenant == slug}
            names = Names(slug)
            if not self.read_contracts_of(slug):
                continue
            self._act_as(names.writer)
            if model not in still and (model != "source" or not still):
                self._revoke(names, model)
            if not still:
                self._revoke(names, "source")
                self._run(
                    SQL("revoke usage on schema {} from {}").format(
                        Identifier(slug), Identifier(COMMONS_OWNER)
                    )
                )

    def remember(self, after: Mapping[Key, Held]) -> None:
        """Note what the views show."""
        self._act_as(COMMONS_OWNER)
        self._run(SQL("delete from {}").format(quote_view(_HOLDING)))
        for (slug, model), held in after.items():
            values = (slug, model, held.name, held.withheld.to_entries())
            self._run(
                SQL("insert into {} values ({})").format(
                    quote_view(_HOLDING), SQL(", ").join(map(Literal, values))
                )
            )

    def count_rows(self, keys: Iterable[Key]) -> int:
        """How many rows the views show of these tenants' models."""
        return sum(self._count(slug, model) for slug, model in keys)

    def count_rows_by_model(self, tenant: str) -> dict[str, int]:
        """How many rows the views show of a tenant, by model."""
        return {model: self._count(slug, model) for slug, model in self.read_held() if slug == tenant}

    def _count(self, tenant: str, model: str) -> int:
        self._act_as(COMMONS_OWNER)
        there = SQL("select to_regclass({}) is not null").format(Literal(quote_view(model).as_string(None)))
        if not self._rows(there)[0][0]:
            return 0
        counted = SQL("select count(*) from {} where tenant = {}").format(quote_view(model), Literal(tenant))
        return int(self._rows(counted)[0][0])

    def _readable(self, slug: str, contract: Contract) -> Contract | None:
        """The contract of the tenant's table, where its rows mean what the view's do."""
        held = self.read_contracts_of(slug)
        old = held.get(contract.name) or held.get(contract.renamed_from or "")
        if old is None or plan_evolution({contract.name: old}, {contract.name: contract}).reasons:
            return None
        return old

    def _let_owner_read(self, slug: str, old: Contract, withheld: Withheld, contract: Contract) -> None:
        """Of the table only columns that are shared, and of the sources only what says whose rows are."""
        names = Names(slug)
        looked = list_suppression_inputs(contract, withheld.below)
        called = map_names_before(old, contract).items()
        shared = [before for now, before in called if now in looked or not withheld.hides(now, before)]
        self._act_as(names.writer)
        self._run(SQL("grant usage on schema {} to {}").format(Identifier(slug), Identifier(COMMONS_OWNER)))
        if old.name != "source":
            self._revoke(names, old.name)
        for table, columns in ((old.name, shared), ("source", _LICENCE)):
            self._run(
                SQL("grant select ({}) on {} to {}").format(
                    quote_view_columns(columns), names.quote_table(table), Identifier(COMMONS_OWNER)
                )
            )

    def _revoke(self, names: Names, model: str) -> None:
        there = SQL("select to_regclass({}) is not null").format(
            Literal(names.quote_table(model).as_string(None))
        )
        if self._rows(there)[0][0]:
            self._run(
                SQL("revoke all on {} from {}").format(names.quote_table(model), Identifier(COMMONS_OWNER))
            )

    def _act_as(self, role: str) -> None:
        self._run(SQL("set local role {}").format(Identifier(role)))

    def _reset(self) -> None:
        self._run(SQL("set local role none"))

    def _run(self, statement: Statement) -> None:
        self._connection.execute(statement)

    def _rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement).fetchall()

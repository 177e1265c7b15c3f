"""What a tenant's table gives to a view of the commons in PostgreSQL, in the words of the contract of now.

When views are made, and who may read them, is in `commons_views.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from psycopg.sql import SQL, Composed, Identifier, Literal

from civitas_assets.catalog.share import Withheld
from civitas_assets.dictionary.contracts import Contract
from civitas_assets.dictionary.evolution import map_names_before
from civitas_assets.publish.commons import (
    ADDED_COLUMNS,
    COMMONS_SCHEMA,
    TENANT_NAME,
    list_source_columns,
)
from civitas_assets.publish.postgres.postgres_names import Names
from civitas_assets.publish.postgres.postgres_server import Statement
from civitas_assets.publish.postgres.postgres_tables import column_type_sql
from civitas_assets.publish.suppression import suppression_sql


@dataclass(frozen=True)
class Held:
    """What the commons show of a tenant's model: under which name, and what of it is withheld."""

    name: str
    withheld: Withheld


def tenant_part_sql(slug: str, held: Held, old: Contract, contract: Contract) -> Composed:
    """What a tenant's table gives to a view."""
    names, called = Names(slug), map_names_before(old, contract)
    given: Mapping[str, Statement] = {
        TENANT_NAME: SQL("{}::text").format(Literal(held.name)),
        **{name: SQL(value) for name, value in list_source_columns().items()},  # texts of our own
    }
    without = held.withheld
    small = suppression_sql(contract, without.below, called)
    columns = []
    for column in describe_view_columns(contract):
        promised = contract.columns.get(column)
        if promised is None:
            value = given[column]
        elif column in called and not without.hides(column, called[column]):
            value = SQL("held.{}::{}").format(Identifier(called[column]), column_type_sql(promised.type))
            if column in small:
                value = SQL("case when {} then null else {} end").format(SQL(small[column]), value)
        else:
            value = SQL("null::{}").format(column_type_sql(promised.type))
        columns.append(SQL("{} as {}").format(value, Identifier(column)))
    source = SQL("held.source") if "source" in contract.columns else SQL("null")
    # Of a source that the tenant does not name any more nobody knows the licence.
    named = (
        SQL(
            " where (held.source is null or origin.source is not null) and coalesce(held.source, '') <> all ({})"
        ).format(Literal(sorted(without.sources)))
        if "source" in called
        else SQL("")
    )
    return SQL("select {} from {} as held left join {} as origin on origin.source = {}{}").format(
        SQL(", ").join(columns), names.quote_table(old.name), names.quote_table("source"), source, named
    )


def describe_view_columns(contract: Contract) -> dict[str, str]:
    """The columns of a view in their order, with what they are."""
    said = {name: column.description for name, column in contract.columns.items()}
    said |= {name: text for name, text in ADDED_COLUMNS.items() if name not in said}
    return {name: said[name] for name in ("tenant", TENANT_NAME) if name in said} | said


def quote_view(name: str) -> Identifier:
    """A view or table of the commons, quoted."""
    return Identifier(COMMONS_SCHEMA, name)


def quote_view_columns(columns: Iterable[str]) -> Composed:
    """Names of columns, quoted."""
    return SQL(", ").join(map(Identifier, columns))

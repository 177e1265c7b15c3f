"""The numbers that stand for texts in the narrow form of a table: those that there are, and new ones for new texts.

What is numbered together is in `postgres_narrow.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import pyarrow as pa
from psycopg.sql import SQL, Identifier

from civitas_assets.publish.postgres.postgres_narrow import ID, Dimension, Narrow, make_dimension_name
from civitas_assets.publish.postgres.postgres_session import PostgresSession
from civitas_assets.publish.postgres.postgres_tables import quote_columns
from civitas_assets.publish.workspace_reader import WorkspaceRows, quote_column


@dataclass(frozen=True)
class Numbers:
    """The numbers of one model's texts in a schema; nobody else may give any meanwhile."""

    session: PostgresSession
    layout: Narrow
    schema: str

    def put_in(self, rows: WorkspaceRows) -> WorkspaceRows:
        """Rows with numbers instead of texts, in the order of the table; what is new gets a number first."""
        connection, joins = rows.connection, []
        made = f"({rows.query})"
        for dimension in self.layout.dimensions:
            self._number(connection, dimension, made)
            same = " and ".join(
                f"{dimension.name}.{column} is not distinct from made.{column}"
                for column in map(quote_column, dimension.columns)
            )
            joins.append(f" left join {_known(dimension)} as {dimension.name} on {same}")
        numbers = {dimension.number: dimension for dimension in self.layout.dimensions}
        chosen = ", ".join(
            f"{numbers[name].name}.{ID} as {quote_column(name)}"
            if name in numbers
            else f"made.{quote_column(name)}"
            for name in self.layout.columns
        )
        query = f"select {chosen} from {made} as made{''.join(joins)}"  # noqa: S608 - names of a contract
        return WorkspaceRows(connection, query, rows.days, self.layout.order)

    def _number(self, connection: duckdb.DuckDBPyConnection, dimension: Dimension, made: str) -> None:
        """Bring the numbers that there are into the workspace, and new ones to both."""
        columns, shelf = ", ".join(map(quote_column, dimension.columns)), _known(dimension)
        held = self._held(dimension)
        connection.register("_incoming", held)
        # A column that went may have left the same texts twice.
        connection.execute(
            f"create or replace temp table {shelf} as"  # noqa: S608
            f" select min({ID})::integer as {ID}, {columns} from _incoming group by all"
        )
        ((last,),) = connection.execute(f"select coalesce(max({ID}), 0) from _incoming").fetchall()  # noqa: S608
        connection.unregister("_incoming")
        there = " or ".join(f"{column} is not null" for column in map(quote_column, dimension.columns))
        new = connection.execute(
            f"insert into {shelf} select (? + row_number() over ())::integer, * from"  # noqa: S608
            f" (select {columns} from {made} where {there} except select {columns} from {shelf}) returning *",
            [last],
        ).to_arrow_table()
        if new.num_rows:
            name = make_dimension_name(self.layout.contract.name, dimension.name)
            self.session.load(self.schema, name, new.to_reader())

    def _held(self, dimension: Dimension) -> pa.Table:
        return self.session.query_table(
            SQL("select {}, {} from {}").format(
                Identifier(ID),
                quote_columns(dimension.columns),
                self.layout.quote_dimension(self.schema, dimension),
            )
        )


def _known(dimension: Dimension) -> str:
    return f"_numbered_{dimension.name}"

"""Which columns a model's columns are made of, as its compiled SQL says, by DuckDB's own parser.

Columns that only decide which rows there are, in joins, filters and groups, are not counted; what an expression names
is, the keys of its windows included.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import msgspec

LINEAGE = "target/lineage.json"

Origin: TypeAlias = tuple[str, str, str]  # schema, table, column
Columns: TypeAlias = dict[str, frozenset[Origin]]
Lineage: TypeAlias = dict[str, dict[str, list[Origin]]]

_NONE: frozenset[Origin] = frozenset()


def write_lineage(prepared: Path, manifest: Mapping[str, Any], workspace: Path) -> None:
    """Work out the lineage of all models, once, from the manifest and the blank workspace."""
    with duckdb.connect(str(workspace), read_only=True) as connection:
        tables: dict[tuple[str, str], list[str]] = {}
        for schema, table, column in connection.execute(
            "select schema_name, table_name, column_name from duckdb_columns() order by column_index"
        ).fetchall():
            tables.setdefault((schema, table), []).append(column)
        found: Lineage = {}
        for node in manifest["nodes"].values():
            if node["resource_type"] == "model" and node.get("compiled_code"):
                columns = trace_lineage(connection, node["compiled_code"], tables)
                found[node["name"]] = {name: sorted(origins) for name, origins in columns.items()}
    (prepared / LINEAGE).write_bytes(msgspec.json.encode(found))


def read_lineage(prepared: Path) -> Lineage:
    """The lineage of all models, by model and column."""
    file = prepared / LINEAGE
    return msgspec.json.decode(file.read_bytes(), type=Lineage) if file.exists() else {}


def trace_lineage(
    connection: duckdb.DuckDBPyConnection, sql: str, tables: Mapping[tuple[str, str], Sequence[str]]
) -> Columns:
    """The columns of a query, each with those of tables that its expression names; none if it cannot be parsed."""
    row = connection.execute("select json_serialize_sql($1::varchar)", [sql]).fetchone()
    parsed = msgspec.json.decode(row[0]) if row else {"error": True}
    if parsed["error"]:
        return {}
    return _Query(tables).columns(parsed["statements"][0]["node"], {})


@dataclass
class _Scope:
    """The relations that an expression may name, and the columns that the same select has made before."""

    relations: list[tuple[str, Columns]]
    ctes: Mapping[str, Columns]
    made: Columns = field(default_factory=dict)

    def origins(self, names: Sequence[str]) -> frozenset[Origin]:
        first = names[0].lower()
        if len(names) > 1:
            for alias, columns in self.relations:
                if alias == first and names[1].lower() in columns:
                    return columns[names[1].lower()]
        # Of a column that a join has by USING, both sides are meant.
        holders = [columns[first] for _, columns in self.relations if first in columns]
        return frozenset().union(*holders) if holders else self.made.get(first, _NONE)


class _Query:
    """Walks DuckDB's syntax trees."""

    def __init__(self, tables: Mapping[tuple[str, str], Sequence[str]]) -> None:
        self._tables = tables

    def columns(self, node: Mapping[str, Any], ctes: Mapping[str, Columns]) -> Columns:
        known = dict(ctes)
        for entry in node.get("cte_map", {}).get("map", ()):
            known[entry["key"].lower()] = self.columns(entry["value"]["query"]["node"], known)
        if node["type"] == "SELECT_NODE":
            return self._select(node, known)
        parts = [self.columns(part, known) for part in _parts(node)]
        if not parts:
            return {}
        if "BY_NAME" in node.get("setop_type", ""):
            names = dict.fromkeys(name for part in parts for name in part)
            return {name: _NONE.union(*(part.get(name, _NONE) for part in parts)) for name in names}
        return {
            name: _NONE.union(*(column for column in columns))
            for name, columns in zip(
                parts[0], zip(*(part.values() for part in parts), strict=False), strict=False
            )
        }

    def _select(self, node: Mapping[str, Any], ctes: Mapping[str, Columns]) -> Columns:
        scope = _Scope(list(self._relations(node["from_table"], ctes)), ctes)
        for number, expression in enumerate(node["select_list"]):
            if expression["type"] == "STAR":
                scope.made.update(self._star(expression, scope))
            else:
                name = expression["alias"] or (expression.get("column_names") or [f"column{number}"])[-1]
                scope.made[name.lower()] = self._named(expression, scope)
        return scope.made

    def _star(self, star: Mapping[str, Any], scope: _Scope) -> Columns:
        left_out = {str(name).lower() for name in star["exclude_list"]}
        found: Columns = {}
        for alias, columns in scope.relations:
            if star["relation_name"].lower() in {"", alias}:
                found |= {name: made for name, made in columns.items() if name not in left_out | found.keys()}
        for replaced in star["replace_list"]:
            found[replaced["key"].lower()] = self._named(replaced["value"], scope)
        return found

    def _relations(
        self, table: Mapping[str, Any] | None, ctes: Mapping[str, Columns]
    ) -> Iterator[tuple[str, Columns]]:
        if not table:
            return
        kind, alias = table["type"], table.get("alias", "").lower()
        if kind == "JOIN":
            left = list(self._relations(table["left"], ctes))
            yield from left
            yield from self._relations(table["right"], ctes)
        elif kind == "BASE_TABLE":
            name, schema = table["table_name"].lower(), table["schema_name"].lower()
            if not schema and name in ctes:
                yield alias or name, ctes[name]
            else:
                own = self._tables.get((schema, name), ())
                yield alias or name, {c.lower(): frozenset({(schema, name, c)}) for c in own}
        elif kind == "SUBQUERY":
            yield alias, self.columns(table["subquery"]["node"], ctes)

    def _named(self, expression: Any, scope: _Scope) -> frozenset[Origin]:
        """All columns that an expression names, at any depth."""
        if isinstance(expression, list):
            return _NONE.union(*(self._named(part, scope) for part in expression))
        if not isinstance(expression, dict):
            return _NONE
        if expression.get("class") == "COLUMN_REF":
            return scope.origins(expression["column_names"])
        if expression.get("class") == "SUBQUERY":
            inner = self.columns(expression["subquery"]["node"], scope.ctes)
            return _NONE.union(*inner.values())
        return _NONE.union(*(self._named(part, scope) for part in expression.values()))


def _parts(node: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The queries of a set operation."""
    if node.get("children"):
        return list(node["children"])
    return [node[side] for side in ("left", "right") if node.get(side)]

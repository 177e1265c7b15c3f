"""Whether two published DuckDB files hold the same, value by value; only ids of runs may differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import duckdb

_OF_A_RUN = {"run_id"}
_SHOWN = 3


def compare_files(before: Path, after: Path) -> Iterator[str]:
    """What differs between two published files: tables, columns with types, order and comments, and rows."""
    if not (before.is_file() and after.is_file()):
        if before.is_file() or after.is_file():
            yield f"only {'before' if before.is_file() else 'after'} is there a file"
        return
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for name, file in (("before", before), ("after", after)):
            connection.execute(f"attach '{str(file).replace(chr(39), chr(39) * 2)}' as {name} (read_only)")
        tables = {name: _describe(connection, name) for name in ("before", "after")}
        for table in sorted(tables["before"].keys() | tables["after"].keys()):
            one, other = tables["before"].get(table), tables["after"].get(table)
            if one != other:
                yield f"{table}: columns are {other}, and were {one}"
                continue
            yield from _compare_rows(connection, table, [column for column, *_ in one or ()])


def _describe(
    connection: duckdb.DuckDBPyConnection, database: str
) -> Mapping[str, Sequence[tuple[str, ...]]]:
    """By table or view that readers see, its columns in their order, with types and comments."""
    found: dict[str, list[tuple[str, ...]]] = {}
    asked = (
        "select table_name, column_name, data_type, coalesce(comment, '') from duckdb_columns() "
        "where database_name = ? and schema_name = 'main' and not internal order by table_name, column_index"
    )
    for table, *column in connection.execute(asked, [database]).fetchall():
        found.setdefault(table, []).append(tuple(column))
    return found


def _compare_rows(connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str]) -> Iterator[str]:
    chosen = ", ".join(f'"{column}"' for column in columns if column not in _OF_A_RUN)
    sides = {name: f'select {chosen} from {name}.main."{table}"' for name in ("before", "after")}  # noqa: S608
    for name, other in (("before", "after"), ("after", "before")):
        only = f"({sides[name]}) except all ({sides[other]})"
        ((count,),) = connection.execute(f"select count(*) from ({only})").fetchall()  # noqa: S608
        if count:
            yield f"{table}: {count} rows are {name} only"
            for row in connection.execute(f"from ({only}) order by all limit {_SHOWN}").fetchall():
                yield f"{table}: {name}: {row}"

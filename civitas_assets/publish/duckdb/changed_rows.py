"""Changing only the rows of affected days that differ from what was made: few, where a value was corrected.

Replacing whole days makes the file write anew the groups of rows that they reach into, of over 100,000 rows each.
"""

from __future__ import annotations

import duckdb

from civitas_assets.dictionary.contracts import Contract
from civitas_assets.harmonise.project import SharedModel
from civitas_assets.harmonise.workspace_tables import SHARED_SCHEMA

AFFECTED = "workspace.records.affected_day"
COMPARED_AT_ONCE = 250_000  # rows that are there; comparing takes memory for all of them


def made_sql(model: SharedModel) -> str:
    """What was made of a model in the workspace."""
    return f'workspace.{SHARED_SCHEMA}."{model.name}"'


def held_sql(model: SharedModel) -> str:
    """What the file holds of a model's affected days."""
    return f'"{model.name}" semi join {AFFECTED} using (day)'


def order_sql(contract: Contract) -> str:
    """Day, time, series: neighbours in a column are then alike, which takes less than half the space of any order."""
    key = [name for name in contract.key if name != "day"]
    times = [name for name in key if contract.columns[name].type == "timestamptz"]
    days = ["day"] if contract.replaced == "replace_days" else []
    return ", ".join(f'"{name}"' for name in [*days, *times, *(name for name in key if name not in times)])


def change_rows(connection: duckdb.DuckDBPyConnection, model: SharedModel, contract: Contract) -> bool:
    """Bring a model's table from the rows that it holds of the affected days to those that were made.

    Whether it has as many rows then as were made. If not, a key was there twice, and the days have to be replaced.
    """
    name, columns, run = model.name, ", ".join(f'"{column}"' for column in model.columns), connection.execute
    held, made, key = held_sql(model), made_sql(model), dict.fromkeys(["day", *contract.key])
    is_same = " and ".join(f'held."{column}" = made."{column}"' for column in key)
    differs = " or ".join(f'held."{column}" is distinct from made."{column}"' for column in model.columns)
    run(
        "create or replace temp table changed as select held.rowid as gone, made.rowid as came "  # noqa: S608
        f"from (select rowid, * from {held}) as held full join (select rowid, * from {made}) as made "
        f"on {is_same} where {differs}"
    )
    run(f'delete from "{name}" where rowid in (select gone from changed)')  # noqa: S608
    run(
        f'insert into "{name}" ({columns}) select {columns} from {made} '  # noqa: S608
        f"where rowid in (select came from changed) order by {order_sql(contract)}"
    )
    run("drop table changed")
    counted = f"select (select count(*) from {held}) = (select count(*) from {made})"  # noqa: S608
    ((is_complete,),) = run(counted).fetchall()
    return bool(is_complete)

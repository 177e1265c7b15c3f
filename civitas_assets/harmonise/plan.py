"""The plan: the compiled statements of the dbt project's tables and data tests, in the order in which a run takes them.

It is made once per state of the project, by `compiling.py`; how a run follows it is in `build.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

PLAN = "plan.json"


class PlannedColumn(msgspec.Struct, frozen=True):
    """A column of a contract: its name, DuckDB's type, and whether null is allowed."""

    name: str
    type: str
    nullable: bool = True


class PlannedModel(msgspec.Struct, frozen=True, tag="model"):
    """A table that a run fills: `sql` selects its rows, `relation` is its quoted name.

    `file` is the compiled file below the prepared folder. `after` are the nodes that have to be well before it;
    `columns` are those of an enforced contract, in order.
    """

    unique_id: str
    name: str
    file: str
    sql: str
    after: tuple[str, ...]
    relation: str
    columns: tuple[PlannedColumn, ...] = ()
    shared: bool = False

    @property
    def kind(self) -> str:
        """What dbt calls it."""
        return "model"


class PlannedTest(msgspec.Struct, frozen=True, tag="test"):
    """A data test: `sql` selects the rows that break it, and `fail_calc` makes a number of them.

    `warn_if` and `error_if` are conditions on that number, such as `!= 0`; `limit` bounds the rows that are looked at.
    """

    __test__ = False  # not a pytest class

    unique_id: str
    name: str
    file: str
    sql: str
    after: tuple[str, ...]
    severity: Literal["ERROR", "WARN"] = "ERROR"
    fail_calc: str = "count(*)"
    warn_if: str = "!= 0"
    error_if: str = "!= 0"
    limit: int | None = None

    @property
    def kind(self) -> str:
        """What dbt calls it."""
        return "test"

    def query(self) -> str:
        """One row: the number, whether it is worth a warning, and whether it is an error."""
        limit = "" if self.limit is None else f"\nlimit {self.limit}"
        return (
            f"select {self.fail_calc} as failures, {self.fail_calc} {self.warn_if} as should_warn, "
            f"{self.fail_calc} {self.error_if} as should_error\nfrom (\n{self.sql}{limit}\n) as dbt_internal_test"
        )


Node: TypeAlias = PlannedModel | PlannedTest


class Plan(msgspec.Struct, frozen=True):
    """All nodes that runs may have to do with, parents before children and tests before what builds on the tested.

    `prepared` are views of seeds and of the tenant's spellings alone, parents before children. In the blank workspace
    they are tables, as DuckDB spends more on making out what a view says than on what it finds there.
    """

    nodes: Sequence[Node]
    prepared: Sequence[PlannedModel] = ()

    @property
    def by_id(self) -> Mapping[str, Node]:
        """The nodes by dbt's unique id, in the same order."""
        return {node.unique_id: node for node in self.nodes}


def write_plan(folder: Path, plan: Plan) -> None:
    """Put the plan into the prepared folder."""
    (folder / PLAN).write_bytes(msgspec.json.encode(plan))


def read_plan(folder: Path) -> Plan:
    """The plan in a prepared folder."""
    return msgspec.json.decode((folder / PLAN).read_bytes(), type=Plan)

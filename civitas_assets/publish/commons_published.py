"""What a tenant's published DuckDB file gives to the commons: columns by the names of now, without what is withheld.

Where the rows go is in `commons_tables.py`.
"""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import msgspec

from civitas_assets.catalog.share import Withheld
from civitas_assets.dictionary.contracts import Contract
from civitas_assets.dictionary.evolution import map_names_before, plan_evolution
from civitas_assets.publish.suppression import suppression_sql


class Published:
    """A tenant's attached file: what it holds of a model, in the shape of the contract of now."""

    def __init__(self, run: Callable[..., duckdb.DuckDBPyConnection]) -> None:
        self._run = run
        row = run("select contracts from published.meta.publication").fetchone()
        self._contracts = msgspec.json.decode(row[0], type=dict[str, Contract]) if row else {}

    def selection(self, contract: Contract, withheld: Withheld) -> str | None:
        """A query by name; None where the tenant has no such rows, or rows that mean something else."""
        old = self._contracts.get(contract.name) or self._contracts.get(contract.renamed_from or "")
        if old is None:
            return None
        if plan_evolution({contract.name: old}, {contract.name: contract}).reasons:
            return None
        names = map_names_before(old, contract)
        small = suppression_sql(contract, withheld.below, names)
        chosen = list[str]()
        for column, promised in contract.columns.items():
            hidden = column not in names or withheld.hides(column, names[column])
            value = "null" if hidden else f'"{names[column]}"'
            if column in small and value != "null":
                value = f"case when {small[column]} then null else {value} end"
            chosen.append(f"{value}::{promised.type}")
        return f'select {", ".join(chosen)} from published.main."{old.name}"'  # noqa: S608

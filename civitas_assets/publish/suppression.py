"""Counts so small that they may tell of somebody are left out, with what follows from them, for those who get copies.

Which columns count is said by the models' contracts, below which number by tenants.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from civitas_assets.dictionary.contracts import Contract


def suppression_sql(
    contract: Contract, below: int, names: Mapping[str, str] | None = None
) -> Mapping[str, str]:
    """By column, SQL that is true in rows in which it has to be left out; DuckDB and PostgreSQL read it alike.

    A small count empties all counts of its row, and what follows from them, for the one could be worked out from the
    others.

    Args:
        contract: The model's.
        below: The least count that is shown; less than 2 leaves nothing out.
        names: What the table calls the columns, where that is not as the contract does.
    """
    if below < 2:
        return {}
    called = {name: name for name in contract.columns} if names is None else names
    counts = {
        name: column.counts for name, column in contract.columns.items() if column.counts and name in called
    }
    small = " or ".join(
        f'(({condition}) and "{called[name]}" > 0 and "{called[name]}" < {below})'
        for name, condition in counts.items()
    )
    follow = [name for name, column in contract.columns.items() if column.counted and name in called]
    return dict.fromkeys([*counts, *follow], f"coalesce({small}, false)") if small else {}


def list_suppression_inputs(contract: Contract, below: int) -> frozenset[str]:
    """The columns that have to be read to know which counts are small."""
    said = " ".join({*suppression_sql(contract, below).values()})
    return frozenset(name for name in contract.columns if re.search(rf"\b{name}\b", said))

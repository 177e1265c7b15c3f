"""How a destination's tables follow their contracts: the steps that keep all rows, and what no step can keep.

Whether a version does justice to a change is another question, answered in `compare.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from civitas_assets.dictionary.compare import is_wider
from civitas_assets.dictionary.contracts import Contract, ModelColumn

Kind = Literal[
    "add_model", "rename_model", "drop_model", "add_column", "rename_column", "widen_column", "drop_column"
]


@dataclass(frozen=True)
class Step:
    """One change of a table; `before` is the old name of what is renamed, `type` that of a column after the step."""

    kind: Kind
    model: str
    column: str | None = None
    before: str | None = None
    type: str | None = None


@dataclass(frozen=True)
class Evolution:
    """Steps in the order in which they have to be taken, and reasons why rows have to be made anew instead."""

    steps: tuple[Step, ...] = ()
    reasons: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is to be done."""
        return bool(self.steps or self.reasons)


def plan_evolution(before: Mapping[str, Contract], now: Mapping[str, Contract]) -> Evolution:
    """What leads tables of the contracts `before` to those of `now`.

    Rows stay right where columns or models come, go, are renamed or widened. Another meaning of what is there, such as
    another grain, key or unit, asks for new rows.
    """
    held = dict(before)
    steps, reasons = list[Step](), list[str]()
    for name, contract in now.items():
        old = contract.renamed_from
        if name not in held and old in held and old not in now:
            steps.append(Step("rename_model", name, before=old))
            held[name] = replace(held.pop(old), name=name)
    steps += [Step("drop_model", name) for name in sorted(held.keys() - now.keys())]
    for name, contract in now.items():
        if name in held:
            reasons += [f"{name}: {reason}" for reason in _reasons(held[name], contract)]
            steps += _steps(held[name], contract)
        else:
            steps.append(Step("add_model", name))
    return Evolution(tuple(steps), tuple(reasons))


def map_columns_before(before: Contract, now: Contract) -> Mapping[str, ModelColumn]:
    """The columns of a contract under the names that they have now."""
    renamed = {column.renamed_from: name for name, column in now.columns.items() if column.renamed_from}
    return {
        renamed.get(name, name) if name not in now.columns else name: column
        for name, column in before.columns.items()
    }


def map_names_before(before: Contract, now: Contract) -> dict[str, str]:
    """The columns of now that there were before, with what they were called then."""
    names = dict(zip(map_columns_before(before, now), before.columns, strict=True))
    return {column: names[column] for column in now.columns if column in names}


def _steps(before: Contract, now: Contract) -> Iterator[Step]:
    held = map_columns_before(before, now)
    for old, new in zip(before.columns, held, strict=True):
        if old != new:
            yield Step("rename_column", now.name, new, before=old)
    for name in held.keys() - now.columns.keys():
        yield Step("drop_column", now.name, name)
    for name, column in now.columns.items():
        if name not in held:
            yield Step("add_column", now.name, name, type=column.type)
        elif is_wider(held[name].type, column.type):
            yield Step("widen_column", now.name, name, type=column.type)


def _reasons(before: Contract, now: Contract) -> Iterator[str]:
    held = map_columns_before(before, now)
    names = dict(zip(before.columns, held, strict=True))
    if before.grain != now.grain:
        yield "another grain"
    if tuple(names.get(column, column) for column in before.key) != now.key:
        yield "another key"
    if before.replaced != now.replaced:
        yield f"rows are replaced by {now.replaced}"
    for name, column in now.columns.items():
        if name not in held:
            continue
        old = held[name]
        if old.type != column.type and not is_wider(old.type, column.type):
            yield f"{name} is {column.type}, not {old.type}"
        if old.unit != column.unit:
            yield f"{name} is in {column.unit or 'no unit'}, not in {old.unit or 'none'}"
        if old.codes and column.codes and set(old.codes) - set(column.codes):
            yield f"{name} no longer holds {', '.join(sorted(set(old.codes) - set(column.codes)))}"

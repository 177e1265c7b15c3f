"""What has changed between two states of the contracts, and which version each change asks for.

Versions follow SemVer, per model. Which state was released is known to `documents.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from civitas_assets.dictionary.contracts import Contract, ForeignKey, ModelColumn, parse_version

# Each type holds every value of those before it in its row.
_WIDENING = (("integer", "bigint"), ("integer", "double"))


def is_wider(before: str, now: str) -> bool:
    """Whether the second of two types is another one that holds every value of the first."""
    return (before, now) in _WIDENING


class Bump(IntEnum):
    """By what a version has to rise, or has risen."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3


@dataclass(frozen=True)
class Change:
    """One difference of a model, and the rise of its version that readers need to be warned of it."""

    model: str
    asks: Bump
    text: str

    def __str__(self) -> str:
        kind = {Bump.MAJOR: "breaking", Bump.MINOR: "compatible", Bump.PATCH: "wording"}[self.asks]
        return f"{self.model}: {self.text} ({kind})"


def compare_contracts(before: Mapping[str, Contract], now: Mapping[str, Contract]) -> tuple[Change, ...]:
    """All differences, by model; a model that is gone breaks whoever reads it."""
    renamed = {contract.renamed_from: name for name, contract in now.items() if name not in before}
    changes = [
        Change(name, Bump.MAJOR, f"model renamed to {renamed[name]}" if name in renamed else "model removed")
        for name in sorted(before.keys() - now.keys())
    ]
    for name in sorted(now):
        if name in before:
            changes += [Change(name, bump, text) for bump, text in _of_model(before[name], now[name])]
        else:
            changes.append(Change(name, Bump.MINOR, f"model added, version {now[name].version}"))
    return tuple(changes)


def find_bump(before: str, now: str) -> Bump:
    """By what a version has risen; NONE also where it has fallen."""
    old, new = parse_version(before), parse_version(now)
    if new <= old:
        return Bump.NONE
    return Bump.MAJOR if new[0] > old[0] else Bump.MINOR if new[1] > old[1] else Bump.PATCH


def find_version_faults(
    before: Mapping[str, Contract], now: Mapping[str, Contract], *, may_remove: bool = False
) -> tuple[str, ...]:
    """Models whose version does not do justice to their changes, each with what to do; none is fine.

    Args:
        before: The contracts of the last release.
        now: The contracts that would be released next.
        may_remove: Whether a model may be gone; it has no version left that could say so.
    """
    changes = compare_contracts(before, now)
    found = []
    for name, old in before.items():
        if name not in now:
            if not may_remove:
                found.append(
                    f"{name} is gone: only a new major version of the whole package may drop a model"
                )
            continue
        asked = max((change.asks for change in changes if change.model == name), default=Bump.NONE)
        new = now[name].version
        if parse_version(new) < parse_version(old.version):
            found.append(f"{name} falls from version {old.version} to {new}")
        elif find_bump(old.version, new) < asked:
            found.append(
                f"{name} {new} was released before these changes: they ask for {_next(old.version, asked)} or higher"
                if new == old.version
                else f"{name} {new} is not enough for these changes: they ask for {_next(old.version, asked)} or higher"
            )
    return tuple(found)


def _next(version: str, bump: Bump) -> str:
    major, minor, patch = parse_version(version)
    return {
        Bump.MAJOR: f"{major + 1}.0.0",
        Bump.MINOR: f"{major}.{minor + 1}.0",
        Bump.PATCH: f"{major}.{minor}.{patch + 1}",
    }[bump]


def _of_model(before: Contract, now: Contract) -> Iterator[tuple[Bump, str]]:
    if before.grain != now.grain:
        yield Bump.MAJOR, f"grain changed from {before.grain!r} to {now.grain!r}"
    elif before.description != now.description:
        yield Bump.PATCH, "description changed"
    if before.key != now.key:
        yield Bump.MAJOR, f"key changed from ({', '.join(before.key)}) to ({', '.join(now.key)})"
    renamed = {
        column.renamed_from: name
        for name, column in now.columns.items()
        if column.renamed_from in before.columns and name not in before.columns
    }
    for name in sorted(before.columns.keys() - now.columns.keys()):
        how = f"renamed to {renamed[name]}" if name in renamed else "removed"
        yield Bump.MAJOR, f"column {name} {how}"
    for name, column in now.columns.items():
        old = before.columns.get(name) or before.columns.get(column.renamed_from or "")
        if old is not None:
            yield from ((bump, f"{name}: {text}") for bump, text in _of_column(old, column))
        else:
            yield Bump.MINOR, f"column {name} added, {column.type}"
    for relation in (known for known in before.relations if known not in now.relations):
        yield Bump.MINOR, f"{_shown(relation)} is no longer stated"
    for relation in (new for new in now.relations if new not in before.relations):
        yield Bump.MINOR, f"{_shown(relation)} is stated"
    if before.replaced != now.replaced:
        yield Bump.MINOR, f"rows are replaced by {now.replaced}, not {before.replaced}"
    for name in ("standard", "example"):
        if getattr(before, name) != getattr(now, name):
            yield Bump.PATCH, f"{name} changed"


def _of_column(before: ModelColumn, now: ModelColumn) -> Iterator[tuple[Bump, str]]:
    if before.type != now.type:
        wider, narrower = is_wider(before.type, now.type), is_wider(now.type, before.type)
        how = "widened" if wider else "narrowed" if narrower else "changed"
        yield Bump.MINOR if wider else Bump.MAJOR, f"type {how} from {before.type} to {now.type}"
    if before.nullable != now.nullable:
        # Who reads a column without nulls does not expect one; the other way round nothing can surprise them.
        yield (Bump.MAJOR, "may be null now") if now.nullable else (Bump.MINOR, "is never null now")
    if before.unit != now.unit:
        yield Bump.MAJOR, f"unit changed from {before.unit or 'none'} to {now.unit or 'none'}"
    if before.unit_column != now.unit_column:
        yield (
            Bump.MAJOR,
            f"column of the unit changed from {before.unit_column or 'none'} to {now.unit_column or 'none'}",
        )
    yield from _of_codes(before.codes, now.codes)
    if before.description != now.description:
        yield Bump.PATCH, "description changed"


def _of_codes(before: tuple[str, ...], now: tuple[str, ...]) -> Iterator[tuple[Bump, str]]:
    if before and not now:
        yield Bump.MAJOR, "list of codes removed"
    elif now and not before:
        yield Bump.MINOR, f"list of codes added: {', '.join(now)}"
    else:
        if gone := [code for code in before if code not in now]:
            yield Bump.MAJOR, f"codes removed: {', '.join(gone)}"
        if new := [code for code in now if code not in before]:
            yield Bump.MINOR, f"codes added: {', '.join(new)}"


def _shown(relation: ForeignKey) -> str:
    return f"{relation.column} → {relation.model}.{relation.field}"

"""Checks that belong to a tenant, and how they carry what people should know beside what went wrong.

Each partition has its own result, so no tenant's outcome hides another's. Dagster marks partitioned checks as a
preview; that is used in this one place.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence

import dagster as dg

from civitas_assets.records import Note

_NOTES, _NEW_NOTES = "notes", "new_notes"
_BETWEEN = "; "


def partitioned_check(
    name: str, asset: dg.AssetKey, partitions: dg.PartitionsDefinition[str], description: str
) -> dg.AssetCheckSpec:
    """A check whose results are kept per tenant."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return dg.AssetCheckSpec(name, asset=asset, description=description, partitions_def=partitions)


def notes_metadata(notes: Iterable[Note], new: Iterable[Note]) -> dict[str, dg.MetadataValue]:
    """All notes of a source, and those that nobody was told yet, as metadata of its checks; nothing without any."""
    entries = {_NOTES: [[n.code, n.text] for n in notes], _NEW_NOTES: [[n.code, n.text] for n in new]}
    return {name: dg.MetadataValue.json(found) for name, found in entries.items() if found}


def described(remarks: Sequence[str], notes: Iterable[Note]) -> str | None:
    """The description of a check: what went wrong, then the notes that nobody was told yet."""
    return _BETWEEN.join([*remarks, *(note.text for note in notes)]) or None


def new_notes(check: dg.AssetCheckEvaluation) -> list[Note]:
    """The notes of a check's source that nobody was told before."""
    found = check.metadata.get(_NEW_NOTES)
    if not isinstance(found, dg.JsonMetadataValue) or not isinstance(found.data, list):
        return []
    return [Note(str(code), str(text)) for code, text in found.data]


def remarks(check: dg.AssetCheckEvaluation) -> str:
    """The description of a check without its notes."""
    notes = _BETWEEN.join(note.text for note in new_notes(check))
    return (check.description or "").removesuffix(notes).removesuffix(_BETWEEN)

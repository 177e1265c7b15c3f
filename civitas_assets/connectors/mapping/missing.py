"""Fields that a source maps and that no record of an answer has: a fault where values would be lost, else a note.

A member that is renamed must not empty what was delivered before; one that is there without a value may.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from civitas_assets.connectors.mapping.mapping import MappedSource
from civitas_assets.errors import ReadError
from civitas_assets.records import Note
from civitas_assets.records.raw import TIME

MISSING_FIELD = "missing_field"
_SHOWN = 60  # names that a message repeats


def note_missing_fields(
    source: MappedSource, missing: Mapping[str, str], there: Iterable[str]
) -> tuple[Note, ...]:
    """The note on fields, by what they are mapped to, that no record has; `there` are the names that records have.

    Raises:
        ReadError: rows need one of them, or it is what they measure.
    """
    if not missing:
        return ()
    names = list(dict.fromkeys(there))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    known = f"they have {', '.join(names[:_SHOWN]) or 'no members'}{more}"
    for field, native in sorted(missing.items(), key=lambda pair: pair[0] not in source.needed):
        if field in source.needed or field in source.measured:
            what = "time" if field == TIME else field
            raise ReadError(f"has no {native} in any record, where {what} is read from; {known}")
    listed = ", ".join(f"{native} ({field})" for field, native in missing.items())
    return (Note(MISSING_FIELD, f"mapped, but in no record: {listed}; {known}"),)

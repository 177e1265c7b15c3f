"""Which bodies of a landing came again after another one, noted as they come.

Retention lets go of bodies that only old manifests name. With these notes it need not read the younger ones to know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from civitas_assets.store.files import Files
from civitas_assets.store.stored_record import read_state


class Repeats(msgspec.Struct, frozen=True):
    """The last manifest in which a body came again, by hash; `since` is the one behind which all are noted."""

    since: str
    last: Mapping[str, str] = {}


def read_repeats(files: Files, root: str) -> Repeats | None:
    """What is noted of the landing below a key; None where an older version wrote it."""
    return read_state(files, f"{root}/repeats.json", Repeats)


def write_repeats(files: Files, root: str, repeats: Repeats) -> None:
    """Replace the notes."""
    files.write(f"{root}/repeats.json", msgspec.json.encode(repeats))


def note_repeats(files: Files, root: str, digests: Iterable[str], manifest: str) -> None:
    """Note that bodies which were there before have come again, ahead of the manifest that says so."""
    known = read_repeats(files, root) or Repeats(manifest)
    write_repeats(files, root, Repeats(known.since, {**known.last, **dict.fromkeys(digests, manifest)}))

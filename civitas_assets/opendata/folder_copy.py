"""A tenant's folder of open data as plain files, for a web server that knows nothing of this product."""

from __future__ import annotations

import os
from collections.abc import Collection
from io import BytesIO
from pathlib import Path

from civitas_assets.errors import ExportError
from civitas_assets.export.output import open_output
from civitas_assets.store.open_folder import FolderIndex, OpenFolder, hash_file

# What describes the others comes last, so that it never tells of a file that is not there yet.
_LAST = ("catalogue.jsonld", "catalogue.rdf", "catalogue.ttl", "datapackage.json", "index.html")
_LIST = ".civitas-files"


def copy_folder(folder: OpenFolder, index: FolderIndex, place: Path) -> int:
    """Bring plain files up to the index; how many were written. Files that are as they should be are not touched.

    What a copy before has put there and the index has no more goes at the end; what is from somebody else stays.

    Raises:
        ExportError: a file cannot be read or written; the others are as they were, or as they should be.
    """
    written, listed = 0, place / _LIST
    try:
        place.mkdir(parents=True, exist_ok=True)
        before = _read_list(place)
    except OSError as error:
        raise ExportError(f"{place} cannot be written to: {error.strerror or error}") from error
    # What is going to be written is noted first: a copy that is interrupted leaves nothing that nobody clears away.
    with open_output(listed, BytesIO()) as sink:
        sink.write("".join(f"{name}\n" for name in sorted({*before, *index.files})).encode())
    for name in sorted(index.files, key=lambda name: (name in _LAST, name)):
        file, path = index.files[name], place / name
        if path.is_file() and path.stat().st_size == file.size and hash_file(path) == file.digest:
            continue
        parts = folder.read_parts(file, 0, file.size)
        if parts is None:
            raise ExportError(f"{name} has changed meanwhile; start again")
        with open_output(path, BytesIO()) as sink:
            sink.writelines(parts)
        changed = file.changed_at.timestamp()
        os.utime(path, (changed, changed))
        written += 1
    clear_copies(place, index.files)
    with open_output(listed, BytesIO()) as sink:
        sink.write("".join(f"{name}\n" for name in sorted(index.files)).encode())
    return written


def clear_copies(place: Path, wanted: Collection[str] = ()) -> None:
    """Take away what copies have put there, but what is wanted.

    Raises:
        ExportError: something is still there.
    """
    try:
        for name in {*_read_list(place)} - {*wanted}:
            if "/" not in name:
                (place / name).unlink(missing_ok=True)
    except OSError as error:
        raise ExportError(f"{place} cannot be written to: {error.strerror or error}") from error


def list_copies(place: Path) -> set[str]:
    """The folders in one place into which copies were made."""
    return {listed.parent.name for listed in place.glob(f"*/{_LIST}")}


def _read_list(place: Path) -> list[str]:
    listed = place / _LIST
    return listed.read_text(encoding="utf-8").split() if listed.is_file() else []

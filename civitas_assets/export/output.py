"""Where an export goes: standard output, or a file that is there whole or not at all.

What is written is made by the formats.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from civitas_assets.errors import ExportError
from civitas_assets.store.whole_file import sync_folder


@contextmanager
def open_output(file: Path | None, standard_output: BinaryIO) -> Iterator[BinaryIO]:
    """Somewhere to write; a file comes into place by renaming, when all of it is on disk.

    Raises:
        ExportError: the file cannot be written; what was there before still is.
    """
    if file is None:
        yield standard_output
        standard_output.flush()
        return
    temporary = file.parent / f".{file.name}-{token_hex(8)}"
    try:
        with temporary.open("xb") as sink:
            yield sink
            sink.flush()
            os.fsync(sink.fileno())
        temporary.replace(file)
        sync_folder(file.parent)
    except OSError as error:
        raise ExportError(f"{file} cannot be written: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)

"""What is handed to a process that reads, and how: pickled, with bodies that are in a file as the open file itself."""

from __future__ import annotations

import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from civitas_assets.connectors.content.markup import is_markup
from civitas_assets.spool import Body, can_be_shared, measure_body, read_head

MOST_BODIES = 8  # of one question
_CONTAINERS = (
    b"PK",
    b"\x1f\x8b",
    b"PAR1",
)  # ZIP with all spreadsheets, gzip, Parquet: not all show a zero at once
_HEAD = 1024
# Text below this is read where it is: what it may unfold to is bounded, and no native reader looks at it.
_SMALL_TEXT = 4 * 1024 * 1024


def is_read_apart(body: Body) -> bool:
    """Whether the body is one that may end the process that reads it."""
    head = read_head(body, _HEAD)
    return (
        measure_body(body) > _SMALL_TEXT or head.startswith(_CONTAINERS) or b"\0" in head or is_markup(head)
    )


def write_question(question: Any, file: IO[bytes]) -> list[IO[bytes]]:
    """Write a question behind what the file has; the bodies that are to be handed over beside it."""
    pickler = _Pickler(file)
    pickler.dump(question)
    return pickler.bodies


def open_handed(number: int) -> IO[bytes]:
    """A file that was handed over, in the place of its descriptor.

    It is opened anew: with the descriptor goes the place up to which all who have it have read, and who has handed it
    over reads on.
    """
    file = Path(f"/proc/self/fd/{number}").open("rb")  # noqa: SIM115 - who asked closes it
    os.close(number)
    return file


def load_question(file: IO[bytes], bodies: Sequence[IO[bytes]]) -> Any:
    """The question that was written, which comes from a process of this run."""
    return _Unpickler(file, bodies).load()


class _Pickler(pickle.Pickler):
    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file, protocol=5)
        self.bodies = list[IO[bytes]]()

    def persistent_id(self, value: Any) -> int | None:
        if not can_be_shared(value):
            return None
        self.bodies.append(value)
        return len(self.bodies) - 1


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: IO[bytes], bodies: Sequence[IO[bytes]]) -> None:
        super().__init__(file)
        self._bodies = bodies

    def persistent_load(self, number: int) -> IO[bytes]:
        return self._bodies[number]

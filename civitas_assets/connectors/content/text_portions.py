"""Large texts in portions of whole lines, in UTF-8: together they are what `text_encoding.py` makes of the whole."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from civitas_assets.connectors.content.text_encoding import (
    find_declared_encoding,
    is_windows_1252,
    normalise_text,
)
from civitas_assets.spool import measure_body, read_head

PORTION = 4 * 1024 * 1024  # bytes of a file
_HEAD = 64 * 1024


@dataclass(frozen=True)
class TextFile:
    """A text in a file, as it is by an encoding; it begins behind its byte order mark."""

    file: BinaryIO
    start: int
    encoding: str

    def read_portions(self) -> Iterator[bytes]:
        """The text in UTF-8, in portions of whole lines.

        Raises:
            UnicodeError: it is not in this encoding.
        """
        if self.encoding != "utf-8":
            yield from map(normalise_text, split_lines(self._decoded()))
            return
        for portion in self.read_raw():
            if portion.isascii():
                yield portion
            else:
                portion.decode()
                yield normalise_text(portion)

    def read_raw(self) -> Iterator[bytes]:
        """The bytes of the file, split behind line feeds."""
        return split_lines(self._pieces())

    def _decoded(self) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(self.encoding)()
        for piece in self._pieces():
            yield decoder.decode(piece).encode()
        yield decoder.decode(b"", final=True).encode()

    def _pieces(self) -> Iterator[bytes]:
        self.file.seek(self.start)
        while piece := self.file.read(PORTION):
            yield piece


def list_readings(file: BinaryIO, encoding: str) -> Iterator[TextFile]:
    """A text in a file by each encoding that it may be in, where `auto` leaves that open; the first that fits is meant.

    There is none that fits where only the whole text tells what its wrong bytes mean.
    """
    start, encoding = find_declared_encoding(read_head(file, _HEAD), measure_body(file), encoding)
    if encoding != "auto":
        yield TextFile(file, start, encoding)
        return
    yield (text := TextFile(file, start, "utf-8"))
    if is_windows_1252(text.read_raw):
        yield TextFile(file, start, "cp1252")


def split_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces of a text, each with whole lines; only the last one may end without a line feed."""
    begun = b""
    for piece in pieces:
        end = piece.rfind(b"\n") + 1
        if end:
            yield begun + piece[:end]
            begun = piece[end:]
        else:
            begun += piece
    if begun:
        yield begun

"""Decompressing answers in steps of bounded size, so that no small body can become a large one unnoticed.

The HTTP library would take truncated data for complete and expand any amount at once.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

_STEP = 64 * 1024  # what decompressing may bring forth at once


class CutShort(Exception):
    """Compressed data that ends before its end mark."""


def inflate_pieces(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """gzip or zlib data in steps of bounded size, at least one per piece; members in a row are one body."""
    inflater, begun = zlib.decompressobj(zlib.MAX_WBITS | 32), False
    for piece in pieces:
        data, more, begun = piece, True, True
        while more:
            if inflater.eof:
                inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
            yield (step := inflater.decompress(data, _STEP))
            data = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
            more = bool(data) or (len(step) == _STEP and not inflater.eof)
    if begun and not inflater.eof:
        raise CutShort("the compressed data ends early")

"""Values as text, the same way whatever came with them, and text without what nobody can see.

Control characters would go on to tables, pages, logs and terminals; decomposed letters would make two names of one.
"""

from __future__ import annotations

import re
import unicodedata

import polars as pl

from civitas_assets.spool import Body, read_pieces

_STEP = 128 * 1024  # what a processor's cache holds
_SMALL = 1024 * 1024
_C1 = {code: bytes([code]).decode("cp1252", errors="ignore") for code in range(0x80, 0xA0)}
_SPACES = "\x0b\x0c\x1c\x1d\x1e\x1f\u2028\u2029"  # they part lines or words
_UNSEEN = "\x00-\x08\x0e-\x1b\x7f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff"
_ESCAPE = r"\x1b\[[0-?]*[ -/]*[@-~]"  # what colours a terminal
_ODD = re.compile(f"[{_SPACES}{_UNSEEN}\u0080-\u009f\u0300-\u036f]")
# The same characters in UTF-8, by their first byte, which is found much sooner than all of them at once.
_ODD_BYTES = (
    (b"\xcc", re.compile(rb"\xcc")),
    (b"\xcd", re.compile(rb"\xcd[\x80-\xaf]")),
    (b"\xc2", re.compile(rb"\xc2[\x80-\x9f\xad]")),
    (b"\xd8", re.compile(rb"\xd8\x9c")),
    (b"\xe2", re.compile(rb"\xe2(?:\x80[\x8b\x8e\x8f\xa8-\xae]|\x81[\xa0-\xa9])")),
    (b"\xef", re.compile(rb"\xef\xbb\xbf")),
)
_LONGEST_ODD = 3
_CONTROLS = bytes({*range(0x20), 0x7F} - {*b"\t\n\r"})
_MOST_WHOLE = 2.0**53


def to_text(values: pl.Series) -> pl.Series:
    """Values of any type as text: whole numbers without a point, bytes in hexadecimal, structures as JSON."""
    if values.dtype == pl.String:
        return values
    if values.dtype == pl.Binary:
        return values.bin.encode("hex")
    if isinstance(values.dtype, pl.Struct | pl.List):
        return values.to_frame("value").select(pl.struct("value").struct.json_encode()).to_series()
    if values.dtype.is_float():
        whole = (values.floor() == values) & (values.abs() < _MOST_WHOLE)
        number = values.set(~whole, None).cast(pl.Int64, strict=False)
        return number.cast(pl.String).zip_with(whole.fill_null(value=True), values.cast(pl.String))
    return values.cast(pl.String)


def clean_frame(frame: pl.DataFrame) -> pl.DataFrame:
    """The texts without control and invisible characters, letters composed; the rest of the frame as it is."""
    odd = {
        name: values.str.contains(_ODD.pattern).fill_null(value=False)
        for name, values in frame.to_dict().items()
        if values.dtype == pl.String and not is_clean(_written(values))
    }
    return frame.with_columns(
        frame[name]
        .scatter(rows.arg_true(), [clean_text(text) for text in frame[name].filter(rows)])
        .alias(name)
        for name, rows in odd.items()
        if rows.any()
    )


def _written(texts: pl.Series) -> bytes:
    """All texts of a column behind each other, in UTF-8."""
    content = texts.to_arrow().buffers()[-1]
    return b"" if content is None else content.to_pybytes()


def is_clean_source(body: Body) -> bool:
    """Whether texts that are read out of a body are surely clean: it is so itself, and writes no character as another.

    Where it may not, the columns that were read tell; of a long table they hold more than its body.
    """
    return all(
        b"\\" not in piece and not (b"&" in piece and b"&#" in piece) and is_clean(piece)
        for piece in read_pieces(body, _LONGEST_ODD - 1)
    )


def is_clean(texts: bytes) -> bool:
    """Whether texts in UTF-8 surely hold nothing that `clean_frame` would change: a quick look at their bytes."""
    if not texts.isascii() and any(first in texts and odd.search(texts) for first, odd in _ODD_BYTES):
        return False
    if len(texts) <= _SMALL:
        return len(texts.translate(None, _CONTROLS)) == len(texts)
    import numpy as np  # noqa: PLC0415 - takes longer to load than to look through a hundred megabytes

    if b"\x7f" in texts:
        return False
    octets = np.frombuffer(texts, np.uint8)
    if octets.min() >= ord(" "):
        return True
    for start in range(0, len(octets), _STEP):
        part = octets[start : start + _STEP]
        others = np.count_nonzero(part < ord(" ")) - np.count_nonzero(part == ord("\n"))
        if others and others != np.count_nonzero(part == ord("\r")) + np.count_nonzero(part == ord("\t")):
            return False
    return True


def clean_text(text: str) -> str:
    """One text without them; line breaks and tabs stay."""
    if not _ODD.search(text):
        return text
    text = re.sub(_ESCAPE, "", text).translate(_C1)
    text = re.sub(f"[{_SPACES}]", " ", text)
    return unicodedata.normalize("NFC", re.sub(f"[{_UNSEEN}]", "", text))

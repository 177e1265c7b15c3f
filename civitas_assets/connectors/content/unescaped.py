"""JSON whose texts hold control characters as they are, which it has only escaped: read as what was meant.

Whether there are any is looked for where an answer could not be read, so that others cost nothing.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import replace

from civitas_assets.catalog import Source
from civitas_assets.connectors.base import Connector, Payload
from civitas_assets.connectors.content.sequences import is_whole
from civitas_assets.connectors.mapping.described_file import DESCRIPTION, extract_address
from civitas_assets.connectors.mapping.service_rows import replace_nan
from civitas_assets.errors import Note, ReadError
from civitas_assets.records import RawTable, Roster

_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_ESCAPED_OR_RAW = re.compile(rb"\\[^\x00-\x1f]|\\?[\x00-\x1f]")
_NOTE = Note(
    "unescaped_controls",
    "texts hold line breaks or other control characters as they are, which JSON does not allow: read as if escaped",
)


def read_unescaped(connector: Connector, source: Source, payload: Payload) -> Iterator[RawTable | Roster]:
    """What the connector reads in the payload, or else in its JSON with control characters escaped, with a note.

    Raises:
        ReadError: neither is what the source declares.
    """
    if payload.role == DESCRIPTION:
        return
    has_begun = False
    try:
        for made in connector.read(source, payload):
            has_begun = True
            yield made
    except ReadError:
        mended = None if has_begun else _mend(payload.body)
        if mended is None:
            raise
    else:
        return
    notes: tuple[Note, ...] = (_NOTE,)
    for made in connector.read(source, replace(payload, content=mended)):
        if isinstance(made, RawTable):
            yield replace(made, notes=(*made.notes, *notes))
            notes = ()
        else:
            yield made


def redact_unescaped(source: Source, role: str, body: bytes) -> bytes:
    """What of an answer may be kept, as `Source.redact_answer` says, also of JSON that has to be mended.

    Raises:
        ReadError: the answer is not what the source declares, so that nothing of it may be kept.
    """
    if role == DESCRIPTION:
        return extract_address(source, body)
    try:
        return source.redact_answer(role, body)
    except ReadError:
        if (mended := _mend(body)) is None:
            raise
    return source.redact_answer(role, mended)


def escape_controls(text: bytes) -> bytes:
    """JSON with the control characters in its texts escaped; a backslash before one, as scripts break lines, goes."""
    return _TEXT.sub(lambda found: _ESCAPED_OR_RAW.sub(_escape, found[0]), text)


def _escape(found: re.Match[bytes]) -> bytes:
    last = found[0][-1]
    return found[0] if last >= ord(" ") else b"\\u%04x" % last


def _mend(body: bytes) -> bytes | None:
    """The body as JSON; None where nothing is escaped, or it is none either way."""
    text = body.removeprefix(codecs.BOM_UTF8)
    if not text[:64].lstrip().startswith((b"{", b"[")) or text[1:2] == b"\0":  # the latter is UTF-16
        return None
    mended = escape_controls(text)
    return mended if mended != text and is_whole(replace_nan(mended)) else None

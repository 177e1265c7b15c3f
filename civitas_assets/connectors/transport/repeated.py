"""Bodies that repeat a secret that was sent: it is taken out of plain ones, and packed ones are not kept.

How a secret may be spelled is in `redaction.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from civitas_assets.connectors.content.archive import unzip_members
from civitas_assets.connectors.content.packed import GZIP, ZIP, gunzip_body
from civitas_assets.errors import FetchError, ReadError
from civitas_assets.records import Note
from civitas_assets.redaction import Redactor
from civitas_assets.spool import Body, read_head, read_pieces, read_whole

SECRET_REPEATED = "secret_repeated"  # noqa: S105 - the code of a note
_DEEPEST = 3
_LONGEST_SPELLING = 64 * 1024  # bytes that a secret takes, however it is escaped


def mask_secrets(url: str, body: Body, redactor: Redactor, most_bytes: int) -> tuple[Body, int]:
    """The body with asterisks in the place of secrets, and how many bytes these are.

    Raises:
        FetchError: something that is packed in it repeats one, where it cannot be taken out.
    """
    if not redactor:
        return body, 0
    if not isinstance(body, bytes):
        is_packed = read_head(body, len(ZIP)).startswith((GZIP, ZIP))
        if not is_packed and not any(map(redactor.finds, read_pieces(body, _LONGEST_SPELLING))):
            return body, 0  # found without holding a large file
        body = read_whole(body)
    if any(map(redactor.finds, _contents(body, most_bytes, _DEEPEST))):
        raise FetchError(
            f"{url} repeats a secret that was sent in a file that is packed: nothing of it is kept; "
            "have its operator leave that out"
        )
    return redactor.redact_body(body)


class RepeatedSecrets:
    """What one fetch of a source has sent by another way than HTTP, and what of all answers repeated a secret."""

    def __init__(self, most_bytes: int) -> None:
        self._most, self._sent = most_bytes, set[str]()
        self._counts: dict[str, int] = {}  # bytes that were taken out, by address

    def register_secret(self, secret: str) -> str:
        """The secret, which will be sent."""
        self._sent.add(secret)
        return secret

    def clean(self, url: str, body: Body) -> Body:
        """The body without what was sent.

        Raises:
            FetchError: it cannot be taken out.
        """
        cleaned, count = mask_secrets(url, body, Redactor(self._sent), self._most)
        self.count(url, count)
        return cleaned

    def count(self, url: str, count: int) -> None:
        """Note that so many bytes of an answer were taken out."""
        if count:
            self._counts[url] = self._counts.get(url, 0) + count

    def redact(self, text: str) -> str:
        """The text without what was sent."""
        return Redactor(self._sent).redact_text(text)

    def list_notes(self) -> list[Note]:
        """The note on answers that have repeated a secret, where some have."""
        if not self._counts:
            return []
        more = f" and {len(self._counts) - 1} more answer(s)" if len(self._counts) > 1 else ""
        taken = f"{sum(self._counts.values()):,} byte(s) were made unreadable before anything was kept"
        text = f"{next(iter(self._counts))}{more} repeated a secret that was sent: {taken}"
        return [Note(SECRET_REPEATED, text)]


def _contents(body: bytes, most: int, depth: int) -> Iterator[bytes]:
    """What is packed in the body, as far as it can be unpacked: what cannot be is not read either."""
    try:
        if body.startswith(GZIP):
            inner = iter([gunzip_body(body, most)])
        elif body.startswith(ZIP):
            inner = (content for _, content in unzip_members(body, "*", most))
        else:
            return
        for content in inner:
            yield content
            if depth > 1:
                yield from _contents(content, most, depth - 1)
    except ReadError:
        return

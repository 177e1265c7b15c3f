"""XML before anything else reads it: that it is whole and harmless, what it holds, and what it complains about.

A document with a type declaration is refused, since that is where entities and outside references come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.parsers import expat

from civitas_assets.errors import ReadError

_DEEPEST = 200
_FEATURE = 3  # how deep the features of a collection are, counted from its root
_SHOWN = 500
_COMPLAINTS = {"ExceptionReport", "ServiceExceptionReport"}
_COMPLAINT_TEXTS = {"ExceptionText", "ServiceException"}
_IDS = ("http://www.opengis.net/gml/3.2}id", "http://www.opengis.net/gml}id", "fid")


@dataclass(frozen=True)
class Feature:
    """A feature's element: its name without the namespace, and its id if it has one."""

    kind: str
    id: str | None


@dataclass(frozen=True)
class MarkupOutline:
    """What a document is: its root without the namespace, the root's attributes, and the features of a collection.

    `complaint` is the text of an OGC service's report of an error, `names` are those of the features' properties.
    """

    root: str
    attributes: Mapping[str, str]
    features: tuple[Feature, ...] = ()
    complaint: str = ""
    names: frozenset[str] = frozenset()


class _Listener:
    """Hears elements as they pass; the document itself is never in memory a second time."""

    def __init__(self, parser: expat.XMLParserType) -> None:
        self._parser = parser
        parser.StartElementHandler, parser.EndElementHandler = self.opened, self.closed
        parser.StartDoctypeDeclHandler = self.doctype
        self.path: list[str] = []  # as far as it tells anything: names inside a feature do not
        self.depth, self.complains = 0, False
        self.root, self.attributes = "", dict[str, str]()
        self.features: list[Feature] = []
        self.names = set[str]()
        self.complaints: list[str] = []

    def opened(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth = depth = self.depth + 1
        if depth > _DEEPEST:
            raise ReadError(f"nests elements more than {_DEEPEST} deep")
        if depth > _FEATURE and not self.complains:
            if depth == _FEATURE + 1:
                self.names.add(tag)
            return
        name = _local(tag)
        if not self.path:
            self.root, self.attributes = name, {_local(key): value for key, value in attributes.items()}
            if name in _COMPLAINTS:
                self.complains = True
                self._parser.CharacterDataHandler = self.text
        elif len(self.path) == 2 and self.path[1].lower().endswith(("member", "members")):
            self.features.append(Feature(name, next(filter(None, map(attributes.get, _IDS)), None)))
        elif self.complains and (code := attributes.get("exceptionCode", attributes.get("code"))):
            self.complaints.append(f"{code}: ")
        self.path.append(name)

    def closed(self, _: str) -> None:
        self.depth -= 1
        del self.path[self.depth :]

    def text(self, piece: str) -> None:
        if self.path[-1] in _COMPLAINT_TEXTS:
            self.complaints.append(piece)

    def doctype(self, *_: object) -> None:
        raise ReadError("has a document type declaration, which is not trusted")


def is_markup(body: bytes) -> bool:
    """Whether it begins as XML does, in any of its usual encodings."""
    head = body[:64].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00")
    return head.startswith(b"<")


def scan_outline(body: bytes) -> MarkupOutline:
    """What the document holds.

    Raises:
        ReadError: it is no XML, not whole, or nothing that can be trusted.
    """
    parser = expat.ParserCreate(namespace_separator="}")
    listener = _Listener(parser)
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise ReadError(f"is no XML that can be trusted: {error}") from None
    complaint = " ".join("".join(listener.complaints).split())[:_SHOWN]
    if listener.complains:
        complaint = complaint or "an error without a text"
    return MarkupOutline(
        listener.root, listener.attributes, tuple(listener.features), complaint, frozenset(listener.names)
    )


def _local(name: str) -> str:
    return name.rpartition("}")[2]

"""DATEX II documents, of version 2 or 3 and in XML or JSON, as one kind of tree, unfolded as far as it is looked at.

What the parts mean is known where they are read.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
import msgspec
from defusedxml.common import DefusedXmlException

from civitas_assets.errors import ReadError

_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_SPACE = b" \t\r\n"


class Node:
    """An element or object: its name, class, text and children; attributes are children like any other.

    Names are those of the model: without namespace, and without the G that JSON appends to some.
    """

    __slots__ = ("_children", "_held", "kind", "name", "text")

    def __init__(self, name: str, held: object, kind: str | None = None) -> None:
        self.name, self.kind, self._held = name, kind, held
        self.text = _scalar(held.text if isinstance(held, Element) else held)
        self._children: tuple[Node, ...] | None = None

    @property
    def children(self) -> tuple[Node, ...]:
        """Those of the node, in the order of the document."""
        if self._children is None:
            held = self._held
            if isinstance(held, Element):
                self._children = tuple(_of_element(held))
            else:
                self._children = tuple(_of_object(held)) if isinstance(held, dict) else ()
        return self._children

    def all(self, *names: str) -> list[Node]:
        """Children of these names, in order."""
        return [child for child in self.children if child.name in names]

    def first(self, *path: str) -> Node | None:
        """The first child of that name, then that one's first child, and so on."""
        node: Node | None = self
        for name in path:
            node = next((child for child in node.children if child.name == name), None) if node else None
        return node

    def word(self, *path: str) -> str | None:
        """The text at a path, also where JSON wraps it into a value."""
        node = self.first(*path)
        return None if node is None else node.text or (node.first("value") or node).text

    def walk(self) -> Iterator[Node]:
        """The node itself and all below it, in the order of the document."""
        waiting = [self]
        while waiting:
            yield (node := waiting.pop())
            waiting.extend(reversed(node.children))

    def below(self, *names: str) -> Iterator[Node]:
        """Nodes of these names, however deep."""
        return (node for node in self.walk() if node.name in names)

    def said(self, language: str) -> str | None:
        """A text in the language, where it is told in several; else in the first one."""
        texts = [("", self.text)] if self.text else []
        texts += [
            (value.word("lang") or node.word("lang") or "", value.text)
            for node in self.walk()
            for value in node.all("value")
            if value.text
        ]
        texts.sort(key=lambda text: not text[0].lower().startswith(language.lower()))
        return texts[0][1] if texts else None

    def unwrapped(self, prefix: str) -> Node:
        """The one of several classes that a node holds, where it is named by a child instead of by a type."""
        for child in self.children:
            if child.name.startswith(prefix) and child.name[len(prefix) :][:1].isupper():
                return Node(self.name, child._held, child.name[len(prefix) :])
        return self


@dataclass(frozen=True)
class Document:
    """Parts of a document with the time of their publication, and the names of its publications."""

    publications: frozenset[str]
    _parts: tuple[tuple[str, Element | msgspec.Raw, str | None], ...]

    def parts(self, *names: str) -> Iterator[tuple[Node, str | None]]:
        """Those of these names, and when they were published.

        Raises:
            ReadError: one is no JSON.
        """
        for name, part, published in self._parts:
            if name in names:
                yield _node(name, part), published


def opened(body: bytes, *names: str) -> Document:
    """The document with its parts of these names, wherever they are.

    Raises:
        ReadError: it is neither XML that can be trusted nor JSON.
    """
    # What the server says of the character set is often wrong: XML declares its own, JSON is UTF-8.
    if body.removeprefix(codecs.BOM_UTF8).lstrip(_SPACE)[:1] in (b"{", b"["):
        return _from_json(body.removeprefix(codecs.BOM_UTF8), names)
    return _from_xml(trusted_xml(body), names)


def trusted_xml(body: bytes) -> Element:
    """The root; entities and external references are refused, not resolved.

    Raises:
        ReadError: it is no XML, or none that can be trusted.
    """
    try:
        root: Element = defusedxml.ElementTree.fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise ReadError(f"is no XML that can be trusted: {str(error) or type(error).__name__}") from None
    return root


def local_name(element: Element) -> str:
    """The name without its namespace."""
    return element.tag.rpartition("}")[2]


def _from_xml(root: Element, names: tuple[str, ...]) -> Document:
    publications, parts, published = set[str](), [], None
    for element in root.iter():
        name = local_name(element)
        publications.update(said for said in (name, _kind(element)) if said and said.endswith("Publication"))
        if name == "publicationTime":
            published = (element.text or "").strip() or None
        elif name in names:
            parts.append((name, element, published))
    return Document(frozenset(publications), tuple(parts))


def _from_json(body: bytes, names: tuple[str, ...]) -> Document:
    publications, parts = set[str](), list[tuple[str, Element | msgspec.Raw, str | None]]()
    waiting: list[tuple[bytes | msgspec.Raw, str | None]] = [(body, None)]
    try:
        while waiting:
            raw, published = waiting.pop()
            if not isinstance(fields := msgspec.json.decode(raw, type=_Opened), dict):
                waiting.extend((item, published) for item in reversed(_objects(fields)))
                continue
            if "publicationTime" in fields:
                published = _scalar(msgspec.json.decode(fields["publicationTime"])) or published
            for name, value in fields.items():
                if name == "feedType":
                    publications.add(str(msgspec.json.decode(value)))
                elif name in names:
                    found = msgspec.json.decode(value, type=_Opened)
                    items = [value] if isinstance(found, dict) else _objects(found)
                    parts.extend((name, item, published) for item in items)
                else:
                    publications.update({name} if name.endswith("Publication") else ())
                    waiting.extend((item, published) for item in _objects([value]))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ReadError(f"is no JSON of DATEX II: {error}") from None
    return Document(frozenset(publications), tuple(parts))


_Opened = dict[str, msgspec.Raw] | list[msgspec.Raw]


def _objects(items: list[msgspec.Raw]) -> list[msgspec.Raw]:
    """Those that may hold something further down."""
    return [item for item in items if bytes(item)[:1] in (b"{", b"[")]


def _node(name: str, part: Element | msgspec.Raw) -> Node:
    if isinstance(part, Element):
        return Node(name, part, _kind(part))
    try:
        return Node(name, msgspec.json.decode(part))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ReadError(f"is no JSON of DATEX II: {error}") from None


def _kind(element: Element) -> str | None:
    return element.get(_TYPE, "").rpartition(":")[2] or None


def _of_element(element: Element) -> Iterator[Node]:
    for name, text in element.attrib.items():
        if name != _TYPE:
            yield Node(name.rpartition("}")[2], text)
    for child in element:
        yield Node(local_name(child), child, _kind(child))


def _of_object(held: dict[str, object]) -> Iterator[Node]:
    for key, value in held.items():
        name = key.removesuffix("G")
        # The numbers of a posList are one text in XML, all else that is repeated is an element each.
        several = value if isinstance(value, list) and name != "posList" else [value]
        for each in several:
            if each is not None:
                yield Node(name, each)


def _scalar(value: object) -> str | None:
    """A value as XML would write it; None for what is none, or empty."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return " ".join(text for each in value if (text := _scalar(each))) or None
    return None if value is None or isinstance(value, dict) else str(value)

"""DATEX II documents, of version 2 or 3 and in XML or JSON, as one kind of tree, unfolded as far as it is looked at.

What the parts mean is known where they are read.
"""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from xml.etree.ElementTree import Element

import msgspec

from civitas_assets.connectors.content.trusted_xml import XML_FAULTS, parse_xml
from civitas_assets.connectors.mapping.languages import choose_language
from civitas_assets.errors import ReadError
from civitas_assets.records import Note

_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_SPACE = b" \t\r\n"
_HEADER = "headerInformation"
REAL = "real"  # the information status of what is neither an exercise nor a test


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

    def read_localized(self, language: str) -> str | None:
        """A text in the language, where it is told in several; else in the first one."""
        told = {"": self.text} if self.text else {}
        for node in self.walk():
            for value in node.all("value"):
                if value.text:
                    told.setdefault(value.word("lang") or node.word("lang") or "", value.text)
        return told[choose_language([*told], language)] if told else None

    def unwrap(self, prefix: str) -> Node:
        """The one of several classes that a node holds, where it is named by a child instead of by a type."""
        for child in self.children:
            if child.name.startswith(prefix) and child.name[len(prefix) :][:1].isupper():
                return Node(self.name, child._held, child.name[len(prefix) :])
        return self


@dataclass(frozen=True)
class Datex2Document:
    """Parts of a document with the time of their publication, and the names of its publications.

    `unreal` counts the parts of exercises and tests, by what their publication calls itself; they are no parts here.
    """

    publications: frozenset[str]
    _parts: tuple[tuple[str, Element | msgspec.Raw, str | None], ...]
    unreal: Mapping[str, int] = field(default_factory=dict)

    def list_parts(self, *names: str) -> Iterator[tuple[Node, str | None]]:
        """Those of these names, and when they were published.

        Raises:
            ReadError: one is no JSON.
        """
        for name, part, published in self._parts:
            if name in names:
                yield _node(name, part), published


def parse_document(body: bytes, *names: str) -> Datex2Document:
    """The document with its parts of these names, wherever they are.

    Raises:
        ReadError: it is neither XML that can be trusted nor JSON.
    """
    # What the server says of the character set is often wrong: XML declares its own, JSON is UTF-8.
    if body.removeprefix(codecs.BOM_UTF8).lstrip(_SPACE)[:1] in (b"{", b"["):
        return _from_json(body.removeprefix(codecs.BOM_UTF8), names)
    return _from_xml(parse_safe_xml(body), names)


def parse_safe_xml(body: bytes) -> Element:
    """The root; entities and external references are refused, not resolved.

    Raises:
        ReadError: it is no XML, or none that can be trusted.
    """
    try:
        return parse_xml(body)
    except XML_FAULTS as error:
        raise ReadError(f"is no XML that can be trusted: {str(error) or type(error).__name__}") from None


def strip_namespace(element: Element) -> str:
    """The name without its namespace."""
    return element.tag.rpartition("}")[2]


def note_exercises(numbers: Mapping[str, int]) -> tuple[Note, ...]:
    """A note on what is not published because it is an exercise or a test, by how that is called."""
    if not (found := {kind: number for kind, number in numbers.items() if number}):
        return ()
    told = ", ".join(f"{number:,} with informationStatus {kind}" for kind, number in sorted(found.items()))
    return (Note("exercises_and_tests", f"exercises and tests are not published: {told}"),)


def list_unread_elements(names: Iterable[str], *known: Iterable[str]) -> tuple[str, ...]:
    """Of the names of elements those that are not known; extensions of the model are left out."""
    left = {*names}.difference(*known)
    return tuple(sorted(name for name in left if not name.endswith("Extension")))


@dataclass(frozen=True)
class _Said:
    """What a publication says of all its parts."""

    published: str | None = None
    status: str = REAL


def _from_xml(root: Element, names: tuple[str, ...]) -> Datex2Document:
    publications, parts, unreal = set[str](), list[_Found](), Counter[str]()
    waiting = [(root, _Said())]
    while waiting:
        element, said = waiting.pop()
        name = strip_namespace(element)
        if name in names and (len(element) or element.get("id")):
            if said.status == REAL:
                parts.append((name, element, said.published))
            unreal[said.status] += said.status != REAL
            continue
        publications.update(
            known for known in (name, _kind(element)) if known and known.endswith("Publication")
        )
        for child in element:
            if strip_namespace(child) == "publicationTime":
                said = replace(said, published=(child.text or "").strip() or said.published)
            elif strip_namespace(child) == _HEADER:
                status = next(
                    (e.text for e in child if strip_namespace(e) == "informationStatus" and e.text),
                    said.status,
                )
                said = replace(said, status=status.strip())
        waiting.extend((child, said) for child in reversed(element))
    return Datex2Document(frozenset(publications), tuple(parts), unreal)


def _from_json(body: bytes, names: tuple[str, ...]) -> Datex2Document:
    publications, parts, unreal = set[str](), list[_Found](), Counter[str]()
    waiting: list[tuple[bytes | msgspec.Raw, _Said]] = [(body, _Said())]
    try:
        while waiting:
            raw, said = waiting.pop()
            if not isinstance(fields := msgspec.json.decode(raw, type=_Opened), dict):
                waiting.extend((item, said) for item in reversed(_objects(fields)))
                continue
            if "publicationTime" in fields:
                written = _scalar(msgspec.json.decode(fields["publicationTime"]))
                said = replace(said, published=written or said.published)
            if _HEADER in fields:
                header = Node(_HEADER, msgspec.json.decode(fields[_HEADER]))
                said = replace(said, status=header.word("informationStatus") or said.status)
            for name, value in fields.items():
                if name == "feedType":
                    publications.add(str(msgspec.json.decode(value)))
                elif name in names:
                    found = msgspec.json.decode(value, type=_Opened)
                    items = [value] if isinstance(found, dict) else _objects(found)
                    if said.status == REAL:
                        parts.extend((name, item, said.published) for item in items)
                    unreal[said.status] += len(items) * (said.status != REAL)
                else:
                    publications.update({name} if name.endswith("Publication") else ())
                    waiting.extend((item, said) for item in _objects([value]))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ReadError(f"is no JSON of DATEX II: {error}") from None
    return Datex2Document(frozenset(publications), tuple(parts), unreal)


_Found = tuple[str, Element | msgspec.Raw, str | None]
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
        yield Node(strip_namespace(child), child, _kind(child))


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

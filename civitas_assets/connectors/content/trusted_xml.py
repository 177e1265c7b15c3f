"""XML as a tree, of documents that can be trusted: without entities, and so without any reference to elsewhere.

What stands before the root is looked at first, since entities are declared there; the rest is read as any XML.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError, fromstring, iterparse
from xml.parsers import expat

XML_FAULTS = (ParseError, ValueError, LookupError)  # LookupError is an encoding that nobody knows
_STEP = 64 * 1024


class _BegunError(Exception):
    """The root has begun."""


def parse_xml(body: bytes, *, may_have_type: bool = False) -> Element:
    """The root of a document, which may say its type only where that is allowed, and no entities in any case.

    Raises:
        ParseError, ValueError, LookupError: it is no XML, or none that can be trusted; `XML_FAULTS` has all three.
    """
    _check_prolog(body, may_have_type=may_have_type)
    return fromstring(body)  # noqa: S314 - its entities are refused


def read_xml_events(body: bytes, *, may_have_type: bool = False) -> Iterator[tuple[str, Element]]:
    """Begin and end of each element as the document passes, as `start` and `end`; otherwise like `parse_xml`."""
    _check_prolog(body, may_have_type=may_have_type)
    yield from iterparse(io.BytesIO(body), ("start", "end"))  # noqa: S314 - as above


def _check_prolog(body: bytes, *, may_have_type: bool) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler = _begin
    parser.EntityDeclHandler = _refuse_entity
    if not may_have_type:
        parser.StartDoctypeDeclHandler = _refuse_type
    try:
        for start in range(0, len(body), _STEP):
            parser.Parse(body[start : start + _STEP], start + _STEP >= len(body))
    except (_BegunError, expat.ExpatError):
        return  # what is not XML is said by who reads it


def _begin(*_: object) -> None:
    raise _BegunError


def _refuse_entity(name: str, *_: object) -> None:
    raise ValueError(f"declares the entity {name}")


def _refuse_type(name: str, *_: object) -> None:
    raise ValueError(f"declares the document type {name}")

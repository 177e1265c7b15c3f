"""XML that declares entities is refused before anything resolves them; other XML is read as it is."""

from __future__ import annotations

import codecs

import pytest

from civitas_assets.connectors.content.trusted_xml import XML_FAULTS, parse_xml, read_xml_events

ENTITIES = [
    '<!ENTITY town "Jena">',
    '<!ENTITY town SYSTEM "file:///town.txt">',
    '<!ENTITY % more SYSTEM "http://127.0.0.1:9/more.dtd"> %more;',
    '<!NOTATION n SYSTEM "n"><!ENTITY town SYSTEM "town.gif" NDATA n>',
]


@pytest.mark.parametrize("may_have_type", [False, True])
@pytest.mark.parametrize("declared", ENTITIES)
def test_entities_are_refused_whether_they_are_used_or_not(declared: str, may_have_type: bool) -> None:
    body = f"<!DOCTYPE a [{declared}]><a>b</a>".encode()
    with pytest.raises(ValueError, match="declares"):
        parse_xml(body, may_have_type=may_have_type)
    with pytest.raises(ValueError, match="declares"):
        [*read_xml_events(body, may_have_type=may_have_type)]


def test_a_document_type_is_read_only_where_it_may_be_there() -> None:
    body = b'<?xml version="1.0"?><!DOCTYPE a PUBLIC "-//x" "a.dtd"><a>b</a>'
    with pytest.raises(ValueError, match="declares the document type a"):
        parse_xml(body)
    assert parse_xml(body, may_have_type=True).text == "b"


def test_a_prolog_of_any_length_is_looked_through() -> None:
    body = b"<!--" + b"x" * 200_000 + b"--><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"
    with pytest.raises(ValueError, match="declares the entity b"):
        parse_xml(body, may_have_type=True)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_a_document_is_read_in_its_encoding(encoding: str) -> None:
    body = f'<?xml version="1.0" encoding="{encoding}"?><a>Düsseldorf</a>'.encode(encoding)
    assert parse_xml(body).text == "Düsseldorf"
    assert [(event, element.tag) for event, element in read_xml_events(body)] == [
        ("start", "a"),
        ("end", "a"),
    ]
    assert parse_xml(codecs.BOM_UTF8 + "<a>ü</a>".encode()).text == "ü"


@pytest.mark.parametrize(
    "body",
    [b"", b"<a>", b"<a></b>", b"<a>&b;</a>", b"no XML", b'<?xml version="1.0" encoding="klingon"?><a/>'],
    ids=range(6),
)
def test_what_is_no_xml_is_a_fault(body: bytes) -> None:
    with pytest.raises(XML_FAULTS):
        parse_xml(body)
    with pytest.raises(XML_FAULTS):
        [*read_xml_events(body)]

"""DCAT-AP and DCAT-AP.de as RDF: Turtle, RDF/XML and JSON-LD, in the pages that Hydra leads through.

Nothing is loaded that a document names: a JSON-LD context elsewhere and entities of XML are refused. Sources:
https://www.w3.org/TR/vocab-dcat-3/, https://www.dcat-ap.de/def/dcatde/3.0/spec/, https://www.w3.org/ns/hydra/core.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urljoin
from xml.sax import SAXException

import msgspec
from rdflib import DCAT, DCTERMS, FOAF, RDF, RDFS, Graph, Literal, Namespace, URIRef
from rdflib.exceptions import ParserError
from rdflib.plugins.parsers.notation3 import BadSyntax
from rdflib.term import Node

from civitas_assets.catalog import Box
from civitas_assets.discover.dataset import Dataset, Distribution, Page, build_box
from civitas_assets.errors import ReadError

NAME = "DCAT"
_DCATDE = Namespace("http://dcat-ap.de/def/dcatde/")
_HYDRA = Namespace("http://www.w3.org/ns/hydra/core#")
_LOCN = Namespace("http://www.w3.org/ns/locn#")
_NEXT = (_HYDRA.next, _HYDRA.nextPage)
_KEY = re.compile(r"municipalityKey/(\d{8})")
# An element, and no address in angle brackets, with which Turtle may begin.
_MARKUP = re.compile(rb"<(?:[?!]|[A-Za-z][\w.-]*(?::[A-Za-z][\w.-]*)?[\s>/])")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_LANGUAGES = ("de", "en", None)
_BELOW = ("catalog.ttl", "catalog.rdf", "catalog.xml", "catalog.jsonld")


def list_addresses(url: str, term: str) -> list[str]:
    """Where it may be asked first: where it is, and where CKAN has it. It cannot be searched for a `term`."""
    root = re.sub(r"[?#].*", "", url).rstrip("/")
    return [url, *(f"{root}/{name}" for name in _BELOW)]


def read_page(body: bytes, address: str) -> Page:
    """The datasets of a document.

    Raises:
        ReadError: it is no RDF, names what it would take to read it elsewhere, or has nothing of a catalogue.
    """
    graph = _parse(body, address)
    subjects = sorted({*graph.subjects(RDF.type, DCAT.Dataset)}, key=str)
    pages = [*graph.subjects(RDF.type, DCAT.Catalog), *graph.subjects(_HYDRA.totalItems, None)]
    if not subjects and not pages:
        raise ReadError("is RDF, but has neither a catalogue nor datasets (DCAT)")
    following = {str(value) for name in _NEXT for value in graph.objects(None, name)}
    following.discard(address)
    totals = [int(str(value)) for value in graph.objects(None, _HYDRA.totalItems) if str(value).isdecimal()]
    return Page(
        tuple(_dataset(graph, subject) for subject in subjects),
        urljoin(address, min(following)) if following else "",
        max(totals) if totals else None,
    )


def _parse(body: bytes, address: str) -> Graph:
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    graph = Graph(bind_namespaces="none")
    rdf_log = logging.getLogger("rdflib")
    rdf_log.addHandler(logging.NullHandler())
    rdf_log.propagate = False  # what is no IRI or date is told of by nobody: it is passed over
    try:
        if start in {b"{", b"["}:
            content = msgspec.json.decode(body)
            _check_contexts(content)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # rdflib's parser warns of its own class
                graph.parse(data=body, format="json-ld", publicID=address)
        elif _MARKUP.match(body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")):
            if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
                raise ReadError("is RDF/XML with a DTD, which is not read: ask for Turtle")
            if b"http://www.w3.org/1999/02/22-rdf-syntax-ns#" not in body[:20_000]:
                raise ReadError("is XML or a web page, and no RDF")
            graph.parse(data=body, format="xml", publicID=address)
        else:
            graph.parse(data=body, format="turtle", publicID=address)
    except (
        BadSyntax,
        ParserError,
        SAXException,
        msgspec.DecodeError,
        UnicodeDecodeError,
        RecursionError,
    ) as fault:
        first = str(fault).strip().partition("\n")[0][:120]
        raise ReadError(f"is no RDF that can be read: {first or type(fault).__name__}") from None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as fault:
        # rdflib's own checks of what a document says wrongly, which have no type of their own.
        raise ReadError(f"is no RDF that can be read: {type(fault).__name__}") from None
    return graph


def _check_contexts(content: Any) -> None:
    """Nothing, unless the meaning of a document is elsewhere.

    Raises:
        ReadError: so it is.
    """
    waiting = [content]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            context = one.get("@context")
            for part in context if isinstance(context, list) else [context]:
                if isinstance(part, str) or (isinstance(part, dict) and "@import" in part):
                    raise ReadError("is JSON-LD whose @context is elsewhere: ask for Turtle or RDF/XML")
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def _dataset(graph: Graph, subject: Node) -> Dataset:
    keys = {
        key
        for value in graph.objects(subject, _DCATDE.politicalGeocodingURI)
        for key in _KEY.findall(str(value))
    }
    places = [*graph.objects(subject, DCTERMS.spatial)]
    keys |= {key for place in places for key in _KEY.findall(str(place))}
    found = [
        one
        for node in sorted(graph.objects(subject, DCAT.distribution), key=str)
        if (one := _distribution(graph, node)) is not None
    ]
    return Dataset(
        identifier=str(subject),
        title=_text(graph, subject, DCTERMS.title),
        description=_text(graph, subject, DCTERMS.description),
        publisher=_agent(graph, subject),
        licence=_licence(graph, subject),
        attribution=_text(graph, subject, _DCATDE.licenseAttributionByText),
        modified=_text(graph, subject, DCTERMS.modified),
        keywords=tuple(sorted({str(value) for value in graph.objects(subject, DCAT.keyword)})),
        keys=frozenset(keys),
        box=next(filter(None, (_box(graph, place) for place in places)), None),
        distributions=tuple(found),
    )


def _distribution(graph: Graph, node: Node) -> Distribution | None:
    services = [*graph.objects(node, DCAT.accessService)]
    address = next(
        (
            str(value)
            for each, name in (
                (node, DCAT.downloadURL),
                *((service, DCAT.endpointURL) for service in services),
                (node, DCAT.accessURL),
            )
            for value in sorted(graph.objects(each, name), key=str)
        ),
        "",
    )
    if not re.match("https?://", address):
        return None
    named = [value for name in (DCTERMS.format, DCAT.mediaType) for value in graph.objects(node, name)]
    return Distribution(
        url=address,
        form=_form(graph, named[0]) if named else "",
        title=_text(graph, node, DCTERMS.title),
        licence=_licence(graph, node),
        attribution=_text(graph, node, _DCATDE.licenseAttributionByText),
    )


def _form(graph: Graph, value: Node) -> str:
    """A format: its label, or the end of its term, as in file-type/CSV and media-types/text/csv."""
    label = _text(graph, value, RDFS.label)
    return label or unquote(re.sub(r"^https?://.*/media-types/", "", str(value)).rpartition("file-type/")[2])


def _licence(graph: Graph, subject: Node) -> str:
    for name in (DCTERMS.license, DCTERMS.rights):
        for value in sorted(graph.objects(subject, name), key=str):
            said = str(value) if isinstance(value, URIRef | Literal) else _text(graph, value, RDFS.label)
            if said:
                return said
    return ""


def _agent(graph: Graph, subject: Node) -> str:
    """Who publishes: the name, or what is written in its place."""
    for value in sorted(graph.objects(subject, DCTERMS.publisher), key=str):
        name = _text(graph, value, FOAF.name)
        if name or isinstance(value, Literal):
            return name or str(value)
    return ""


def _text(graph: Graph, subject: Node, name: URIRef) -> str:
    """A text in German, else in English or without a language, else any."""
    found = sorted(
        ((str(getattr(value, "language", None) or ""), str(value)) for value in graph.objects(subject, name)),
        key=lambda pair: (_rank(pair[0]), pair[1]),
    )
    return " ".join(found[0][1].split()) if found else ""


def _rank(language: str) -> int:
    short = language.lower().partition("-")[0] or None
    return _LANGUAGES.index(short) if short in _LANGUAGES else len(_LANGUAGES)


def _box(graph: Graph, place: Node) -> Box | None:
    for name in (DCAT.bbox, _LOCN.geometry):
        for value in sorted(graph.objects(place, name), key=str):
            numbers = [*_numbers(str(value))]
            if len(numbers) >= 4 and len(numbers) % 2 == 0:
                across, along = numbers[::2], numbers[1::2]
                box = build_box(min(across), min(along), max(across), max(along))
                if box is not None:
                    return box
    return None


def _numbers(written: str) -> Iterator[float]:
    """The coordinates of WKT or GeoJSON, which are in degrees, east before north."""
    yield from map(float, _NUMBER.findall(re.sub(r"<[^>]*>|EPSG:*\d+", "", written)))

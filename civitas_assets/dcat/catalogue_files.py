"""A catalogue as a file: Turtle, JSON-LD or RDF/XML, each the same for the same data."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import TypeAdapter, ValidationError
from rdflib import RDF, Graph

from civitas_assets.catalog.open_data import PublicAddress
from civitas_assets.dcat.catalogue_graph import DCAT
from civitas_assets.errors import ExportError
from civitas_assets.export.output import open_output

# By the name of a format: that of rdflib.
_SERIALISATIONS: Mapping[str, str] = {"turtle": "turtle", "jsonld": "json-ld", "rdfxml": "xml"}


def check_page(address: str) -> str:
    """An address that may stand in a catalogue.

    Raises:
        ExportError: it is no such address.
    """
    try:
        return TypeAdapter(PublicAddress).validate_python(address)
    except ValidationError:
        raise ExportError(
            "the landing page must be an address with http:// or https://, without login, query and fragment"
        ) from None


def write_catalogue(graph: Graph, form: str, file: Path | None, standard_output: BinaryIO) -> int:
    """Write a catalogue as `turtle`, `jsonld` or `rdfxml`; how many datasets it has.

    Raises:
        ExportError: the file cannot be written; what was there before still is.
    """
    ordered = _OrderedGraph()
    for prefix, namespace in graph.namespaces():
        ordered.bind(prefix, namespace)
    for triple in graph:
        ordered.add(triple)
    options: dict[str, Any] = {"auto_compact": True} if form == "jsonld" else {}
    content: str = ordered.serialize(format=_SERIALISATIONS[form], **options)
    if form == "jsonld":
        content = json.dumps(_sort(json.loads(content)), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    with open_output(file, standard_output) as sink:
        sink.write(content.encode())
    return len(set(graph.subjects(RDF.type, DCAT.Dataset)))


class _OrderedGraph(Graph):
    """A graph that hands out its triples in an order of their own, and not by how a process has hashed their parts."""

    def triples(self, triple: Any) -> Generator[Any, None, None]:
        """See `Graph`."""
        yield from sorted(super().triples(triple))


def _sort(value: Any) -> Any:
    """The same JSON-LD with lists in order, which mean sets here."""
    if isinstance(value, dict):
        return {name: _sort(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return sorted(map(_sort, value), key=lambda each: json.dumps(each, sort_keys=True))
    return value

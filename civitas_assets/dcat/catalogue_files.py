"""A catalogue as a file: Turtle, JSON-LD or RDF/XML, each the same for the same data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import TypeAdapter, ValidationError
from rdflib import RDF, Graph

from civitas_assets.catalog.open_data import PublicAddress
from civitas_assets.dcat.catalogue_graph import DCAT
from civitas_assets.errors import ExportError
from civitas_assets.export.output import open_output

# By the name of a format: that of rdflib, and how it is told to write the same graph the same way.
_SERIALISATIONS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "turtle": ("turtle", {}),
    "jsonld": ("json-ld", {"auto_compact": True, "sort_keys": True, "indent": 1}),
    "rdfxml": ("pretty-xml", {}),
}


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
    name, options = _SERIALISATIONS[form]
    content = graph.serialize(format=name, encoding="utf-8", **options)
    with open_output(file, standard_output) as sink:
        sink.write(content)
    return len(set(graph.subjects(RDF.type, DCAT.Dataset)))

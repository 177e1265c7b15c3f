"""A catalogue by DCAT-AP.de says the same in Turtle, RDF/XML and JSON-LD. All documents are synthetic."""

from __future__ import annotations

import pytest
from rdflib import Graph

from civitas_assets.discover.dataset import Distribution
from civitas_assets.discover.kinds import dcat_rdf
from civitas_assets.errors import ReadError

ADDRESS = "https://a.example/catalog.ttl"
TURTLE = """
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix dcatde: <http://dcat-ap.de/def/dcatde/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix hydra: <http://www.w3.org/ns/hydra/core#> .
@prefix locn: <http://www.w3.org/ns/locn#> .
@prefix gsp: <http://www.opengis.net/ont/geosparql#> .
<https://a.example/> a dcat:Catalog ; dcat:dataset <https://a.example/set/baum> .
<https://a.example/catalog.ttl?page=1> a hydra:PagedCollection ;
  hydra:nextPage "https://a.example/catalog.ttl?page=2" ; hydra:totalItems 2 .
<https://a.example/set/baum> a dcat:Dataset ;
  dct:title "Trees"@en, "Baumkataster"@de ; dcat:keyword "Baum", "Grün" ;
  dct:publisher [ a foaf:Organization ; foaf:name "Stadt Neustadt" ] ;
  dcatde:politicalGeocodingURI <http://dcat-ap.de/def/politicalGeocoding/municipalityKey/99000009> ;
  dct:spatial [ a dct:Location ; locn:geometry "POLYGON((10 51, 10.1 51, 10.1 51.1, 10 51))"^^gsp:wktLiteral ] ;
  dcat:distribution <https://a.example/set/baum/csv>, <https://a.example/set/baum/wfs> .
<https://a.example/set/baum/csv> a dcat:Distribution ; dct:title "Tabelle" ;
  dcat:accessURL <https://a.example/page> ; dcat:downloadURL <https://a.example/baum.csv> ;
  dct:format <http://publications.europa.eu/resource/authority/file-type/CSV> ;
  dct:license <http://dcat-ap.de/def/licenses/dl-by-de/2.0> ; dcatde:licenseAttributionByText "Grünflächenamt" .
<https://a.example/set/baum/wfs> a dcat:Distribution ; dcat:accessURL <https://a.example/wfs?service=WFS> ;
  dcat:mediaType <https://www.iana.org/assignments/media-types/application/xml> .
"""


def written(form: str) -> bytes:
    graph = Graph().parse(data=TURTLE, format="turtle", publicID=ADDRESS)
    return graph.serialize(format=form, encoding="utf-8", auto_compact=False)


@pytest.mark.parametrize("form", ["turtle", "xml", "json-ld"])
def test_a_page_says_the_same_in_every_form(form: str) -> None:
    page = dcat_rdf.read_page(written(form), ADDRESS)
    assert (page.following, page.total) == ("https://a.example/catalog.ttl?page=2", 2)
    (found,) = page.datasets
    assert (found.identifier, found.title, found.publisher) == (
        "https://a.example/set/baum", "Baumkataster", "Stadt Neustadt",
    )  # fmt: skip
    assert (found.keywords, found.keys, found.box) == (
        ("Baum", "Grün"), frozenset({"99000009"}), (10.0, 51.0, 10.1, 51.1),
    )  # fmt: skip
    assert found.distributions == (
        Distribution(
            "https://a.example/baum.csv", "CSV", "Tabelle", "http://dcat-ap.de/def/licenses/dl-by-de/2.0",
            "Grünflächenamt",
        ),
        Distribution("https://a.example/wfs?service=WFS", "application/xml"),
    )  # fmt: skip


def test_a_page_that_leads_to_itself_is_the_last() -> None:
    body = TURTLE.replace("page=2", "page=1").encode()
    assert dcat_rdf.read_page(body, "https://a.example/catalog.ttl?page=1").following == ""


def test_an_empty_catalogue_has_no_datasets() -> None:
    body = b"<https://a.example/> a <http://www.w3.org/ns/dcat#Catalog> ."
    assert dcat_rdf.read_page(body, ADDRESS).datasets == ()


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        (b"<html><body>portal</body></html>", "no RDF"),
        (b"a;b;c\n1;2;3\n", "no RDF that can be read"),
        (b'{"@context": "https://elsewhere.example/c.jsonld", "@type": "Dataset"}', "@context is elsewhere"),
        (b'[{"a": {"@context": [{"@import": "https://elsewhere.example/c"}]}}]', "@context is elsewhere"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>', "with a DTD"),
        (b"<https://a.example/> a <https://a.example/Thing> .", "neither a catalogue nor datasets"),
        (b"{}", "neither a catalogue nor datasets"),
        (b"\xff\xfe\x00", "no RDF that can be read"),
        (b"", "neither a catalogue nor datasets"),
    ],
)  # fmt: skip
def test_what_is_no_catalogue_is_told_apart(body: bytes, hint: str) -> None:
    with pytest.raises(ReadError, match=hint):
        dcat_rdf.read_page(body, ADDRESS)


def test_where_it_is_looked_for() -> None:
    assert dcat_rdf.list_addresses("https://a.example/x/?a=b", "t")[:2] == [
        "https://a.example/x/?a=b",
        "https://a.example/x/catalog.ttl",
    ]

"""A catalogue is valid by the shapes of DCAT-AP.de 3.0, and says what the town's file and tables say.

The shapes are not in this repository; where they are not beside it, the tests that need them are skipped.
"""

from __future__ import annotations

import os
import re
from datetime import date
from pathlib import Path

import pytest
from pyshacl import validate
from rdflib import DCTERMS, FOAF, RDF, SKOS, XSD, Graph, Literal, Namespace, URIRef
from shapely import from_wkt

from civitas_assets.catalog.licence import LICENCES
from civitas_assets.dcat.catalogue_graph import (
    DCAT,
    DCATAP,
    DCATDE,
    VCARD,
    build_catalogue,
    build_commons_catalogue,
)
from civitas_assets.dcat.controlled_terms import LICENCE_CODES
from civitas_assets.dcat.offered_files import find_offer
from civitas_assets.dcat.open_tables import read_open_tables
from civitas_assets.errors import ExportError
from civitas_assets.ingest.catalogue import load_catalogue
from civitas_assets.settings import PROJECT_DIR
from tests.dcat.conftest import OpenTown

SH = Namespace("http://www.w3.org/ns/shacl#")
SHAPES = Path(os.environ.get("CIVITAS_TEST_DCAT_SHAPES", PROJECT_DIR.parent / "shared" / "dcat"))
needs_shapes = pytest.mark.skipif(not SHAPES.is_dir(), reason=f"no shapes of DCAT-AP.de in {SHAPES}")
NATIONAL = (
    "dcat-ap-SHACL-DE.ttl",
    "dcat-ap-spec-german-additions.ttl",
    "dcat-ap-de-controlledvocabularies.ttl",
    "dcat-ap-de-deprecated.ttl",
)
PAGE = "https://www.musterstadt.example/daten"
AIR = URIRef(f"{PAGE}#town/air_quality_observed")
STATION = URIRef(f"{PAGE}#town/station")


@pytest.fixture(scope="session")
def shapes() -> Graph:
    """Those of DCAT-AP 3.0 and what Germany adds."""
    graph = Graph()
    for name in ("semic-3.0.0-dcat-ap-SHACL.ttl", *NATIONAL):
        graph.parse(SHAPES / name)
    graph.remove((None, URIRef("http://www.w3.org/2002/07/owl#imports"), None))
    return graph


def _find_results(graph: Graph, shapes: Graph) -> dict[str, set[str]]:
    """Paths of what the shapes complain about, by severity."""
    _, report, _ = validate(graph, shacl_graph=shapes, inference="none", allow_warnings=True)
    found: dict[str, set[str]] = {"Violation": set(), "Warning": set(), "Info": set()}
    for result in report.subjects(RDF.type, SH.ValidationResult):
        severity = str(report.value(result, SH.resultSeverity)).rsplit("#", 1)[1]
        path = report.value(result, SH.resultPath)
        message = report.value(result, SH.resultMessage)
        found[severity].add(f"{path}: {message} ({report.value(result, SH.focusNode)})")
    return found


def _build(town: OpenTown, files: Path | None = None) -> Graph:
    tenant = load_catalogue(town.settings).get_tenant("town")
    return build_catalogue(read_open_tables(town.settings, tenant), find_offer(town.settings, tenant, files))


@needs_shapes
def test_a_catalogue_has_no_violation(town: OpenTown, shapes: Graph) -> None:
    found = _find_results(_build(town), shapes)
    assert found["Violation"] == set()
    # Harvesters of versions before 3.0 know no other place for the municipality.
    assert {text.split(": ")[0] for text in found["Warning"]} <= {str(DCATDE.politicalGeocodingURI)}


@needs_shapes
@pytest.mark.parametrize(
    ("subject", "predicate"),
    [
        (AIR, DCTERMS.publisher),
        (AIR, DCTERMS.title),
        (URIRef(f"{AIR}/csv"), DCTERMS.license),
        (URIRef("http://publications.europa.eu/resource/authority/data-theme/HEAL"), SKOS.inScheme),
    ],
)
def test_the_shapes_notice_what_is_missing(
    town: OpenTown, shapes: Graph, subject: URIRef, predicate: URIRef
) -> None:
    graph = _build(town)
    graph.remove((subject, predicate, None))
    assert _find_results(graph, shapes)["Violation"]


@needs_shapes
def test_the_commons_and_tables_without_files_have_no_violation(
    town: OpenTown, shapes: Graph, tmp_path: Path
) -> None:
    tables = read_open_tables(town.settings, load_catalogue(town.settings).get_tenant("town"))
    offer = find_offer(town.settings, tables.tenant, tmp_path)
    graph = build_commons_catalogue([(tables, offer)], "Betreiber", "https://betreiber.example/daten")
    assert _find_results(graph, shapes)["Violation"] == set()
    (catalogue,) = graph.subjects(RDF.type, DCAT.Catalog)
    assert catalogue == URIRef("https://betreiber.example/daten#commons")
    # The datasets are those of the town's own catalogue, so that who harvests both has them once.
    assert set(graph.objects(catalogue, DCAT.dataset)) == set(_build(town).subjects(RDF.type, DCAT.Dataset))
    assert {str(graph.value(s, FOAF.name)) for s in graph.subjects(RDF.type, FOAF.Agent)} == {
        "Betreiber", "Stadt Musterstadt",
    }  # fmt: skip


@needs_shapes
def test_a_dataset_of_high_value_says_so_as_the_regulation_asks(town: OpenTown) -> None:
    graph, shapes = _build(town), Graph().parse(SHAPES / "semic-3.0.0-hvd-SHACL.ttl")
    shapes.remove((None, URIRef("http://www.w3.org/2002/07/owl#imports"), None))
    values = set(graph.subject_objects(DCATAP.hvdCategory))
    assert values == {(AIR, URIRef("http://data.europa.eu/bna/c_dd313021"))}
    for node in {*graph.subjects(RDF.type, DCAT.Dataset)} - {AIR}:
        for distribution in graph.objects(node, DCAT.distribution):
            graph.remove((distribution, None, None))
        graph.remove((node, None, None))
        graph.remove((None, DCAT.dataset, node))
    # Whatever has an address is a resource, which these shapes want to be said.
    found = {text for text in _find_results(graph, shapes)["Violation"] if "class rdfs:Resource" not in text}
    assert found == set()


def test_titles_and_descriptions_are_in_both_languages(town: OpenTown) -> None:
    graph = _build(town)
    named = {node for kind in (DCAT.Catalog, DCAT.Dataset) for node in graph.subjects(RDF.type, kind)}
    assert len(named) == 4
    for node in named:
        for predicate in (DCTERMS.title, DCTERMS.description):
            texts = {text.language: str(text).strip() for text in graph.objects(node, predicate)}  # type: ignore[attr-defined]
            assert texts.keys() == {"de", "en"}
            assert all(texts.values())
    assert Literal("Luftqualität (Musterstadt)", lang="de") in set(graph.objects(AIR, DCTERMS.title))
    assert Literal("One row per station, with its place.", lang="en") in set(
        graph.objects(STATION, DCTERMS.description)
    )
    assert graph.value(STATION, DCAT.version) == Literal("1.1.0")


def test_times_are_dates_and_instants_that_can_be(town: OpenTown) -> None:
    graph = _build(town)
    period = graph.value(AIR, DCTERMS.temporal)
    assert graph.value(period, DCAT.startDate) == Literal(date(2026, 11, 1))
    assert graph.value(period, DCAT.endDate) == Literal(date(2026, 11, 2))
    assert str(graph.value(AIR, DCTERMS.modified)) == "2026-11-03T12:00:00+00:00"
    for value in graph.objects():
        if isinstance(value, Literal) and value.datatype in {XSD.date, XSD.dateTime}:
            assert value.toPython() is not None
            assert not value.ill_typed


def test_where_is_the_municipality_by_key_and_box(town: OpenTown) -> None:
    graph = _build(town)
    key = URIRef("http://dcat-ap.de/def/politicalGeocoding/municipalityKey/99000001")
    assert graph.value(AIR, DCATDE.politicalGeocodingURI) == key
    place = URIRef(f"{PAGE}#town/place")
    assert set(graph.objects(AIR, DCTERMS.spatial)) == {key, place}
    assert from_wkt(str(graph.value(place, DCAT.bbox))).bounds == (9.95, 50.95, 10.1, 51.1)


def test_how_often_licences_and_whom_to_name_follow_from_the_sources(town: OpenTown) -> None:
    graph = _build(town)
    frequencies = {
        str(graph.value(node, DCTERMS.accrualPeriodicity)).rsplit("/", 1)[1] for node in (AIR, STATION)
    }
    assert frequencies == {"DAILY", "15MIN"}
    air, station = URIRef(f"{AIR}/csv"), URIRef(f"{STATION}/csv")
    assert graph.value(air, DCTERMS.license) == URIRef("http://dcat-ap.de/def/licenses/dl-by-de/2.0")
    assert str(graph.value(air, DCATDE.licenseAttributionByText)).startswith("Umweltbundesamt; Changed: ")
    assert graph.value(station, DCTERMS.license) == URIRef("http://dcat-ap.de/def/licenses/other-open")
    assert graph.value(air, DCTERMS.rights) is None
    assert graph.value(station, DCTERMS.rights) is not None
    assert "parking_status" not in graph.serialize(format="turtle")


def test_files_are_announced_where_they_can_be_fetched_and_measured_where_they_are(
    town: OpenTown, tmp_path: Path
) -> None:
    graph = _build(town)
    addresses = {str(address) for address in graph.objects(None, DCAT.downloadURL)}
    assert "https://daten.musterstadt.example/export/station.geojson" in addresses
    assert len(addresses) == 9
    assert not set(graph.objects(None, DCAT.byteSize))
    (tmp_path / "station.csv").write_bytes(b"12345")
    graph = _build(town, tmp_path)
    assert [*graph.objects(None, DCAT.downloadURL)] == [
        URIRef("https://daten.musterstadt.example/export/station.csv")
    ]
    size = graph.value(URIRef(f"{STATION}/csv"), DCAT.byteSize)
    assert size == Literal(5, datatype=XSD.nonNegativeInteger)
    # Of what lies nowhere the page says how to come to it.
    assert [*graph.objects(AIR, DCAT.distribution)] == [URIRef(f"{AIR}/page")]
    assert graph.value(URIRef(f"{AIR}/page"), DCAT.accessURL) == URIRef(PAGE)


def test_whom_to_ask_is_an_address_of_mail_and_a_page(town: OpenTown) -> None:
    graph = _build(town)
    contact = graph.value(AIR, DCAT.contactPoint)
    assert graph.value(contact, VCARD.hasEmail) == URIRef("mailto:offene-daten@musterstadt.example")
    assert graph.value(contact, VCARD.hasURL) == URIRef("https://www.musterstadt.example/kontakt")


def test_what_the_file_lacks_is_named(town: OpenTown) -> None:
    text = (town.settings.tenants_dir / "town.yaml").read_text(encoding="utf-8")
    town.say(re.sub(r"^  (contact|landing_page): .*\n", "", text, flags=re.MULTILINE))
    with pytest.raises(ExportError, match=r"town: .* open_data\.contact, open_data\.landing_page"):
        _build(town)


@needs_shapes
def test_licences_are_those_of_the_vocabulary() -> None:
    known = Graph().parse(SHAPES / "dcat-ap-de-licenses-open.rdf", format="xml")
    terms = {URIRef(f"http://dcat-ap.de/def/licenses/{code}") for code in LICENCE_CODES.values()}
    assert terms <= set(known.subjects())


def test_every_open_licence_has_a_term() -> None:
    assert {name for name, terms in LICENCES.items() if terms.is_open} == LICENCE_CODES.keys()

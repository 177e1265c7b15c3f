"""Terms of controlled vocabularies are chosen by what tenants' files say."""

from __future__ import annotations

from rdflib import DCTERMS, SKOS, Graph, URIRef

from civitas_assets.catalog.cadence import CADENCES
from civitas_assets.dcat import controlled_terms as terms


def test_rows_of_one_licence_are_under_it_and_of_several_under_open_ones_in_general() -> None:
    assert terms.name_licence(["CC-BY-4.0", "CC-BY-4.0"]) == "cc-by/4.0"
    assert terms.name_licence(["CC-BY-4.0", "CC0-1.0"]) == "other-open"


def test_the_most_frequent_cadence_counts() -> None:
    assert terms.find_frequency(["nightly", "hourly"]) == "HOURLY"
    assert terms.find_frequency([]) is None
    assert terms.FREQUENCY_CODES.keys() == CADENCES.keys()


def test_a_term_says_of_which_vocabulary_it_is() -> None:
    graph, subject = Graph(), URIRef("https://a.example/#b")
    term = terms.add_term(graph, subject, DCTERMS.language, terms.LANGUAGE, "DEU")
    assert graph.value(term, SKOS.inScheme) == URIRef(terms.LANGUAGE)
    whole = f"{terms.CONTRIBUTOR}/town"
    assert terms.add_term(graph, subject, DCTERMS.source, terms.CONTRIBUTOR, whole) == URIRef(whole)

"""Open tables as an RDF graph by DCAT-AP.de 3.0: catalogue, datasets, distributions, and who is to be asked.

Source: https://www.dcat-ap.de/def/dcatde/3.0/spec/. Every node has an address of its own, so that the same data make
the same file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rdflib import DCTERMS, FOAF, RDF, RDFS, SKOS, XSD, Graph, Literal, Namespace, URIRef

from civitas_assets.catalog import Tenant
from civitas_assets.dcat import controlled_terms as terms
from civitas_assets.dcat.controlled_terms import FileKind, add_term
from civitas_assets.dcat.model_labels import MODEL_LABELS, ModelLabel
from civitas_assets.dcat.offered_files import KnownFile, Offer
from civitas_assets.dcat.open_tables import OpenTable, OpenTables
from civitas_assets.errors import ExportError

DCAT = Namespace("http://www.w3.org/ns/dcat#")  # the one of rdflib is that of version 2
DCATAP = Namespace("http://data.europa.eu/r5r/")
DCATDE = Namespace("http://dcat-ap.de/def/dcatde/")
ELI = Namespace("http://data.europa.eu/eli/ontology#")
GEO = Namespace("http://www.opengis.net/ont/geosparql#")
SPDX = Namespace("http://spdx.org/rdf/terms#")
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
_PREFIXES: Mapping[str, Namespace] = {
    "dcat": DCAT, "dcatap": DCATAP, "dcatde": DCATDE, "eli": ELI, "geo": GEO, "spdx": SPDX, "vcard": VCARD,
}  # fmt: skip


def build_catalogue(found: OpenTables, offer: Offer) -> Graph:
    """What a tenant announces, and where its files are.

    Raises:
        ExportError: the tenant's file does not say who publishes, whom to ask, or where.
    """
    graph = _make_graph()
    _Announcement(graph, found.tenant, offer).add_catalogue(found.tables)
    return graph


def build_commons_catalogue(found: Iterable[tuple[OpenTables, Offer]], publisher: str, page: str) -> Graph:
    """What all tenants share and announce, as one catalogue; datasets are those of the tenants' own catalogues.

    Raises:
        ExportError: a tenant's file does not say who publishes, whom to ask, or where.
    """
    graph, catalogue, agent = _make_graph(), URIRef(f"{page}#commons"), URIRef(f"{page}#commons/publisher")
    _add_head(graph, catalogue, "der gemeinsamen Tabellen", "of the commons", page)
    graph.add((catalogue, DCTERMS.publisher, agent))
    _add_agent(graph, agent, publisher, None)
    for each, offer in found:
        announcement = _Announcement(graph, each.tenant, offer)
        announcement.add_parties()
        for table in each.tables:
            graph.add((catalogue, DCAT.dataset, announcement.add_dataset(table)))
    return graph


def _make_graph() -> Graph:
    graph = Graph()
    for prefix, namespace in _PREFIXES.items():
        graph.bind(prefix, namespace)
    return graph


def _add_head(graph: Graph, catalogue: URIRef, of_de: str, of_en: str, page: str) -> None:
    graph.add((catalogue, RDF.type, DCAT.Catalog))
    _say(graph, catalogue, DCTERMS.title, f"Offene Daten {of_de}", f"Open data {of_en}")
    text = "Harmonisierte Tabellen, die unter offenen Lizenzen weitergegeben werden, {}."
    of = "Harmonised tables that are given away under open licences, {}."
    _say(graph, catalogue, DCTERMS.description, text.format(of_de), of.format(of_en))
    _add_page(graph, catalogue, FOAF.homepage, page)
    graph.add((catalogue, DCAT.themeTaxonomy, URIRef(terms.THEME)))
    graph.add((URIRef(terms.THEME), RDF.type, SKOS.ConceptScheme))
    graph.add((URIRef(terms.THEME), DCTERMS.title, Literal("Data theme", lang="en")))
    for code in ("DEU", "ENG"):
        graph.add(
            (
                add_term(graph, catalogue, DCTERMS.language, terms.LANGUAGE, code),
                RDF.type,
                DCTERMS.LinguisticSystem,
            )
        )


def _add_agent(graph: Graph, agent: URIRef, name: str, page: str | None) -> None:
    graph.add((agent, RDF.type, FOAF.Organization))
    graph.add((agent, RDF.type, FOAF.Agent))
    graph.add((agent, FOAF.name, Literal(name)))
    if page:
        _add_page(graph, agent, FOAF.homepage, page)


def _add_page(graph: Graph, subject: URIRef, predicate: URIRef, page: str) -> None:
    graph.add((subject, predicate, URIRef(page)))
    graph.add((URIRef(page), RDF.type, FOAF.Document))


def _say(graph: Graph, subject: URIRef, predicate: URIRef, german: str, english: str) -> None:
    graph.add((subject, predicate, Literal(german, lang="de")))
    graph.add((subject, predicate, Literal(english, lang="en")))


class _Announcement:
    """What one tenant announces, as it gets into a graph."""

    def __init__(self, graph: Graph, tenant: Tenant, offer: Offer) -> None:
        said = tenant.open_data
        if said.publisher is None or said.contact is None or said.landing_page is None:
            missing = ", ".join(said.missing)
            raise ExportError(f"{tenant.slug}: a catalogue needs {missing}; set it in the tenant's file")
        self.graph, self.tenant, self.offer = graph, tenant, offer
        self.said, self.page = said, said.landing_page
        self.publisher, self.contact, self.place = map(self._name, ("publisher", "contact", "place"))

    def _name(self, part: str) -> URIRef:
        return URIRef(f"{self.page}#{self.tenant.slug}/{part}")

    def add_catalogue(self, tables: Iterable[OpenTable]) -> None:
        graph, catalogue, name = self.graph, self._name("catalogue"), self.tenant.name
        _add_head(graph, catalogue, f"von {name}", f"of {name}", self.page)
        self.add_parties()
        graph.add((catalogue, DCTERMS.publisher, self.publisher))
        graph.add((catalogue, DCTERMS.spatial, self.place))
        found = [*tables]
        for table in found:
            graph.add((catalogue, DCAT.dataset, self.add_dataset(table)))
        if changed := max((table.changed_at for table in found if table.changed_at), default=None):
            graph.add((catalogue, DCTERMS.modified, Literal(changed)))

    def add_parties(self) -> None:
        """Who publishes, whom to ask, and where the municipality lies."""
        graph, publisher, contact = self.graph, self.said.publisher, self.said.contact
        assert publisher is not None  # noqa: S101 - checked when it was made
        assert contact is not None  # noqa: S101
        _add_agent(graph, self.publisher, publisher.name, publisher.url)
        graph.add((self.contact, RDF.type, VCARD.Organization))
        graph.add((self.contact, RDF.type, VCARD.Kind))
        graph.add((self.contact, VCARD.fn, Literal(contact.name)))
        if contact.email:
            graph.add((self.contact, VCARD.hasEmail, URIRef(f"mailto:{contact.email}")))
        if contact.url:
            graph.add((self.contact, VCARD.hasURL, URIRef(contact.url)))
        west, south, east, north = self.tenant.bbox
        corners = ((west, south), (east, south), (east, north), (west, north), (west, south))
        ring = ", ".join(f"{lon} {lat}" for lon, lat in corners)
        graph.add((self.place, RDF.type, DCTERMS.Location))
        graph.add((self.place, DCAT.bbox, Literal(f"POLYGON (({ring}))", datatype=GEO.wktLiteral)))

    def add_dataset(self, table: OpenTable) -> URIRef:
        """A table with all its distributions."""
        graph, node, label = self.graph, self._name(table.model), MODEL_LABELS[table.model]
        graph.add((node, RDF.type, DCAT.Dataset))
        name = self.tenant.name
        _say(graph, node, DCTERMS.title, f"{label.title_de} ({name})", f"{label.title_en} ({name})")
        english = table.contract.description if table.contract else f"{label.title_en} of {name}."
        _say(graph, node, DCTERMS.description, label.description_de, english)
        _say(graph, node, DCAT.keyword, label.title_de, label.title_en)
        graph.add((node, DCTERMS.identifier, Literal(str(node))))
        graph.add((node, DCTERMS.publisher, self.publisher))
        graph.add((node, DCAT.contactPoint, self.contact))
        _add_page(graph, node, DCAT.landingPage, self.page)
        if table.contract:
            graph.add((node, DCAT.version, Literal(table.contract.version)))
        self._add_terms(node, table, label)
        self._add_extent(node, table)
        for distribution in self._add_distributions(table):
            graph.add((node, DCAT.distribution, distribution))
        return node

    def _add_terms(self, node: URIRef, table: OpenTable, label: ModelLabel) -> None:
        graph = self.graph
        for theme in label.themes:
            add_term(graph, node, DCAT.theme, terms.THEME, theme)
        rights = add_term(graph, node, DCTERMS.accessRights, terms.ACCESS_RIGHT, "PUBLIC")
        graph.add((rights, RDF.type, DCTERMS.RightsStatement))
        add_term(graph, node, DCATAP.availability, terms.AVAILABILITY, "AVAILABLE")
        if frequency := terms.find_frequency(table.cadences):
            term = add_term(graph, node, DCTERMS.accrualPeriodicity, terms.FREQUENCY, frequency)
            graph.add((term, RDF.type, DCTERMS.Frequency))
        if self.said.contributor:
            add_term(graph, node, DCATDE.contributorID, terms.CONTRIBUTOR, self.said.contributor)
        if label.high_value and table.model in self.said.high_value:
            code = f"http://data.europa.eu/bna/{label.high_value}"
            graph.add((node, DCATAP.hvdCategory, URIRef(code)))
            graph.add((URIRef(code), RDF.type, SKOS.Concept))
            graph.add((URIRef(code), SKOS.inScheme, URIRef(terms.HIGH_VALUE)))
            self._add_law(node)

    def _add_law(self, node: URIRef) -> None:
        law = URIRef(terms.HIGH_VALUE_LAW)
        self.graph.add((node, DCATAP.applicableLegislation, law))
        self.graph.add((law, RDF.type, ELI.LegalResource))

    def _add_extent(self, node: URIRef, table: OpenTable) -> None:
        """Where and when: the municipality by its key, in the ways of version 3 and of those before."""
        graph, ags = self.graph, self.tenant.ags
        graph.add((node, DCTERMS.spatial, self.place))
        key = add_term(graph, node, DCTERMS.spatial, terms.MUNICIPALITY, ags)
        graph.add((key, RDF.type, DCTERMS.Location))
        graph.add((node, DCATDE.politicalGeocodingURI, key))
        add_term(graph, node, DCATDE.politicalGeocodingLevelURI, terms.LEVEL, "municipality")
        if table.changed_at:
            graph.add((node, DCTERMS.modified, Literal(table.changed_at)))
        if table.first or table.last:
            period = self._name(f"{table.model}/period")
            graph.add((node, DCTERMS.temporal, period))
            graph.add((period, RDF.type, DCTERMS.PeriodOfTime))
            for predicate, day in ((DCAT.startDate, table.first), (DCAT.endDate, table.last)):
                if day:
                    graph.add((period, predicate, Literal(day)))

    def _add_distributions(self, table: OpenTable) -> Iterable[URIRef]:
        """A file per format where they can be fetched; else the page that says how to come to the data."""
        found = [self._add_file(table, *file) for file in self.offer.list_files(table)]
        return found or [self._add_distribution(table, "page", "Zugang", "Access", self.page)]

    def _add_file(self, table: OpenTable, kind: FileKind, address: str, file: KnownFile | None) -> URIRef:
        graph = self.graph
        node = self._add_distribution(table, kind.ending, kind.title, kind.title, address)
        graph.add((node, DCAT.downloadURL, URIRef(address)))
        form = add_term(graph, node, DCTERMS["format"], terms.FILE_TYPE, kind.code)
        graph.add((form, RDF.type, DCTERMS.MediaTypeOrExtent))
        graph.add((node, DCAT.mediaType, URIRef(kind.media_type)))
        graph.add((URIRef(kind.media_type), RDF.type, DCTERMS.MediaType))
        if file is not None:
            graph.add((node, DCAT.byteSize, Literal(file.size, datatype=XSD.nonNegativeInteger)))
        if file is not None and file.digest:
            checksum = self._name(f"{table.model}/{kind.ending}/checksum")
            graph.add((node, SPDX.checksum, checksum))
            graph.add((checksum, RDF.type, SPDX.Checksum))
            graph.add((checksum, SPDX.algorithm, SPDX.checksumAlgorithm_sha256))
            value = Literal(file.digest, datatype=XSD.hexBinary, normalize=False)
            graph.add((checksum, SPDX.checksumValue, value))
        return node

    def _add_distribution(
        self, table: OpenTable, part: str, german: str, english: str, address: str
    ) -> URIRef:
        graph, node = self.graph, self._name(f"{table.model}/{part}")
        graph.add((node, RDF.type, DCAT.Distribution))
        _say(graph, node, DCTERMS.title, german, english)
        graph.add((node, DCAT.accessURL, URIRef(address)))
        code = terms.name_licence(table.licences)
        licence = add_term(graph, node, DCTERMS.license, terms.LICENCE, code)
        graph.add((licence, RDF.type, DCTERMS.LicenseDocument))
        said = "; ".join([*table.attributions, *table.notices])
        graph.add((node, DCATDE.licenseAttributionByText, Literal(said)))
        add_term(graph, node, DCATAP.availability, terms.AVAILABILITY, "AVAILABLE")
        if len(table.licences) > 1:
            rights = self._name(f"{table.model}/rights")
            graph.add((node, DCTERMS.rights, rights))
            graph.add((rights, RDF.type, DCTERMS.RightsStatement))
            names = ", ".join(table.licences)
            _say(
                graph,
                rights,
                RDFS.label,
                f"Zeilen unter {names}; welche, steht in jeder Zeile",
                f"Rows under {names}; each row says which",
            )
        if table.model in self.said.high_value:
            self._add_law(node)
        return node

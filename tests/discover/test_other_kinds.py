"""Answers of other kinds of catalogues become the same datasets.

All answers are synthetic, in the form of each standard.
"""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from civitas_assets.discover.dataset import Page
from civitas_assets.discover.kinds import csw, ogc_records, opendatasoft, socrata
from civitas_assets.errors import ReadError

ROOT = "https://a.example"


def asked_of(
    kind: ModuleType, url: str = ROOT, term: str = "Neustadt", place: int = 0
) -> tuple[str, dict[str, str]]:
    """Path and parameters of the first question."""
    parts = urlsplit(kind.list_addresses(url, term)[place])
    return parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}


def record(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "Feature", "id": name, "geometry": None, "properties": {"title": f"Satz {name}", **more}}


class TestOgcRecords:
    """OGC API Records, and ArcGIS Hub."""

    def test_the_list_of_collections_leads_to_the_one_of_records(self) -> None:
        path, asked = asked_of(ogc_records, f"{ROOT}/api/")
        assert (path, asked) == ("/api/collections", {"limit": "100", "q": "Neustadt", "f": "json"})
        address = ogc_records.list_addresses(f"{ROOT}/api/", "Neustadt")[0]
        collections = [{"id": "lakes", "itemType": "feature"}, {"id": "sets", "itemType": "record"}]
        page = ogc_records.read_page(json.dumps({"collections": collections}).encode(), address)
        assert page.datasets == ()
        assert page.following.startswith(f"{ROOT}/api/collections/sets/items?")
        assert "q=Neustadt" in page.following
        with pytest.raises(ReadError, match="none of records"):
            ogc_records.read_page(json.dumps({"collections": collections[:1]}).encode(), address)

    def test_records_and_their_links(self) -> None:
        links = [
            {"rel": "item", "href": "/files/baum.csv", "type": "text/csv"},
            {"rel": "license", "href": "https://creativecommons.org/licenses/by/4.0/"},
            {"rel": "self", "href": "/x"},
        ]
        contacts = [
            {"name": "somebody", "roles": ["author"]},
            {"organization": "Stadt Neustadt", "roles": ["publisher"]},
        ]
        one = {
            **record("1", keywords=["Baum"], contacts=contacts), "links": links,
            "geometry": {"type": "Polygon", "coordinates": [[[10, 51], [10.1, 51], [10.1, 51.1], [10, 51]]]},
        }  # fmt: skip
        body = {
            "type": "FeatureCollection", "features": [one], "numberMatched": 7,
            "links": [{"rel": "next", "href": "items?offset=1"}],
        }  # fmt: skip
        page = ogc_records.read_page(json.dumps(body).encode(), f"{ROOT}/collections/sets/items?limit=1")
        (found,) = page.datasets
        assert (page.following, page.total) == (f"{ROOT}/collections/sets/items?offset=1", 7)
        assert (found.title, found.publisher, found.licence, found.box) == (
            "Satz 1", "Stadt Neustadt", "https://creativecommons.org/licenses/by/4.0/", (10.0, 51.0, 10.1, 51.1),
        )  # fmt: skip
        assert [(form.url, form.form) for form in found.distributions] == [
            (f"{ROOT}/files/baum.csv", "text/csv")
        ]

    def test_a_layer_of_hub_is_asked_as_geojson(self) -> None:
        path, asked = asked_of(ogc_records, ROOT, place=1)
        assert (path, asked["q"]) == ("/api/search/v1/collections/dataset/items", "Neustadt")
        one = record(
            "1",
            url="https://b.example/rest/services/Baum/FeatureServer/3",
            type="Feature Service",
            tags=["Baum"],
        )
        body = json.dumps({"type": "FeatureCollection", "features": [one]}).encode()
        (found,) = ogc_records.read_page(body, ROOT).datasets
        (form,) = found.distributions
        assert form.url.startswith("https://b.example/rest/services/Baum/FeatureServer/3/query?")
        assert (form.form, parse_qs(urlsplit(form.url).query)["f"]) == ("GeoJSON", ["geojson"])

    def test_a_page_without_records_is_the_last(self) -> None:
        body = {"type": "FeatureCollection", "features": [], "links": [{"rel": "next", "href": "?offset=9"}]}
        assert ogc_records.read_page(json.dumps(body).encode(), ROOT) == Page(())


def test_opendatasoft_exports_positions_where_there_are_any() -> None:
    path, asked = asked_of(opendatasoft, f"{ROOT}/explore/?q=x")
    assert (path, asked["where"]) == ("/api/explore/v2.1/catalog/datasets", 'search("Neustadt")')
    default = {"title": "Bäume", "publisher": "Stadt Neustadt", "license": "CC BY 4.0", "keyword": ["Baum"]}
    results = [
        {"dataset_id": "baum", "features": ["geo"], "metas": {"default": default}},
        {"dataset_id": "zahl", "features": [], "metas": {}},
    ]
    address = opendatasoft.list_addresses(ROOT, "")[0]
    page = opendatasoft.read_page(json.dumps({"total_count": 3, "results": results}).encode(), address)
    assert parse_qs(urlsplit(page.following).query)["offset"] == ["2"]
    trees, numbers = page.datasets
    assert (trees.title, trees.licence, numbers.title) == ("Bäume", "CC BY 4.0", "zahl")
    below = f"{ROOT}/api/explore/v2.1/catalog/datasets"
    assert [form.url for form in trees.distributions] == [
        f"{below}/baum/exports/geojson",
        f"{below}/baum/exports/csv",
    ]
    assert [form.form for form in numbers.distributions] == ["CSV"]


def test_socrata_gives_the_datasets_of_its_own_domain() -> None:
    path, asked = asked_of(socrata, f"{ROOT}/browse")
    assert (path, asked["domains"], asked["q"]) == ("/api/catalog/v1", "a.example", "Neustadt")
    one = {
        "resource": {"id": "abcd-1234", "name": "Bäume", "attribution": "Stadt Neustadt"},
        "metadata": {"license": "Creative Commons CC0 1.0 Universal"}, "classification": {"domain_tags": ["baum"]},
    }  # fmt: skip
    address = socrata.list_addresses(ROOT, "")[0]
    page = socrata.read_page(json.dumps({"resultSetSize": 1, "results": [one]}).encode(), address)
    (found,) = page.datasets
    assert (page.following, found.title, found.publisher, found.keywords) == (
        "",
        "Bäume",
        "Stadt Neustadt",
        ("baum",),
    )
    assert found.distributions[0].url == f"{ROOT}/api/views/abcd-1234/rows.csv?accessType=DOWNLOAD"


RECORDS = """<csw:GetRecordsResponse xmlns:csw="http://www.opengis.net/cat/csw/2.0.2" xmlns:gmd="http://www.isotc211.org/2005/gmd"
 xmlns:gco="http://www.isotc211.org/2005/gco" xmlns:gmx="http://www.isotc211.org/2005/gmx">
<csw:SearchResults numberOfRecordsMatched="3" numberOfRecordsReturned="1" nextRecord="2"><gmd:MD_Metadata>
 <gmd:fileIdentifier><gco:CharacterString>id-1</gco:CharacterString></gmd:fileIdentifier>
 <gmd:identificationInfo><gmd:MD_DataIdentification>
  <gmd:citation><gmd:CI_Citation><gmd:title><gco:CharacterString>Bäume</gco:CharacterString></gmd:title></gmd:CI_Citation></gmd:citation>
  <gmd:pointOfContact><gmd:CI_ResponsibleParty>
   <gmd:individualName><gco:CharacterString>somebody</gco:CharacterString></gmd:individualName>
   <gmd:organisationName><gco:CharacterString>Stadt Neustadt</gco:CharacterString></gmd:organisationName>
  </gmd:CI_ResponsibleParty></gmd:pointOfContact>
  <gmd:descriptiveKeywords><gmd:MD_Keywords><gmd:keyword><gco:CharacterString>Baum</gco:CharacterString></gmd:keyword></gmd:MD_Keywords></gmd:descriptiveKeywords>
  <gmd:resourceConstraints><gmd:MD_LegalConstraints>
   <gmd:otherConstraints><gco:CharacterString>Nur ein Satz.</gco:CharacterString></gmd:otherConstraints>
   <gmd:otherConstraints><gco:CharacterString>
    {"id": "dl-by-de/2.0", "url": "https://www.govdata.de/dl-de/by-2-0", "quelle": "Stadt Neustadt, Amt"}
   </gco:CharacterString></gmd:otherConstraints>
  </gmd:MD_LegalConstraints></gmd:resourceConstraints>
  <gmd:extent><gmd:EX_Extent><gmd:geographicElement><gmd:EX_GeographicBoundingBox>
   <gmd:westBoundLongitude><gco:Decimal>10</gco:Decimal></gmd:westBoundLongitude><gmd:eastBoundLongitude><gco:Decimal>10.1</gco:Decimal></gmd:eastBoundLongitude>
   <gmd:southBoundLatitude><gco:Decimal>51</gco:Decimal></gmd:southBoundLatitude><gmd:northBoundLatitude><gco:Decimal>51.1</gco:Decimal></gmd:northBoundLatitude>
  </gmd:EX_GeographicBoundingBox></gmd:geographicElement></gmd:EX_Extent></gmd:extent>
 </gmd:MD_DataIdentification></gmd:identificationInfo>
 <gmd:distributionInfo><gmd:MD_Distribution><gmd:transferOptions><gmd:MD_DigitalTransferOptions><gmd:onLine><gmd:CI_OnlineResource>
  <gmd:linkage><gmd:URL>https://a.example/ows?x=1</gmd:URL></gmd:linkage><gmd:protocol><gco:CharacterString>OGC:WFS-2.0.0-http-get</gco:CharacterString></gmd:protocol>
 </gmd:CI_OnlineResource></gmd:onLine></gmd:MD_DigitalTransferOptions></gmd:transferOptions></gmd:MD_Distribution></gmd:distributionInfo>
</gmd:MD_Metadata></csw:SearchResults></csw:GetRecordsResponse>"""


def test_csw_says_licence_and_attribution_as_the_spatial_data_infrastructure_writes_them() -> None:
    _, asked = asked_of(csw, f"{ROOT}/csw?service=CSW", "O'Neustadt")
    assert (asked["request"], asked["constraint"]) == ("GetRecords", "AnyText like '%O Neustadt%'")
    _, other = asked_of(csw, ROOT, "Neustadt", place=2)
    assert other["constraint"] == "apiso:AnyText like '%Neustadt%'"
    assert "constraint" not in asked_of(csw, ROOT, "")[1]
    page = csw.read_page(RECORDS.encode(), csw.list_addresses(f"{ROOT}/csw", "")[0])
    (found,) = page.datasets
    assert (page.total, parse_qs(urlsplit(page.following).query)["startPosition"]) == (3, ["2"])
    assert (found.identifier, found.title, found.publisher, found.keywords) == (
        "id-1",
        "Bäume",
        "Stadt Neustadt",
        ("Baum",),
    )
    assert (found.licence, found.attribution) == (
        "https://www.govdata.de/dl-de/by-2-0",
        "Stadt Neustadt, Amt",
    )
    assert found.box == (10.0, 51.0, 10.1, 51.1)
    assert [(form.url, form.form) for form in found.distributions] == [("https://a.example/ows?x=1", "WFS")]


def test_the_complaint_of_a_csw_is_told() -> None:
    text = "<ows:Exception><ows:ExceptionText>no CQL</ows:ExceptionText></ows:Exception>"
    body = (
        f'<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows">{text}</ows:ExceptionReport>'.encode()
    )
    with pytest.raises(ReadError, match="complaint of a CSW: no CQL"):
        csw.read_page(body, ROOT)


@pytest.mark.parametrize("kind", [csw, ogc_records, opendatasoft, socrata], ids=lambda kind: kind.NAME)
@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"results": 3}', b'{"type": "FeatureCollection"}', b"[" * 50_000]
)
def test_another_answer_is_of_none_of_them(kind: ModuleType, body: bytes) -> None:
    with pytest.raises(ReadError):
        kind.read_page(body, ROOT)

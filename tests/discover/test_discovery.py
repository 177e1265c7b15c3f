"""A catalogue on the loopback is searched, its distributions are read, and what came of it is proposed or told.

All of it is synthetic.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from civitas_assets.catalog import Tenant, load_catalog
from civitas_assets.connectors.registry import SOURCE_MODELS
from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.discover.dataset_findings import (
    DatasetFinding,
    compare_findings,
    read_findings,
    select_proposals,
    write_findings,
)
from civitas_assets.discover.discovery import (
    Discovery,
    discover_sources,
    list_national_sources,
    probe_national_services,
)
from civitas_assets.errors import ReadError
from civitas_assets.settings import Settings
from tests.discover.conftest import Routes, package

Site = tuple[str, Routes, list[str]]
TREES = (
    "Nr;Name;Längengrad;Breitengrad\n1;Linde;10,01;51,01\n2;Eiche;10,02;51,02\n3;Ahorn;10,03;51,03\n".encode()
)
REGISTER = (
    "Nr;Baumart;Pflanzjahr;Stammumfang;Längengrad;Breitengrad\n1;Linde;1965;120;10,01;51,01\n"
    "2;Eiche;0;95;10,02;51,02\n3;Ahorn;2011;0;10,03;51,03\n"
).encode()
SEARCH = "/api/3/action/package_search"


def found_by(*packages: Any, count: int | None = None) -> bytes:
    answer = {"count": len(packages) if count is None else count, "results": packages}
    return json.dumps({"success": True, "result": answer}).encode()


@pytest.fixture
def discover(settings: Settings, town: Tenant, site: Site) -> Callable[..., Discovery]:
    """What is found in the catalogue at the loopback, without national services."""

    def run(*, probes: int = 10, everything: bool = False, tenant: Tenant = town) -> Discovery:
        return discover_sources(
            settings,
            tenant,
            [site[0]],
            seconds=60,
            probes=probes,
            is_national=False,
            is_everything=everything,
        )

    return run


def test_the_best_form_of_a_dataset_becomes_a_source_with_licence_and_attribution(
    discover: Callable[..., Discovery], site: Site, tmp_path: Path
) -> None:
    root, routes, asked = site
    routes["/baum.csv"] = REGISTER
    resources = [{"url": f"{root}/baum.pdf", "format": "PDF"}, {"url": f"{root}/baum.csv", "format": "CSV"}]
    routes[SEARCH] = found_by(package(1, *resources, title="Bäume: Kataster"))
    (finding,) = discover().findings
    assert (finding.state, finding.record_type, finding.records, finding.rejected) == (
        "proposed",
        "tree",
        3,
        0,
    )
    assert "/baum.pdf" not in asked
    block = yaml.safe_load(f"sources:\n{finding.yaml}")["sources"][finding.name]
    assert (block["title"], block["licence"], block["attribution"]) == (
        "Bäume: Kataster", "dl-de/by-2-0", "Stadt Neustadt",
    )  # fmt: skip
    assert "# unsure: the catalogue says who publishes, and not whom to name" in finding.yaml
    file = tmp_path / "neustadt.yaml"
    head = 'name: Neustadt\nags: "99000009"\nbbox: [9.95, 50.95, 10.1, 51.1]\nsources:\n'
    file.write_text(head + finding.yaml, encoding="utf-8")
    assert finding.name in load_catalog(tmp_path, SOURCE_MODELS).get_tenant("neustadt").sources


def test_what_cannot_be_read_is_told_with_its_reason(discover: Callable[..., Discovery], site: Site) -> None:
    root, routes, _ = site
    routes["/page"] = b"<html><body>a portal</body></html>"
    routes[SEARCH] = found_by(
        package(1, {"url": f"{root}/plan.pdf", "format": "PDF"}),
        package(2, {"url": f"{root}/page", "format": "CSV"}),
        package(3, {"url": f"{root}/gone.csv", "format": "CSV"}),
        package(4),
        package(5, {"url": "http://192.0.2.1/x.csv", "format": "CSV"}),
        package(6, {"url": f"{root}/x.csv", "format": "CSV"}, organization={"title": "Anderswo"}),
    )
    details = {finding.dataset: finding.detail for finding in discover().findings}
    assert details.keys() == {f"id-{number:05}" for number in range(1, 6)}  # the sixth concerns somebody else
    assert "is a document" in details["id-00001"]
    assert "is a web page" in details["id-00002"]
    assert "HTTP 404" in details["id-00003"]
    assert "names no address" in details["id-00004"]
    assert "may not be reached by sources" in details["id-00005"]


def test_a_form_that_cannot_be_read_leads_to_the_next(discover: Callable[..., Discovery], site: Site) -> None:
    root, routes, _ = site
    routes["/baum.csv"] = TREES
    resources = [
        {"url": f"{root}/baum.geojson", "format": "GeoJSON"},
        {"url": f"{root}/baum.csv", "format": "CSV"},
    ]
    routes[SEARCH] = found_by(package(1, *resources))
    (finding,) = discover().findings
    assert (finding.state, finding.url) == ("proposed", f"{root}/baum.csv")


def test_the_budget_ends_fetching_and_is_told(discover: Callable[..., Discovery], site: Site) -> None:
    root, routes, asked = site
    routes["/baum.csv"] = TREES
    routes[SEARCH] = found_by(
        *(package(n, {"url": f"{root}/baum.csv?{n}", "format": "CSV"}) for n in range(1, 5))
    )
    states = [finding.state for finding in discover(probes=2).findings]
    assert (states.count("proposed"), states.count("not_looked_at")) == (2, 2)
    assert len([path for path in asked if "baum" in path]) == 2


def test_what_is_a_source_already_is_not_proposed_again(
    discover: Callable[..., Discovery], site: Site, town: Tenant
) -> None:
    root, routes, asked = site
    routes[SEARCH] = found_by(package(1, {"url": f"{root}/baum.csv", "format": "CSV"}))
    trees = {"connector": "csv", "title": "B", "licence": "CC0-1.0", "url": f"{root}/baum.csv", "record_type": "place",
             "fields": {"place_id": "Nr"}}  # fmt: skip
    source = SOURCE_MODELS["csv"].model_validate(trees)
    (finding,) = discover(tenant=town.model_copy(update={"sources": {"trees": source}})).findings
    assert (finding.state, finding.detail) == ("configured", "is the source trees")
    assert not [path for path in asked if "baum" in path]


def test_a_catalogue_in_parts_is_walked_to_its_end_and_its_fault_is_told(
    discover: Callable[..., Discovery], site: Site
) -> None:
    _, routes, asked = site

    def part(path: str) -> bytes:
        start = int(path.partition("start=")[2].partition("&")[0])
        return found_by(*(package(n) for n in range(start, min(start + 2, 5))), count=6)

    routes[SEARCH] = part
    found = discover()
    assert len(found.findings) == 5
    assert len([path for path in asked if SEARCH in path]) == 4
    assert any("says that there are 6 datasets, and gave 5" in note for note in found.notes)


def test_a_catalogue_as_rdf_is_found_and_followed_through_hydra(
    discover: Callable[..., Discovery], site: Site
) -> None:
    root, routes, _ = site
    routes["/baum.csv"] = TREES

    def page(path: str) -> bytes:
        number = 2 if "page=2" in path else 1
        lead = f"<{root}/catalog.ttl?page=1> <http://www.w3.org/ns/hydra/core#next> <{root}/catalog.ttl?page=2> ."
        return f"""
            @prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
            {lead if number == 1 else ""}
            <{root}/set/{number}> a dcat:Dataset ; dct:title "Bäume {number}" ;
              <http://dcat-ap.de/def/dcatde/politicalGeocodingURI>
                <http://dcat-ap.de/def/politicalGeocoding/municipalityKey/99000009> ;
              dcat:distribution <{root}/form/{number}> .
            <{root}/form/{number}> dcat:downloadURL <{root}/baum.csv?{number}> ;
              dct:license <http://dcat-ap.de/def/licenses/cc-zero> .
        """.encode()

    routes["/catalog.ttl"] = page
    found = discover()
    assert [(finding.title, finding.state) for finding in found.findings] == [
        ("Bäume 1", "proposed"), ("Bäume 2", "proposed"),
    ]  # fmt: skip
    names = [finding.name for finding in found.findings]
    assert len({*names}) == 2
    assert all(
        "licence: CC0-1.0" in finding.yaml and "attribution" not in finding.yaml for finding in found.findings
    )


def test_what_is_no_catalogue_is_a_note_and_no_end(discover: Callable[..., Discovery], site: Site) -> None:
    site[1]["/"] = b"<html>a city</html>"
    found = discover()
    assert found.findings == []
    assert "is no catalogue of a kind that is known" in found.notes[0]


def test_a_login_in_the_address_of_a_catalogue_is_refused_without_telling_it(
    settings: Settings, town: Tenant
) -> None:
    address = "http://127.0.0.1:9/?token=s3cr3ts3cr3t"
    found = discover_sources(
        settings, town, [address], seconds=5, probes=0, is_national=False, is_everything=False
    )
    assert "leave name, password and token out" in found.notes[0]
    assert "s3cr3t" not in found.notes[0]


def test_what_is_new_or_gone_since_the_last_time_is_told(
    discover: Callable[..., Discovery], site: Site, tmp_path: Path
) -> None:
    file = tmp_path / "found.json"
    assert read_findings(file) is None
    site[1][SEARCH] = found_by(package(1), package(2))
    write_findings(file, discover().findings)
    site[1][SEARCH] = found_by(package(2), package(3))
    before, now = read_findings(file), discover().findings
    assert before is not None
    difference = compare_findings(before, now)
    assert (difference.new, difference.gone) == (["Satz 3"], ["Satz 1"])
    assert compare_findings(before, []).gone == []  # a catalogue that was not asked has lost nothing
    file.write_text("{}", encoding="utf-8")
    with pytest.raises(ReadError, match="no file of civitas discover"):
        read_findings(file)


def test_proposals_are_ranked_by_how_sure_and_how_well_read_they_are(
    discover: Callable[..., Discovery], site: Site
) -> None:
    root, routes, _ = site
    routes["/baum.csv"] = TREES
    routes["/half.csv"] = TREES + b"4;Ulme;1;2\n5;Esche;1;2\n"
    key = [
        {
            "key": "politicalGeocodingURI",
            "value": "http://dcat-ap.de/def/politicalGeocoding/municipalityKey/99000009",
        }
    ]
    routes[SEARCH] = found_by(
        package(1, {"url": f"{root}/half.csv", "format": "CSV"}),
        package(2, {"url": f"{root}/baum.csv", "format": "CSV"}),
        package(3, {"url": f"{root}/baum.csv?", "format": "CSV"}, extras=key),
    )
    assert [finding.dataset[-1] for finding in select_proposals(discover().findings)] == ["3", "2", "1"]


def test_nothing_is_left_behind_and_no_log_is_written(
    discover: Callable[..., Discovery], site: Site, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    root, routes, _ = site
    routes["/baum.csv"] = TREES
    routes[SEARCH] = found_by(package(1, {"url": f"{root}/baum.csv", "format": "CSV"}))
    with caplog.at_level(logging.INFO):
        discover()
    assert not [path for path in settings.home.rglob("*") if path.is_file()]
    assert not [record for record in caplog.records if record.name.startswith("rdflib")]


GAUGE = {
    "uuid": "00000000-0000-0000-0000-000000000001", "number": "1", "shortname": "NEUSTADT", "longname": "NEUSTADT",
    "km": 1.0, "agency": "A", "longitude": 10.0, "latitude": 51.0, "water": {"shortname": "M", "longname": "M"},
    "timeseries": [{"shortname": "W", "longname": "WASSERSTAND ROHDATEN", "unit": "cm", "equidistance": 15}],
}  # fmt: skip


def test_they_are_those_whose_settings_are_all_known(town: Tenant) -> None:
    sources = list_national_sources(town)
    assert {"pegelonline", "uba", "dwd"} <= {source.connector for source in sources}
    assert all(source.url.startswith("https://") and source.box == town.bbox for source in sources)


@pytest.fixture
def look(
    town: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, DatasetFinding]]:
    """What is found where only the gauges answer."""

    def publisher(request: httpx2.Request) -> httpx2.Response:
        if "pegelonline" in request.url.host:
            is_list = request.url.path.endswith("stations.json")
            return httpx2.Response(200, content=json.dumps([GAUGE] if is_list else []).encode())
        return httpx2.Response(404)

    def run(tenant: Tenant = town) -> dict[str, DatasetFinding]:
        transport = httpx2.MockTransport(publisher)
        with HttpClient(
            "t",
            clock=lambda: datetime.now(UTC),
            secrets=lambda _: "",
            transport=transport,
            sleep=lambda _: None,
        ) as client:
            found = probe_national_services(tenant, client, tmp_path)
            return {finding.dataset: finding for finding in found}

    return run


def test_what_is_in_the_box_is_counted(look: Callable[..., dict[str, DatasetFinding]], town: Tenant) -> None:
    found = look()
    water = found["pegelonline"]
    assert (water.state, water.records) == ("proposed", 1)
    assert "1 station" in water.detail
    block = yaml.safe_load(f"sources:\n{water.yaml}")["sources"]["pegelonline"]
    assert SOURCE_MODELS["pegelonline"].model_validate(block).title == water.title
    assert {finding.state for name, finding in found.items() if name != "pegelonline"} == {"unread"}
    assert all(finding.detail for finding in found.values())


def test_one_that_is_a_source_already_is_not_asked(
    look: Callable[..., dict[str, DatasetFinding]], town: Tenant
) -> None:
    gauges = SOURCE_MODELS["pegelonline"].model_validate({"connector": "pegelonline"})
    found = look(town.model_copy(update={"sources": {"water": gauges}}))
    assert (found["pegelonline"].state, found["pegelonline"].detail) == ("configured", "is the source water")

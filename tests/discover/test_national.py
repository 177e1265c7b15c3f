"""National services are those that need nothing but a box; what each has in it is counted, and told where it fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
import yaml

from civitas_assets.catalog import Tenant
from civitas_assets.connectors.registry import SOURCE_MODELS
from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.discover.dataset_findings import DatasetFinding
from civitas_assets.discover.national import list_national_sources, probe_national_services

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

"""The demo towns' files are valid, point to addresses that the sample servers have, and say what they are."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from civitas_assets.catalog import Window, load_catalog
from civitas_assets.catalog.template import expand
from civitas_assets.connectors.lorawan.lorawan import LorawanSource
from civitas_assets.connectors.registry import SOURCE_MODELS
from civitas_assets.demo.lorawan_sender import CLIENT, TOPICS
from civitas_assets.demo.servers import find_reply
from civitas_assets.demo.towns import DOWN, write_towns

TODAY = date(2026, 8, 22)
QUEUE = "mqtt://127.0.0.1:3"


def test_every_town_is_valid_fictional_and_served(tmp_path: Path) -> None:
    towns = write_towns(tmp_path, "http://127.0.0.1:1", QUEUE)
    catalog = load_catalog(tmp_path, SOURCE_MODELS)
    assert sorted(catalog.tenants) == towns
    window = Window(date(2026, 8, 2), date(2026, 8, 21))
    for tenant in catalog.tenants.values():
        assert "fiktiv" in tenant.name
        assert tenant.ags.startswith("99")
        for name, source in tenant.sources.items():
            if isinstance(source, LorawanSource):
                assert source.queue
                assert source.queue.client_id == CLIENT.format(town=tenant.slug)
                assert source.queue.topics == (TOPICS,)
                continue
            for expansion in expand(source.url, source.each, window, 1000):
                path = urlsplit(expansion.url).path + ("/entities" if source.connector == "ngsi_ld" else "")
                found = find_reply(path, {}, "http://h", TODAY).status
                assert found == (503 if (tenant.slug, name) == DOWN else 200), (
                    f"{tenant.slug} · {name}: {path}"
                )


def test_together_the_towns_use_every_protocol_of_the_sample_servers(tmp_path: Path) -> None:
    write_towns(tmp_path, "http://127.0.0.1:1", QUEUE)
    tenants = load_catalog(tmp_path, SOURCE_MODELS).tenants.values()
    spoken = {"csv", "datex2", "excel", "gbfs", "geojson", "json", "lorawan", "ngsi_ld"}
    spoken |= {"ogc_features", "sensorthings"}
    assert {source.connector for tenant in tenants for source in tenant.sources.values()} == spoken


def test_a_file_that_would_not_change_is_left_alone(tmp_path: Path) -> None:
    write_towns(tmp_path, "http://127.0.0.1:1", QUEUE)
    file = tmp_path / "musterstadt.yaml"
    before = file.stat().st_mtime_ns
    write_towns(tmp_path, "http://127.0.0.1:1", QUEUE)
    assert file.stat().st_mtime_ns == before
    write_towns(tmp_path, "http://127.0.0.1:2", QUEUE)
    assert "http://127.0.0.1:2/musterstadt/counters" in file.read_text(encoding="utf-8")

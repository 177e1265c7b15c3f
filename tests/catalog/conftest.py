"""A folder of tenants' files, and a tenant's file that is right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from civitas_assets.catalog import Catalog, load_catalog
from civitas_assets.catalog.frame import Frame
from civitas_assets.connectors.registry import SOURCE_MODELS

RIGHT = """\
name: Musterstadt
ags: "05515000"
bbox: [7, 51.8, 7.8, 52.1]
sources:
  counters:
    title: Zählstellen
    connector: csv
    licence: dl-de/by-2-0
    url: "https://data.example/{counter}/{month:%Y-%m}.csv"
    each: {counter: ["1", "2"]}
    headers: {Authorization: {secret: TOWN_TOKEN, prefix: "Bearer "}}
    record_type: observation
    time: {column: Zeit, zone: local_wall, fold: summed, interval: 15 min}
    fields: {datastream_id: Id, value: Wert}
"""


@pytest.fixture
def right() -> str:
    """The text of a tenant's file without any fault."""
    return RIGHT


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Catalog]:
    """Writes files by slug and loads them."""

    def write_and_load(**texts: str) -> Catalog:
        for slug, text in texts.items():
            (tmp_path / f"{slug}.yaml").write_text(text, encoding="utf-8")
        return load_catalog(tmp_path, SOURCE_MODELS, Frame(secrets=("TOWN_*",)))

    return write_and_load

"""A catalogue is written in three forms that say the same, and the same way every time."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rdflib import Graph
from rdflib.compare import isomorphic

from civitas_assets.dcat.catalogue_files import check_page, write_catalogue
from civitas_assets.dcat.catalogue_graph import build_catalogue
from civitas_assets.dcat.offered_files import find_offer
from civitas_assets.dcat.open_tables import read_open_tables
from civitas_assets.errors import ExportError
from civitas_assets.ingest.catalogue import load_catalogue
from tests.dcat.conftest import OpenTown

_WRITE = """
import sys
from pathlib import Path
from rdflib import Graph
from civitas_assets.dcat.catalogue_files import write_catalogue
folder, seed = Path(sys.argv[1]), sys.argv[2]
graph = Graph().parse(folder / "town.ttl")
for form in ("turtle", "jsonld", "rdfxml"):
    write_catalogue(graph, form, folder / f"{form}-{seed}", sys.stdout.buffer)
"""


def _build(town: OpenTown) -> Graph:
    tenant = load_catalogue(town.settings).get_tenant("town")
    return build_catalogue(read_open_tables(town.settings, tenant), find_offer(town.settings, tenant))


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # rdflib itself, reading JSON-LD
@pytest.mark.parametrize(
    ("form", "read_as"), [("turtle", "turtle"), ("jsonld", "json-ld"), ("rdfxml", "xml")]
)
def test_each_form_says_the_same_every_time(town: OpenTown, tmp_path: Path, form: str, read_as: str) -> None:
    files = [tmp_path / "first", tmp_path / "second"]
    for file in files:
        assert write_catalogue(_build(town), form, file, io.BytesIO()) == 3
    assert files[0].read_bytes() == files[1].read_bytes()
    assert isomorphic(Graph().parse(files[0], format=read_as), _build(town))
    out = io.BytesIO()
    write_catalogue(_build(town), form, None, out)
    assert out.getvalue() == files[0].read_bytes()


def test_a_page_is_an_address_without_login_and_query() -> None:
    assert check_page("https://betreiber.example/daten") == "https://betreiber.example/daten"
    for wrong in (
        "betreiber.example",
        "https://a:b@betreiber.example/",
        "https://b.example/?token=x",
        "https://b/ c",
    ):
        with pytest.raises(ExportError, match="landing page must be"):
            check_page(wrong)


def test_no_order_depends_on_how_a_process_hashes(town: OpenTown, tmp_path: Path) -> None:
    write_catalogue(_build(town), "turtle", tmp_path / "town.ttl", io.BytesIO())
    for seed in ("1", "2"):
        command = [sys.executable, "-c", _WRITE, str(tmp_path), seed]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": seed})
    for form in ("turtle", "jsonld", "rdfxml"):
        first, second = ((tmp_path / f"{form}-{seed}").read_bytes() for seed in ("1", "2"))
        assert first == second, form
        assert b"municipalityKey" in first

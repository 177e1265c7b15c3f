"""A mapping is a line in the tenant's file; whatever else people have written there stays."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from civitas_assets.catalog.mappings import insert_mapping, write_mapping
from civitas_assets.errors import CatalogError

FILE = "# Our town\nname: A   # really\n\nsources: {}\n"


def test_a_section_is_added_where_there_is_none() -> None:
    text = insert_mapping(FILE, "properties", "Temp. außen: Dach", "weather.temperature")
    assert text == FILE + 'properties:\n  "Temp. außen: Dach": weather.temperature\n'


def test_lines_join_the_section_and_comments_stay() -> None:
    text = FILE + 'units:\n  # ours\n  "µ": ug/m3\n\nshare: []\n'
    text = insert_mapping(text, "units", "Grad", "Cel")
    assert text == FILE + 'units:\n  # ours\n  "µ": ug/m3\n  "Grad": "Cel"\n\nshare: []\n'


def test_a_known_spelling_gets_its_new_meaning() -> None:
    once = insert_mapping(FILE, "units", 'a"b', "%")
    again = insert_mapping(insert_mapping(once, "units", "c", "m"), "units", 'a"b', "Cel")
    assert yaml.safe_load(again)["units"] == {'a"b': "Cel", "c": "m"}


def test_a_section_in_one_line_is_left_to_people(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(FILE + "units: {a: m}\n", encoding="utf-8")
    with pytest.raises(CatalogError, match="line by line"):
        write_mapping(file, "units", "b", "m")
    assert file.read_text(encoding="utf-8") == FILE + "units: {a: m}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a.yaml"]

"""A tenant's file is measured before anything is made of it: size, depth, values with aliases, and texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from civitas_assets.catalog.yaml_text import YamlBounds, parse_yaml, read_body
from civitas_assets.errors import CatalogError

LOW = YamlBounds(size=200, depth=3, nodes=12, text=20)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\nb: [[[1]]]\n", 2, "nested over 3 levels"),
        ("a: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]\n", 1, "over 12 values"),
        ("a: &a [1, 2, 3, 4]\nb: *a\nc: *a\n", 2, "over 12 values, with every alias written out"),
        ("a: &a {x: 1}\nb:\n  - {<<: *a}\n  - {<<: *a}\n  - {<<: *a}\n", 4, "over 12 values"),
        ("a: &a [*a]\n", 1, "*a stands within itself"),
        ("a:\n  b: 'one text that is too long'\n", 2, "text of over 20 characters"),
        ("a: 2026-13-45\n", 1, "is not valid YAML"),
        ("? [a]\n: b\n", 1, "is not valid YAML"),
    ],
)
def test_what_is_over_a_bound_is_named_with_its_line(text: str, line: int, message: str) -> None:
    with pytest.raises(CatalogError) as caught:
        parse_yaml("muster.yaml", text.encode(), LOW)
    (fault,) = caught.value.faults
    assert (fault.line, message in fault.message) == (line, True), fault


def test_aliases_within_the_bounds_are_as_good_as_what_they_stand_for() -> None:
    _, content = parse_yaml("muster.yaml", b"a: &a [1, 2]\nb: *a\n", LOW)
    assert content == {"a": [1, 2], "b": [1, 2]}


def test_of_a_large_file_no_more_than_the_bound_is_read(tmp_path: Path) -> None:
    (tmp_path / "muster.yaml").write_text("#" * 201, encoding="utf-8")
    with pytest.raises(CatalogError, match="over 200 bytes"):
        read_body(tmp_path / "muster.yaml", LOW)


def test_what_is_no_file_is_a_fault_and_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "muster.yaml").mkdir()
    with pytest.raises(CatalogError, match="is no file"):
        read_body(tmp_path / "muster.yaml", LOW)


def test_a_link_that_leads_out_of_the_folder_is_not_read(tmp_path: Path) -> None:
    """What it leads to may be another's; Kubernetes has links to within the folder."""
    folder, secret = tmp_path / "tenants", tmp_path / "secrets.env"
    (folder / "..data").mkdir(parents=True)
    secret.write_text("canary: 17")
    (folder / "..data" / "berta.yaml").write_text("name: Berta")
    (folder / "anton.yaml").symlink_to(secret)
    (folder / "berta.yaml").symlink_to(folder / "..data" / "berta.yaml")
    assert read_body(folder / "berta.yaml") == b"name: Berta"
    (tmp_path / "link").symlink_to(folder)
    assert read_body(tmp_path / "link" / "berta.yaml") == b"name: Berta"
    with pytest.raises(CatalogError, match="leads out of the folder"):
        read_body(folder / "anton.yaml")

"""The matrix of what was tried names tests that there are, and numbers its rows."""

from __future__ import annotations

import re

from civitas_assets.settings import PROJECT_DIR

MATRIX = (PROJECT_DIR / "docs" / "security" / "matrix.md").read_text(encoding="utf-8")


def test_every_test_that_the_matrix_names_is_there() -> None:
    named = re.findall(r"`(tests/[\w/.]+?\.py)(?:::(\w+))?`", MATRIX)
    assert len(named) > 30
    for path, function in named:
        file = PROJECT_DIR / path
        assert file.is_file(), path
        text = file.read_text(encoding="utf-8")
        assert re.search(rf"^def {function or 'test_'}", text, re.MULTILINE), f"{path}::{function}"


def test_every_row_has_a_number_of_its_own_and_a_test() -> None:
    rows = re.findall(r"^\| ([SP]\d+) \|(.*)$", MATRIX, re.MULTILINE)
    assert [name for name, _ in rows if name.startswith("S")] == [f"S{n}" for n in range(1, 23)]
    assert len({name for name, _ in rows}) == len(rows)
    assert all("tests/" in row for _, row in rows)

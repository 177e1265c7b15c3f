"""The matrix of what was tried names tests that there are, and numbers its rows."""

from __future__ import annotations

import re

from civitas_assets.settings import PROJECT_DIR

FOLDER = PROJECT_DIR / "docs" / "security"
MATRIX = (FOLDER / "matrix.md").read_text(encoding="utf-8")


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
    assert [name for name, _ in rows if name.startswith("S")] == [f"S{n}" for n in range(1, 24)]
    assert len({name for name, _ in rows}) == len(rows)
    assert all("tests/" in row for _, row in rows)


def test_every_page_names_the_same_tests_row_by_row_in_both_languages() -> None:
    """Translations that name other tests, or lack a row, tell two stories."""
    translated = [file for file in FOLDER.glob("*.md") if (FOLDER / f"{file.stem}.de.md").is_file()]
    assert len(translated) == len([*FOLDER.glob("*.de.md")]) == len([*FOLDER.glob("*.md")]) / 2
    for page in translated:
        said = [
            [
                re.findall(r"`(tests/[^`]+)`", row)
                for row in file.read_text(encoding="utf-8").splitlines()
                if row[:1] == "|"
            ]
            for file in (page, FOLDER / f"{page.stem}.de.md")
        ]
        assert said[0] == said[1], page.name

"""The package keeps its own rules: who may import what, who reads the environment, and who catches everything."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

import civitas_assets

PACKAGE = Path(civitas_assets.__file__).parent
MODULES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def trees() -> dict[str, ast.Module]:
    """Parsed by the process alone that runs these tests."""
    return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def imports(tree: ast.AST, *, deferred: bool = True) -> Iterator[str]:
    """Top-level packages that a module imports; without the deferred ones, only those of importing it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not deferred:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
        yield from imports(node, deferred=deferred)


@cache
def imports_of_modules(*, deferred: bool) -> dict[str, set[str]]:
    return {name: {*imports(tree, deferred=deferred)} for name, tree in trees().items()}


def importers(package: str, *, deferred: bool = True) -> set[str]:
    return {name for name, found in imports_of_modules(deferred=deferred).items() if package in found}


def within(*places: str) -> set[str]:
    return {name for name in MODULES if name.startswith(places)}


def test_only_the_dagster_layer_imports_dagster() -> None:
    assert importers("dagster", deferred=False) <= within("defs/", "definitions.py")
    assert importers("dagster") <= within("defs/", "definitions.py", "cli/", "demo/")


@pytest.mark.parametrize(
    ("package", "places"),
    [
        ("duckdb", ("harmonise/", "publish/", "catalog/vocabulary.py")),
        ("httpx2", ("connectors/transport/",)),
        ("paramiko", ("connectors/transport/sftp_folder.py",)),
        ("parkapi_sources", ("connectors/parkapi/parkapi_reading.py",)),
        ("requests", ("connectors/parkapi/parkapi_reading.py",)),  # its type of an answer; nothing asks by it
        ("dbt", ("harmonise/",)),
        ("yaml", ("catalog/", "harmonise/own_models.py")),
        ("prometheus_client", ("overview/prometheus.py",)),
        ("pyproj", ("records/position.py", "records/geometry.py", "catalog/known_names.py")),
        ("shapely", ("records/geometry.py", "records/geometry_forms.py")),
        ("apprise", ("messages/delivery.py",)),
        ("xml", ("connectors/", "demo/datex2_server.py", "discover/kinds/")),
        ("fcntl", ("store/locks.py", "audit/log.py")),
    ],
)
def test_a_library_is_known_to_one_place_only(package: str, places: tuple[str, ...]) -> None:
    found = importers(package)
    assert found, f"nothing imports {package}: this test guards nothing"
    assert found <= within(*places)


def test_tests_and_benchmarks_share_what_is_in_the_testbed_and_nothing_else() -> None:
    known = {"tests": {"benchmarks"}, "benchmarks": {"tests"}, "testbed": {"benchmarks", "tests"}}
    root, wrong = PACKAGE.parent, list[str]()
    for folder, forbidden in known.items():
        files = sorted((root / folder).rglob("*.py"))
        assert files, "this test guards nothing"
        for file in files:
            if forbidden & {*imports(ast.parse(file.read_text(encoding="utf-8")))}:
                wrong.append(file.relative_to(root).as_posix())
    assert not wrong, f"servers and helpers for both belong in testbed, not in what {wrong} import"


def reads_environment(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and any(
            alias.name in {"environ", "getenv", "putenv"} for alias in node.names
        )
    return (
        isinstance(node, ast.Attribute)
        and node.attr in {"environ", "getenv", "putenv"}
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    )


def catches_everything(node: ast.AST) -> bool:
    if not isinstance(node, ast.ExceptHandler):
        return False
    caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(
        kind is None or (isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"})
        for kind in caught
    )


def prints(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"


def places_of(matches: Callable[[ast.AST], bool]) -> list[str]:
    """The module of each node that matches."""
    return [name for name, tree in trees().items() for node in ast.walk(tree) if matches(node)]


def test_only_the_settings_read_the_environment() -> None:
    assert {*places_of(reads_environment)} == {"settings.py"}


def test_two_places_catch_everything() -> None:
    """What a source does to its reading, and what a package of others does as it is loaded."""
    assert places_of(catches_everything) == ["connectors/registry.py", "ingest/isolation.py"]


def test_nothing_prints_past_the_command_line() -> None:
    assert {*places_of(prints)} <= within("cli/", "demo/")


@pytest.mark.parametrize("name", MODULES)
def test_a_module_opens_with_a_sentence_about_what_is_in_it(name: str) -> None:
    text = ast.get_docstring(trees()[name])
    assert text, "no module docstring"
    first = text.partition("\n\n")[0]
    assert first.endswith("."), first


@pytest.mark.parametrize("name", MODULES)
def test_whatever_others_may_use_is_described(name: str) -> None:
    bare = [
        node.name
        for node in trees()[name].body
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert not bare


def test_there_is_no_drawer_for_odds_and_ends() -> None:
    assert not {Path(name).stem for name in MODULES} & {"utils", "util", "helpers", "misc", "common"}


def test_a_module_that_a_text_names_is_there() -> None:
    """By its path, or by its name alone where it is in the same package."""
    mentions = [
        (name, found)
        for name, path in MODULES.items()
        for found in re.findall(r"`((?:\w+/)*\w+\.py)`", path.read_text(encoding="utf-8"))
    ]
    assert len(mentions) > 50, "this test guards nothing"
    gone = [
        (name, found)
        for name, found in mentions
        if not any(
            f"/{other}".endswith(f"/{found}")
            and ("/" in found or other.split("/")[0] in {name.split("/")[0], found})
            for other in MODULES
        )
    ]
    assert not gone

"""What is relied on of dbt in Python: one module calls it, by what it documents; another version fails here first."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import civitas_assets

PACKAGE = Path(civitas_assets.__file__).parent


def _imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.partition(".")[0] == "dbt"}


def test_one_module_calls_dbt_by_its_documented_entry() -> None:
    found = {path.relative_to(PACKAGE).as_posix(): _imported(path) for path in PACKAGE.rglob("*.py")}
    assert {name: names for name, names in found.items() if names} == {
        "harmonise/dbt.py": {"dbt.cli.main.dbtRunner"}
    }


def test_the_entry_takes_a_manifest_and_says_how_it_went() -> None:
    """Read and not imported, which takes seconds."""
    spec = importlib.util.find_spec("dbt.cli")
    assert spec is not None
    assert spec.submodule_search_locations
    tree = ast.parse((Path(spec.submodule_search_locations[0]) / "main.py").read_text("utf-8"))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    methods = {node.name: node for node in classes["dbtRunner"].body if isinstance(node, ast.FunctionDef)}
    assert "manifest" in {argument.arg for argument in methods["__init__"].args.args}
    assert "invoke" in methods
    fields = {
        node.target.id
        for node in classes["dbtRunnerResult"].body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    assert {"success", "exception", "result"} <= fields

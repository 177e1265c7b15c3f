"""Names say what they name: functions begin with a verb, and no two classes or modules are called alike.

docs/naming.md has the rules; whoever needs another verb adds it to the list.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import civitas_assets

PACKAGE = Path(civitas_assets.__file__).parent
_VERBS = """
    accept add announce answer append apply archive ask assign bind bring build call capture change check
    choose claim clean clear clip close collect combine compact compare compile complete compose confirm
    connect convert copy count crawl create decode delete deliver derive describe detect discard discover drain
    draw drop enclose encode enforce ensure erase escape exit expand explain export extract fetch fill find finish
    forget fork format gather get grant group guard gunzip hand harmonise hash hold identify inflate
    insert join keep land limit list load locate make map mask match measure merge move name normalise
    note notify open order parse plan prepare probe project propose publish qualify quote raise read
    record redact refresh rehearse release remember remove render replace replay report require resize
    resolve restore retry rewrite run sanitize scan score search select send separate serve set share shorten
    show sort split stage start step stop store strip suggest summarise swap sync take trace unescape
    unpack unshare unzip update validate wait widen write
"""
VERBS = frozenset(_VERBS.split())
QUESTIONS = frozenset({"can", "exists", "has", "holds", "is", "may"})
PREPOSITIONS = frozenset({"to", "from", "with", "for"})  # conversions, constructors, copies
VALUES = frozenset({"key", "sql"})  # the last word of what gives such a value and does nothing else
COMMAND = frozenset({"command", "callback"})  # decorators: it is called like what one types
ENTRY_POINTS = frozenset({"definitions.defs", "cli/__init__.main"})


def _is_command(function: ast.FunctionDef) -> bool:
    called = (each.func if isinstance(each, ast.Call) else each for each in function.decorator_list)
    return any(isinstance(each, ast.Attribute) and each.attr in COMMAND for each in called)


@cache
def _trees() -> dict[str, ast.Module]:
    return {
        path.relative_to(PACKAGE).with_suffix("").as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def _says_what_it_does(name: str) -> bool:
    first, *others = name.split("_")
    return first in VERBS | QUESTIONS | PREPOSITIONS or (bool(others) and others[-1] in VALUES)


def _public_functions(body: list[ast.stmt]) -> Iterator[ast.FunctionDef]:
    for node in body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node


def test_a_public_function_says_what_it_does() -> None:
    functions = [(module, f) for module, tree in _trees().items() for f in _public_functions(tree.body)]
    assert len(functions) > 400, "this test guards nothing"
    nouns = [
        name
        for module, function in functions
        if not _says_what_it_does(function.name) and not _is_command(function)
        if (name := f"{module}.{function.name}") not in ENTRY_POINTS
    ]
    assert not nouns, "see docs/naming.md"


def test_a_method_that_others_implement_says_what_it_does() -> None:
    protocols = [
        (module, node)
        for module, tree in _trees().items()
        for node in tree.body
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "Protocol" for base in node.bases)
    ]
    assert len(protocols) > 5, "this test guards nothing"
    nouns = [
        f"{module}.{protocol.name}.{method.name}"
        for module, protocol in protocols
        for method in _public_functions(protocol.body)
        if not method.decorator_list and not _says_what_it_does(method.name)
    ]
    assert not nouns, "see docs/naming.md"


def test_a_class_has_its_name_for_itself() -> None:
    places = defaultdict[str, list[str]](list)
    for module, tree in _trees().items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(module)
    assert len(places) > 100, "this test guards nothing"
    assert not {name: modules for name, modules in places.items() if len(modules) > 1}


def test_a_module_has_its_name_for_itself() -> None:
    places = defaultdict[str, list[str]](list)
    for module in _trees():
        stem = module.rpartition("/")[2]
        if not stem.startswith("_") and not module.startswith("cli/"):  # called like commands
            places[stem].append(module)
    assert len(places) > 100, "this test guards nothing"
    assert not {name: modules for name, modules in places.items() if len(modules) > 1}

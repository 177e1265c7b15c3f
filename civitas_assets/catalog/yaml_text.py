"""A tenant's file as YAML, within bounds: it is a stranger's, and is measured before anything is made of it.

What it says is looked at in `load.py` and `outline.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from civitas_assets.errors import CatalogError, Fault

# The loader in C is ten times as fast, where PyYAML was built with it.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@dataclass(frozen=True)
class YamlBounds:
    """The largest file: bytes, levels of nesting, nodes with every alias written out, characters of one text."""

    size: int = 1024 * 1024
    depth: int = 32
    nodes: int = 100_000
    text: int = 65_536


BOUNDS = YamlBounds()


def locate_file(folder: Path, stem: str) -> Path:
    """The file of the folder that is called so, with either ending; where there is none, the one there would be."""
    return next((file for file in sorted(folder.glob(f"{stem}.y*ml"))), folder / f"{stem}.yaml")


def read_body(file: Path, bounds: YamlBounds = BOUNDS) -> bytes:
    """The bytes of a tenant's file.

    Raises:
        CatalogError: it cannot be read, or is too large.
    """
    try:
        if not file.is_file():
            raise CatalogError([Fault(file.name, 0, "", "is no file")])
        # What such a link leads to is not the tenant's, and faults would quote it. Links of a ConfigMap stay within.
        if file.is_symlink() and not file.resolve().is_relative_to(file.parent.resolve()):
            raise CatalogError(
                [Fault(file.name, 0, "", "is a link that leads out of the folder: put the file here")]
            )
        with file.open("rb") as opened:
            body = opened.read(bounds.size + 1)
    except OSError as error:
        raise CatalogError(
            [Fault(file.name, 0, "", f"cannot be read: {error.strerror or type(error).__name__}")]
        ) from None
    if len(body) > bounds.size:
        raise CatalogError(
            [Fault(file.name, 1, "", f"has over {bounds.size} bytes; a tenant's file has a few thousand")]
        )
    return body


def parse_yaml(name: str, body: bytes, bounds: YamlBounds = BOUNDS) -> tuple[yaml.Node | None, Any]:
    """The nodes of a file, which know their lines, and its content.

    Raises:
        CatalogError: it is no YAML in UTF-8, or over the bounds; with the line.
    """
    try:
        text = body.decode()
        _measure(name, text, bounds)
        loader = _LOADER(text)
        node = loader.get_single_node()
        if "<<" in text:  # to merge them, the nodes are changed, which say what is written where
            return node, yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader
        return node, loader.construct_document(node) if node is not None else None
    except UnicodeDecodeError:
        raise CatalogError([Fault(name, 1, "", "is not UTF-8 text")]) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CatalogError([Fault(name, line, "", f"is not valid YAML: {error.problem}")]) from None
    except (
        yaml.YAMLError,
        ValueError,
        OverflowError,
    ) as error:  # dates and numbers that there cannot be, too
        raise CatalogError([Fault(name, 1, "", f"is not valid YAML: {error}")]) from None


def to_yaml(content: Any) -> str:
    """The text of a file with this content, in its order."""
    text: str = yaml.dump(content, Dumper=_DUMPER, allow_unicode=True, sort_keys=False, width=110)
    return text


def to_literal_yaml(content: Any) -> str:
    """The same for readers that put variables of the environment in the place of ${NAME} in texts without quotes."""
    text: str = yaml.dump(content, Dumper=_Quoting, allow_unicode=True, sort_keys=False, width=110)
    return text


class _Quoting(yaml.SafeDumper):
    """Quotes texts that would be taken for more than they say."""


def _quote(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if "${" in text else None)


_Quoting.add_representer(str, _quote)


def _measure(name: str, text: str, bounds: YamlBounds) -> None:
    """Count as the parser goes, so that nothing is built of a file that is over the bounds."""

    def over(what: str, mark: Any) -> CatalogError:
        return CatalogError([Fault(name, mark.line + 1, "", what)])

    open_at: list[
        tuple[str | None, int]
    ] = []  # the anchor of each collection that is not closed, nodes before it
    sizes: dict[str, int] = {}  # nodes below each anchor, aliases written out
    nodes = 0
    for event in _events(text):
        mark = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            if any(event.anchor == anchor for anchor, _ in open_at):
                raise over(f"*{event.anchor} stands within itself", mark)
            nodes += sizes.get(event.anchor or "", 1)
        elif isinstance(event, yaml.ScalarEvent):
            nodes += 1
            if event.anchor:
                sizes[event.anchor] = 1
            if len(event.value) > bounds.text:
                raise over(f"has a text of over {bounds.text} characters", mark)
        elif isinstance(event, yaml.CollectionStartEvent):
            open_at.append((event.anchor, nodes))
            nodes += 1
            if len(open_at) > bounds.depth:
                raise over(f"is nested over {bounds.depth} levels deep", mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_at.pop()
            if anchor:
                sizes[anchor] = nodes - before
        if nodes > bounds.nodes:
            raise over(f"has over {bounds.nodes} values, with every alias written out", mark)


def _events(text: str) -> Iterator[Any]:
    return yaml.parse(text, Loader=_LOADER)

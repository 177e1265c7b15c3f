"""What of a JSON document some paths look at: what they leave out can be named, or dropped before it is stored.

An expression is followed without data; where its steps cannot be told apart, as in a function, all of what it is
given counts as looked at.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from civitas_assets.connectors.mapping.paths import compile_path
from civitas_assets.connectors.mapping.service_rows import UNREADABLE
from civitas_assets.errors import ReadError


class Each(enum.Enum):
    """A step into every element of a list, or into every member of an object whatever its name."""

    ITEM = enum.auto()
    MEMBER = enum.auto()


@dataclass(eq=False)
class Projection:
    """A place in the document: whether it counts as a whole, or as a number or truth, and the steps from it on."""

    whole: bool = False
    number: bool = False
    steps: dict[str | int | Each, Projection] = field(default_factory=dict)

    def step(self, key: str | int | Each) -> Projection:
        """The place one step further."""
        return self.steps.setdefault(key, Projection())

    def follow(self, path: str) -> list[Projection]:
        """The places that the path leads to, as a value; none where it makes one of its own."""
        found = _visit(compile_path(path).parsed, _Found([self]))
        return [] if found.depth else found.places

    def resolve_items(self, path: str) -> list[Projection]:
        """The places of the elements of the list that the path leads to; none where it makes one of its own."""
        found = _elements(_visit(compile_path(path).parsed, _Found([self])))
        return [] if found.depth else found.places

    def include(self, path: str) -> None:
        """Count what the path leads to."""
        _count(_visit(compile_path(path).parsed, _Found([self])))


def project_document(body: bytes, reach: Projection) -> bytes:
    """The document with nothing but what counts.

    Raises:
        ReadError: it is not JSON.
    """
    try:
        return msgspec.json.encode(project_value(msgspec.json.decode(body), [reach]))
    except UNREADABLE as error:
        raise ReadError(f"is not the JSON that was declared: {error}") from None


def project_value(value: Any, places: Sequence[Projection]) -> Any:
    """The value with nothing but what counts at these places; lists keep their order, and values their kind."""
    if any(place.whole for place in places):
        return value
    if isinstance(value, int | float) and any(place.number for place in places):
        return value
    if isinstance(value, dict):
        inner = {key: _inner(places, key, Each.MEMBER) for key in value}
        return {key: project_value(value[key], further) for key, further in inner.items() if further}
    if isinstance(value, list):
        ways = [_inner(places, n, n - len(value), Each.ITEM) for n in range(len(value))]
        last = max((n for n, further in enumerate(ways) if further), default=-1)
        return [
            project_value(item, further) if further else None
            for item, further in zip(value[: last + 1], ways, strict=False)
        ]
    return None if value is None else type(value)()


def drop_projected(value: Any, places: Sequence[Projection]) -> Any:
    """The value without what counts at these places; None where nothing is left. Lists count as a whole, or not."""
    if any(place.whole for place in places):
        return None
    if not any(place.steps for place in places):
        return value
    if isinstance(value, dict):
        left = {
            key: drop_projected(inner, further) if (further := _inner(places, key, Each.MEMBER)) else inner
            for key, inner in value.items()
        }
        return {key: inner for key, inner in left.items() if inner is not None} or None
    return None


def list_unprojected(value: Any, places: Sequence[Projection], prefix: str = "") -> Iterator[str]:
    """The dotted names of members that do not count; an object without members has nothing that could."""
    if any(place.whole for place in places):
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            if further := _inner(places, key, Each.MEMBER):
                yield from list_unprojected(inner, further, f"{prefix}{key}.")
            elif inner != {}:
                yield f"{prefix}{key}"
    elif isinstance(value, list) and (further := _inner(places, Each.ITEM)):
        for item in value:
            yield from list_unprojected(item, further, prefix)


def _inner(places: Iterable[Projection], *keys: str | int | Each) -> list[Projection]:
    return [place.steps[key] for place in places for key in keys if key in place.steps]


@dataclass(frozen=True)
class _Found:
    """Places of the document, `depth` lists deep in lists that the expression itself has made."""

    places: list[Projection]
    depth: int = 0


_NOTHING = _Found([])


def _visit(node: Mapping[str, Any], at: _Found) -> _Found:
    kind, children = node["type"], node["children"]
    if kind in {"current", "identity"}:
        return at
    if kind in {"subexpression", "index_expression", "pipe"}:
        for child in children:
            at = _visit(child, at)
        return at
    if kind in _STEPS:
        return _STEPS[kind](node, at)
    # What a condition or a function is given decides its result.
    for child in children:
        if isinstance(child, dict):
            _count(_visit(child, at))
    return _NOTHING


def _count(found: _Found) -> None:
    for place in found.places:
        place.whole = True


def _elements(found: _Found) -> _Found:
    if found.depth:
        return _Found(found.places, found.depth - 1)
    return _Found([place.step(Each.ITEM) for place in found.places])


def _joined(found: Sequence[_Found]) -> _Found:
    if len({each.depth for each in found}) == 1:
        return _Found([place for each in found for place in each.places], found[0].depth)
    for each in found:
        _count(each)
    return _NOTHING


def _field(node: Mapping[str, Any], at: _Found) -> _Found:
    return _NOTHING if at.depth else _Found([place.step(node["value"]) for place in at.places])


def _index(node: Mapping[str, Any], at: _Found) -> _Found:
    return _elements(at) if at.depth else _Found([place.step(node["value"]) for place in at.places])


def _slice(_: Mapping[str, Any], at: _Found) -> _Found:
    found = _elements(at)
    return _Found(found.places, found.depth + 1)


def _flatten(node: Mapping[str, Any], at: _Found) -> _Found:
    found = _elements(_visit(node["children"][0], at))
    # An element that is a list gives its own elements, any other itself.
    return found if found.depth else _Found([*found.places, *_elements(found).places], 1)


def _projection(node: Mapping[str, Any], at: _Found) -> _Found:
    left, right = node["children"]
    found = _visit(right, _elements(_visit(left, at)))
    return _Found(found.places, found.depth + 1)


def _filter(node: Mapping[str, Any], at: _Found) -> _Found:
    left, right, condition = node["children"]
    elements = _elements(_visit(left, at))
    _count(_visit(condition, elements))
    found = _visit(right, elements)
    return _Found(found.places, found.depth + 1)


def _values(node: Mapping[str, Any], at: _Found) -> _Found:
    left, right = node["children"]
    inner = _visit(left, at)
    members = _NOTHING if inner.depth else _Found([place.step(Each.MEMBER) for place in inner.places])
    found = _visit(right, members)
    return _Found(found.places, found.depth + 1)


def _either(node: Mapping[str, Any], at: _Found) -> _Found:
    found = [_visit(child, at) for child in node["children"]]
    _count(found[0])  # whether it is empty decides
    return _joined(found)


def _list(node: Mapping[str, Any], at: _Found) -> _Found:
    found = _joined([_visit(child, at) for child in node["children"]])
    return _Found(found.places, found.depth + 1)


_STEPS: Mapping[str, Callable[[Mapping[str, Any], _Found], _Found]] = {
    "and_expression": _either,
    "expref": lambda _, __: _NOTHING,  # looks into what its function is given, which counts as a whole
    "field": _field,
    "filter_projection": _filter,
    "flatten": _flatten,
    "index": _index,
    "multi_select_list": _list,
    "or_expression": _either,
    "projection": _projection,
    "slice": _slice,
    "value_projection": _values,
}

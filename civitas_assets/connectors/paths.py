"""Reading JSON records into columns: where the records are, and which path in each fills which field.

Plain dotted paths are decoded straight into typed structures; any other JMESPath works, at the price of a
slower walk.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping, Sequence
from typing import Any

import jmespath
import msgspec
import polars as pl

from civitas_assets.connectors.rows import UNREADABLE
from civitas_assets.errors import ReadError

_PLAIN = re.compile(r"[^.\[\]|(){}*?&!<>=\"'`,@\s]+(\.[^.\[\]|(){}*?&!<>=\"'`,@\s]+)*")
_Scalar = str | int | float | bool | None


def is_plain(path: str) -> bool:
    """Whether a path only names keys, so that records can be decoded straight into columns."""
    return _PLAIN.fullmatch(path) is not None


def valid_path(path: str) -> str:
    """The path, if it is plain or a JMESPath expression."""
    if not is_plain(path):
        try:
            jmespath.compile(path)
        except jmespath.exceptions.JMESPathError as error:
            raise ValueError(f"is no JMESPath expression: {_first_line(error)}") from None
    return path


def records_at(body: bytes, path: str) -> bytes:
    """The JSON text of the list of records.

    Raises:
        ReadError: the body is not JSON, or there is no list at the path.
    """
    found = _part(body, path)
    if not found.lstrip()[:1] == b"[":
        raise ReadError(f"has no list of records at {path or 'its top level'}: check records")
    return found


def members_at(body: bytes, path: str) -> tuple[list[str], bytes]:
    """The names of an object's members, and the JSON text of the list of what they hold.

    Raises:
        ReadError: the body is not JSON, or there is no object at the path.
    """
    try:
        members = msgspec.json.decode(_part(body, path), type=dict[str, msgspec.Raw])
    except UNREADABLE:
        raise ReadError(f"has no object at {path or 'its top level'}: check records and key") from None
    return [*members], msgspec.json.encode([*members.values()])


def _part(body: bytes, path: str) -> bytes:
    """The JSON text at the path."""
    try:
        if path in {"", "@"}:
            return body
        if is_plain(path):
            return _walk(body, path)
        return msgspec.json.encode(jmespath.search(path, msgspec.json.decode(body)))
    except UNREADABLE as error:
        raise ReadError(f"is not the JSON that was declared: {error}") from None
    except jmespath.exceptions.JMESPathError as error:
        raise ReadError(f"does not fit the path {path!r}: {_first_line(error)}") from None


def _walk(body: bytes, path: str) -> bytes:
    raw = msgspec.Raw(body)
    for key in path.split("."):
        inner = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        if key not in inner:
            raise ReadError(f"has no key {key!r} of {path!r}; it has {', '.join(inner)}")
        raw = inner[key]
    return bytes(raw)


def columns_of(records: bytes, fields: Mapping[str, str]) -> pl.DataFrame:
    """One column per field; values keep their JSON type where a column has one, and are text where several.

    Raises:
        ReadError: the records are not a list of objects.
    """
    names, paths = list(fields), list(fields.values())
    values: Sequence[Sequence[Any]] | None = None
    if all(map(is_plain, paths)) and not any(b.startswith(f"{a}.") for a in paths for b in paths):
        values = _decoded(records, paths)
    if values is None:
        values = _searched(records, paths)
    return pl.DataFrame([series(name, column) for name, column in zip(names, values, strict=True)])


def _decoded(records: bytes, paths: Sequence[str]) -> list[list[Any]] | None:
    """The fast way: a structure made for these paths, decoded and taken apart column by column."""
    structure, attributes = _structure(paths)
    try:
        decoded = msgspec.json.decode(records, type=list[structure])  # type: ignore[valid-type]
        return [list(map(operator.attrgetter(attribute), decoded)) for attribute in attributes]
    except (*UNREADABLE, AttributeError):
        # An object or list where a value was expected, or null where an object was: the general way copes,
        # and says what is wrong if it is no JSON at all.
        return None


def _structure(paths: Sequence[str]) -> tuple[type[msgspec.Struct], list[str]]:
    tree: dict[str, Any] = {}
    for path in paths:
        node = tree
        *outer, last = path.split(".")
        for key in outer:
            node = node.setdefault(key, {})
        node[last] = None
    attributes: dict[tuple[str, ...], str] = {}
    root = _struct_of(tree, (), "", attributes)
    return root, [attributes[tuple(path.split("."))] for path in paths]


def _struct_of(
    tree: Mapping[str, Any], place: tuple[str, ...], prefix: str, attributes: dict[tuple[str, ...], str]
) -> type[msgspec.Struct]:
    fields: list[tuple[str, Any, Any]] = []
    names: dict[str, str] = {}
    for number, (key, inner) in enumerate(tree.items()):
        attribute = f"f{number}"
        names[attribute] = key
        attributes[(*place, key)] = f"{prefix}{attribute}"
        if inner is None:
            fields.append((attribute, _Scalar, None))
        else:
            nested = _struct_of(inner, (*place, key), f"{prefix}{attribute}.", attributes)
            fields.append((attribute, nested | None, msgspec.field(default_factory=nested)))
    return msgspec.defstruct("Record", fields, rename=names, gc=False)


def _searched(records: bytes, paths: Sequence[str]) -> list[list[Any]]:
    try:
        # With paths such as [2], a record may be a list whose elements have their meaning by position.
        record = dict[str, Any] if all(map(is_plain, paths)) else dict[str, Any] | list[Any]
        decoded = msgspec.json.decode(records, type=list[record])  # type: ignore[valid-type]
    except UNREADABLE as error:
        raise ReadError(f"is not a list of objects in JSON: {error}") from None
    compiled = [jmespath.compile(_quoted(path) if is_plain(path) else path) for path in paths]
    try:
        return [[expression.search(record) for record in decoded] for expression in compiled]
    except jmespath.exceptions.JMESPathError as error:
        raise ReadError(f"does not fit the paths of its fields: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _quoted(path: str) -> str:
    return ".".join(f'"{key}"' for key in path.split("."))


def series(name: str, values: Sequence[Any]) -> pl.Series:
    """A column of JSON values: of one simple type as that type, else all of them as text."""
    try:
        column = pl.Series(name, values, strict=True)
    except (TypeError, OverflowError, pl.exceptions.PolarsError):
        column = None
    if column is not None and not column.dtype.is_nested() and column.dtype != pl.Object:
        return column
    return pl.Series(name, [_text(value) for value in values], pl.String)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()

"""Reading JSON records into columns: where the records are, and which path in each fills which field.

Plain dotted paths are decoded straight into typed structures; any other JMESPath works, at the price of a
slower walk.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Container, Mapping, Sequence
from typing import Any

import jmespath
import jmespath.parser
import msgspec
import polars as pl

from civitas_assets.connectors.mapping.service_rows import UNREADABLE, Json
from civitas_assets.errors import ReadError

_PLAIN = re.compile(r"[^.\[\]|(){}*?&!<>=\"'`,@\s]+(\.[^.\[\]|(){}*?&!<>=\"'`,@\s]+)*")
_LIST = re.compile(rb"\s*\[")
_POSITION = re.compile(r"\[\d+\]")
_Scalar = str | int | float | bool | None
_NULL = msgspec.Raw(b"null")
_MOST_WHOLE = 2.0**53


def is_plain(path: str) -> bool:
    """Whether a path only names keys, so that records can be decoded straight into columns."""
    return _PLAIN.fullmatch(path) is not None


def validate_path(path: str) -> str:
    """The path, if it is plain or a JMESPath expression."""
    if not is_plain(path):
        try:
            jmespath.compile(path)
        except jmespath.exceptions.JMESPathError as error:
            raise ValueError(f"is no JMESPath expression: {_first_line(error)}") from None
    return path


def extract_records(body: bytes, path: str, members: Mapping[str, msgspec.Raw] | None = None) -> Json:
    """The JSON text of the list of records; `members` are those of the body, where they are known already.

    Raises:
        ReadError: the body is not JSON, or there is no list at the path.
    """
    found = extract_part(body, path, members)
    if not _LIST.match(found):
        raise ReadError(
            _why_none(body) or f"has no list of records at {path or 'its top level'}: check records"
        )
    return found


def _why_none(body: bytes) -> str:
    """Why a body holds no records at all; empty where it is JSON."""
    if not body.strip():
        return "is empty"
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except UNREADABLE as error:
        markup = " but markup, such as XML or a page" if body.lstrip().startswith(b"<") else f": {error}"
        return f"is no JSON{markup}"
    return ""


def extract_part(body: bytes, path: str, members: Mapping[str, msgspec.Raw] | None = None) -> Json:
    """The JSON text at the path; `members` are those of the body, where they are known already.

    Raises:
        ReadError: the body is not JSON, or does not fit the path.
    """
    try:
        if path in {"", "@"}:
            return body
        if is_plain(path):
            return _walk(body, path, members)
        return msgspec.json.encode(jmespath.search(path, msgspec.json.decode(body)))
    except UNREADABLE as error:
        raise ReadError(f"is not the JSON that was declared: {error}") from None
    except jmespath.exceptions.JMESPathError as error:
        raise ReadError(f"does not fit the path {path!r}: {_first_line(error)}") from None


def _walk(body: bytes, path: str, members: Mapping[str, msgspec.Raw] | None) -> Json:
    found: Json = body
    for key in path.split("."):
        inner = members or msgspec.json.decode(found, type=dict[str, msgspec.Raw])
        if key not in inner:
            raise ReadError(f"has no key {key!r} of {path!r}; it has {', '.join(inner)}")
        found, members = inner[key], None
    return found


def extract_columns(records: Json, fields: Mapping[str, str]) -> pl.DataFrame:
    """One column per field; values keep their JSON type where a column has one, and are text where several.

    Raises:
        ReadError: the records are not a list of objects.
    """
    values = extract_values(records, [*fields.values()])
    return pl.DataFrame([to_series(name, column) for name, column in zip(fields, values, strict=True)])


def extract_values(records: Json, paths: Sequence[str], raw: Container[str] = ()) -> list[list[Any]]:
    """What each path finds in each record, path by path; for those in `raw`, its JSON text.

    Raises:
        ReadError: the records are not a list of objects, or of what the paths look into.
    """
    values: list[list[Any]] | None = None
    if all(map(is_plain, paths)) and not any(b.startswith(f"{a}.") for a in paths for b in paths):
        values = _decoded(records, paths, raw)
    elif all(map(_POSITION.fullmatch, paths)) and not any(path in raw for path in paths):
        values = _by_position(records, [int(path[1:-1]) for path in paths])
    if values is None:
        values = _searched(records, paths)
        values = [
            [msgspec.Raw(msgspec.json.encode(value)) for value in column] if path in raw else column
            for path, column in zip(paths, values, strict=True)
        ]
    return values


def _by_position(records: Json, places: Sequence[int]) -> list[list[Any]] | None:
    """The fast way for records that are lists."""
    try:
        decoded = msgspec.json.decode(records, type=list[list[_Scalar]])
    except UNREADABLE:
        return None
    return [[record[place] if place < len(record) else None for record in decoded] for place in places]


def _decoded(records: Json, paths: Sequence[str], raw: Container[str]) -> list[list[Any]] | None:
    """The fast way: a structure made for these paths, decoded and taken apart column by column."""
    structure, attributes = _structure(paths, raw)
    try:
        decoded = msgspec.json.decode(records, type=list[structure])  # type: ignore[valid-type]
    except UNREADABLE:
        # An object or list where a value was expected: the general way copes, and says what is wrong if it is
        # no JSON at all.
        return None
    return [
        _column(decoded, attribute, _NULL if path in raw else None)
        for path, attribute in zip(paths, attributes, strict=True)
    ]


def _column(decoded: Sequence[Any], attribute: str, missing: Any) -> list[Any]:
    try:
        return list(map(operator.attrgetter(attribute), decoded))
    except AttributeError:  # null where an object was expected
        values = list(decoded)
        for name in attribute.split("."):
            values = [None if value is None else getattr(value, name) for value in values]
        return [missing if value is None else value for value in values]


def _structure(paths: Sequence[str], raw: Container[str]) -> tuple[type[msgspec.Struct], list[str]]:
    tree: dict[str, Any] = {}
    for path in paths:
        node = tree
        *outer, last = path.split(".")
        for key in outer:
            node = node.setdefault(key, {})
        node[last] = (msgspec.Raw, _NULL) if path in raw else (_Scalar, None)
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
        if isinstance(inner, tuple):
            fields.append((attribute, *inner))
        else:
            nested = _struct_of(inner, (*place, key), f"{prefix}{attribute}.", attributes)
            fields.append((attribute, nested | None, msgspec.field(default_factory=nested)))
    return msgspec.defstruct("Record", fields, rename=names, gc=False)


def _searched(records: Json, paths: Sequence[str]) -> list[list[Any]]:
    try:
        # With @, a record may be a mere value; with paths such as [2], a list whose elements have their meaning
        # by position.
        record: Any = dict[str, Any] if all(map(is_plain, paths)) else dict[str, Any] | list[Any]
        kind: Any = list[Any] if "@" in paths else list[record]
        decoded = msgspec.json.decode(records, type=kind)
    except UNREADABLE as error:
        raise ReadError(f"is not a list of objects in JSON: {error}") from None
    compiled = [compile_path(path) for path in paths]
    try:
        return [
            decoded if path == "@" else [expression.search(record) for record in decoded]
            for path, expression in zip(paths, compiled, strict=True)
        ]
    except jmespath.exceptions.JMESPathError as error:
        raise ReadError(f"does not fit the paths of its fields: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def compile_path(path: str) -> jmespath.parser.ParsedResult:
    """The expression that the path stands for; the names of a plain one are taken as they are written."""
    return jmespath.compile(
        ".".join(f'"{key}"' for key in path.split(".")) if is_plain(path) else path or "@"
    )


def to_series(name: str, values: Sequence[Any]) -> pl.Series:
    """A column of JSON values: of one simple type as that type, else all of them as text."""
    try:
        column = pl.Series(name, values, strict=True)
    except (TypeError, OverflowError, pl.exceptions.PolarsError):
        column = None
    if column is not None and column.dtype.is_float() and (column.abs() >= _MOST_WHOLE).any():
        column = None  # among decimals, a large whole number would lose its last digits
    if column is not None and not column.dtype.is_nested() and column.dtype != pl.Object:
        return column
    return pl.Series(name, [_text(value) for value in values], pl.String)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < _MOST_WHOLE:
        value = int(value)
    return msgspec.json.encode(value).decode()

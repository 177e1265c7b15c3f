"""Documents that a JSON Schema allows, as a strategy: draft 7, as far as the published schemas of this field use it.

The validator of `jsonschema` has the last word, so that a keyword that is not drawn here makes nothing invalid.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
from hypothesis import assume
from hypothesis import strategies as st

_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12)
_FORMATS: dict[str, st.SearchStrategy[str]] = {
    "date-time": st.datetimes().map(lambda at: at.replace(year=2026, microsecond=0).isoformat() + "Z"),
    "date": st.dates().map(str),
    "uri": st.from_regex(r"https://example\.org/[a-z]{1,8}", fullmatch=True),
    "email": st.just("post@example.org"),
}


@cache
def _loaded(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


class Schema:
    """The schema of a file; `given` draws members of some names otherwise, below `deepest` only required ones come."""

    def __init__(
        self, file: Path, given: Mapping[str, st.SearchStrategy[Any]] | None = None, deepest: int = 12
    ) -> None:
        self._file, self._given, self._deepest = file, dict(given or {}), deepest

    def documents(self, *path: str) -> st.SearchStrategy[Any]:
        """Documents of the part of the schema at the path, such as `properties`, `data`."""
        schema = _loaded(self._file)
        for name in path:
            schema = schema[name]
        valid = jsonschema.Draft7Validator(schema)

        def checked(document: Any) -> Any:
            assume("$ref" in json.dumps(schema) or valid.is_valid(document))
            return document

        return self._of(schema, self._file, 0).map(checked)

    def _of(self, schema: Any, file: Path, depth: int) -> st.SearchStrategy[Any]:
        if "$ref" in schema:
            name, _, pointer = schema["$ref"].partition("#")
            file = file.parent / name if name else file
            schema = _loaded(file)
            for part in filter(None, pointer.split("/")):
                schema = schema[part]
            return st.deferred(lambda: self._of(schema, file, depth + 1))
        if "const" in schema:
            return st.just(schema["const"])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        for name in ("oneOf", "anyOf"):
            if name in schema and "properties" not in schema:
                return st.one_of(*(self._of(part, file, depth) for part in schema[name]))
        kind = schema.get("type", "object" if "properties" in schema else "string")
        if isinstance(kind, list):
            return st.one_of(*(self._of({**schema, "type": one}, file, depth) for one in kind))
        return getattr(self, f"_{kind}")(schema, file, depth)

    def _object(self, schema: Any, file: Path, depth: int) -> st.SearchStrategy[Any]:
        members = {
            name: self._given[name] if name in self._given else self._of(part, file, depth + 1)
            for name, part in schema.get("properties", {}).items()
        }
        required = {*schema.get("required", ()), *(name for name in members if name in self._given)}
        optional = {name: part for name, part in members.items() if name not in required}
        return st.fixed_dictionaries(
            {name: part for name, part in members.items() if name in required},
            optional={} if depth > self._deepest else optional,
        )

    def _array(self, schema: Any, file: Path, depth: int) -> st.SearchStrategy[Any]:
        least = schema.get("minItems", 0)
        most = max(least, min(schema.get("maxItems", 3), 3 if depth < 8 else least))
        return st.lists(self._of(schema.get("items", {}), file, depth + 1), min_size=least, max_size=most)

    def _string(self, schema: Any, *_: Any) -> st.SearchStrategy[Any]:
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        if "pattern" in schema:
            return st.from_regex(schema["pattern"], fullmatch=True)
        return _TEXT

    def _integer(self, schema: Any, *_: Any) -> st.SearchStrategy[Any]:
        least = int(schema.get("minimum", 0))
        return st.integers(least, int(schema.get("maximum", least + 10_000)))

    def _number(self, schema: Any, *_: Any) -> st.SearchStrategy[Any]:
        least = float(schema.get("minimum", 0))
        return st.floats(least, float(schema.get("maximum", least + 10_000))).map(lambda x: round(x, 4))

    def _boolean(self, *_: Any) -> st.SearchStrategy[Any]:
        return st.booleans()

    def _null(self, *_: Any) -> st.SearchStrategy[Any]:
        return st.none()

"""A shared model as JSON Schema 2020-12, in the form in which CIVITAS/CORE's model registry keeps elements.

One document describes one row; nothing here reads or checks rows.
"""

from __future__ import annotations

import hashlib
import string
from collections.abc import Mapping
from typing import Any

from civitas_assets.dictionary.contracts import Contract, ModelColumn

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# The scope `standard` is the registry's for what a catalogue brings along: such an identity is kept, never minted anew.
_PUBLISHER = "civitas-assets"
_BASE36 = string.digits + string.ascii_lowercase

_JSON_TYPES: Mapping[str, Mapping[str, Any]] = {
    "varchar": {"type": "string"},
    "double": {"type": "number"},
    "integer": {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    "bigint": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "timestamptz": {"type": "string", "format": "date-time"},
    "blob": {"type": "string", "contentEncoding": "base64"},
}


def make_disambiguator(key: str) -> str:
    """The registry's token for an identity that comes from outside: the same key always has the same one."""
    digest = hashlib.sha256(key.encode()).digest()
    return "".join(_BASE36[byte % 36] for byte in digest[:10])


def make_artifact_urn(kind: str, name: str) -> str:
    """The name of something of the registry's kinds through all its versions."""
    return f"urn:core:standard:{_PUBLISHER}:{kind}:common:{name}:{make_disambiguator(f'{_PUBLISHER}#{name}')}"


def make_logical_urn(model: str) -> str:
    """The name of a model through all its versions."""
    return make_artifact_urn("element", model)


def make_model_urn(contract: Contract) -> str:
    """The name of exactly this version of a model; a published version never changes."""
    return f"{make_logical_urn(contract.name)}:{contract.version}"


def build_json_schema(contract: Contract) -> dict[str, Any]:
    """The schema of one row of the model.

    What JSON Schema has no words for stands in keywords with `x-`, which validators pass over.
    """
    references = {relation.column: relation for relation in contract.relations}
    properties = {}
    for name, column in contract.columns.items():
        properties[name] = _property(column)
        if relation := references.get(name):
            properties[name]["x-references"] = {
                "model": make_logical_urn(relation.model),
                "property": relation.field,
            }
    return {
        "$schema": DIALECT,
        "$id": make_model_urn(contract),
        "title": contract.name,
        "description": contract.description,
        "type": "object",
        "x-version": contract.version,
        "x-standard": contract.standard,
        "x-key": list(contract.key),
        "required": [name for name, column in contract.columns.items() if not column.nullable],
        "properties": properties,
    }


def _property(column: ModelColumn) -> dict[str, Any]:
    schema: dict[str, Any] = {"description": column.description, **_JSON_TYPES[column.type]}
    if column.nullable:
        schema["type"] = [schema["type"], "null"]
    if column.codes:
        schema["enum"] = [*column.codes, *([None] if column.nullable else [])]
    if column.unit:
        schema["x-unit"] = column.unit
    if column.unit_column:
        schema["x-unit-property"] = column.unit_column
    return schema

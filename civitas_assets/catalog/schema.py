"""The JSON Schema of a tenant's file, for completion and checks in editors.

It is made from the same models that load the files, so the two cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from civitas_assets.catalog.basis import DEFAULTS
from civitas_assets.catalog.load import SourceModels
from civitas_assets.catalog.model import SLUG, Tenant
from civitas_assets.catalog.vocabulary import Kind, Vocabulary


def build_tenant_schema(models: SourceModels, vocabulary: Vocabulary | None = None) -> dict[str, Any]:
    """JSON Schema 2020-12 of one tenant's file; each source is matched by its connector.

    With `defaults`, a source may be one that is taken over, and say only what is otherwise: nothing of it is required.

    With a vocabulary, editors offer its codes of properties and units; other spellings of them stay allowed in sources.
    """
    schema = Tenant.model_json_schema()
    definitions = schema.setdefault("$defs", {})
    definitions.pop("Source", None)
    choices, needs, known = [], [], set[str]()
    for name, model in sorted(models.items()):
        own = TypeAdapter(model).json_schema()
        definitions.update(own.pop("$defs", {}))
        definitions[model.__name__] = own
        known |= own["properties"].keys()
        chosen = {"properties": {"connector": {"const": name}}, "required": ["connector"]}
        needs.append({"if": chosen, "then": {"required": own.pop("required")}})
        choices.append({"if": chosen, "then": {"$ref": f"#/$defs/{model.__name__}"}})
    schema["properties"]["sources"] = {
        "title": "Sources",
        "type": "object",
        "description": Tenant.model_fields["sources"].description,
        "propertyNames": {"pattern": SLUG},
        "additionalProperties": {
            "type": "object",
            "properties": {"connector": {"enum": sorted(models)}},
            "allOf": choices,
        },
    }
    schema["if"] = {"required": [DEFAULTS]}
    schema["then"] = _have_sources(
        {"if": {"not": {"required": ["connector"]}}, "then": {"propertyNames": {"enum": sorted(known)}}}
    )
    schema["else"] = _have_sources({"required": ["connector"], "allOf": needs})
    schema["properties"][DEFAULTS] = {
        "title": "Defaults",
        "description": "Sources of defaults.yaml that the tenant takes over: all, or their names.",
        "anyOf": [{"const": "all"}, {"type": "array", "items": {"type": "string"}}],
    }
    if vocabulary is not None:
        _offer(schema, vocabulary)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _have_sources(each: Mapping[str, Any]) -> dict[str, Any]:
    return {"properties": {"sources": {"additionalProperties": each}}}


def _offer(schema: dict[str, Any], vocabulary: Vocabulary) -> None:
    """Put the codes where settings name properties and units."""
    codes: Mapping[str, Kind] = {"observed_property": "property", "unit": "unit"}
    offered = {
        name: {"anyOf": [{"enum": [*vocabulary.list_codes(kind)]}, {"type": "string"}]}
        for name, kind in codes.items()
    }
    sections: Mapping[str, Kind] = {"properties": "property", "units": "unit"}
    for section, kind in sections.items():
        schema["properties"][section]["additionalProperties"] = {"enum": [*vocabulary.list_codes(kind)]}
    for model in schema["$defs"].values():
        members = model.get("properties", {})
        if "units" in members:
            members["units"]["additionalProperties"] = offered["unit"]
        if "constants" in members:
            members["constants"]["properties"] = offered
        for name in offered.keys() & members.keys():
            members[name] = {**members[name], **offered[name]}
            members[name].pop("type", None)

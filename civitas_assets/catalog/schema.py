"""The JSON Schema of a tenant's file, for completion and checks in editors.

It is made from the same models that load the files, so the two cannot disagree.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from civitas_assets.catalog.load import SourceModels
from civitas_assets.catalog.model import SLUG, Tenant


def tenant_schema(models: SourceModels) -> dict[str, Any]:
    """JSON Schema 2020-12 of one tenant's file; each source is matched by its connector."""
    schema = Tenant.model_json_schema()
    definitions = schema.setdefault("$defs", {})
    definitions.pop("Source", None)
    choices = []
    for name, model in sorted(models.items()):
        own = TypeAdapter(model).json_schema()
        definitions.update(own.pop("$defs", {}))
        definitions[model.__name__] = own
        choices.append(
            {
                "if": {"properties": {"connector": {"const": name}}, "required": ["connector"]},
                "then": {"$ref": f"#/$defs/{model.__name__}"},
            }
        )
    schema["properties"]["sources"] = {
        "title": "Sources",
        "type": "object",
        "description": Tenant.model_fields["sources"].description,
        "propertyNames": {"pattern": SLUG},
        "additionalProperties": {
            "type": "object",
            "required": ["connector"],
            "properties": {"connector": {"enum": sorted(models)}},
            "allOf": choices,
        },
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}

"""NGSI entities as they come over the wire: an answer's entities, with the plain names of their types and attributes.

What their attributes mean is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from civitas_assets.connectors.mapping.service_rows import decode_answer
from civitas_assets.connectors.ngsi.ngsi_values import find_term, to_plain_list
from civitas_assets.errors import ReadError

Entity = Mapping[str, Any]
Row = dict[str, object]

# Members that JSON-LD in its expanded form calls otherwise.
_EXPANDED = {
    "hasValue": "value",
    "hasObject": "object",
    "hasLanguageMap": "languageMap",
    "hasVocab": "vocab",
    "hasJSON": "json",
    "hasValueList": "valueList",
    "hasObjectList": "objectList",
}


def decode_entities(body: bytes) -> list[Entity]:
    """The entities of a page, or the one that was asked for.

    Raises:
        ReadError: it is no list of objects with id and type.
    """
    page: list[Entity] | Entity = decode_answer(
        body, list[dict[str, Any]] | dict[str, Any], "a context broker"
    )
    found = [_named_by_context(_plain(entity)) for entity in _listed(page)]
    for entity in found:
        if not isinstance(entity.get("id"), str) or not entity["id"].strip() or not list_types(entity):
            raise ReadError("has an entity without id or type")
    return found


def list_types(entity: Entity) -> list[str]:
    """The types without their namespaces; empty if there is none."""
    kinds = (kind for kind in to_plain_list(entity.get("type")) if isinstance(kind, str))
    return [term for kind in kinds if (term := _type_term(kind))]


@lru_cache(4096)
def _type_term(kind: str) -> str:
    return re.split(r"[/#:]", kind.strip())[-1]


def strip_attribute_namespaces(entity: Entity, known: Sequence[str] | frozenset[str]) -> Entity:
    """The attributes by their names without namespaces, where that leaves them apart.

    A name with a prefix loses it only if it is then one that is known.
    """
    if ":" not in "".join(entity):
        return entity  # nearly always
    found: dict[str, Any] = {}
    for name, content in entity.items():
        term = name if name.startswith("@") else find_term(name)
        plain = term != name and ("://" in name or term in known or name.startswith("ngsi-ld:"))
        found[term if plain and term not in entity and term not in found else name] = content
    return found


def _listed(page: list[Entity] | Entity) -> Sequence[Entity]:
    """The entities of an answer: a list, one alone, a graph of JSON-LD, or features of GeoJSON."""
    if isinstance(page, list):
        return page
    if isinstance(graph := page.get("@graph"), list) and "id" not in page and "@id" not in page:
        return [entity for entity in graph if isinstance(entity, dict)]
    if page.get("type") == "FeatureCollection" and isinstance(page.get("features"), list):
        return [_from_feature(feature) for feature in page["features"] if isinstance(feature, dict)]
    return [page]


def _from_feature(feature: Entity) -> Entity:
    about = feature.get("properties")
    entity = {"id": feature.get("id"), **(about if isinstance(about, dict) else {})}
    return {**entity, "location": entity.get("location") or feature.get("geometry")}


def _plain(entity: Entity) -> Entity:
    """An entity of expanded JSON-LD with the members of NGSI-LD; any other as it is."""
    if "@id" not in entity or "id" in entity:
        return entity
    if (
        "@type" in entity
        and isinstance(entity["@type"], str)
        and not any("hasValue" in key for key in entity)
    ):
        return {_core(name): content for name, content in entity.items()}
    found = _compacted(entity)
    return found if isinstance(found, dict) else entity


def _named_by_context(entity: Entity) -> Entity:
    """An entity that says itself what its terms stand for, by the names that these have without their namespaces."""
    if "@context" not in entity:
        return entity  # nearly always
    terms: dict[str, str] = {}
    for part in to_plain_list(entity["@context"]):
        for term, meaning in part.items() if isinstance(part, dict) else ():
            iri = meaning.get("@id") if isinstance(meaning, dict) else meaning
            if (
                isinstance(iri, str)
                and not iri.startswith("@")
                and not term.startswith("@")
                and iri[-1:] not in "/#:"
            ):
                terms[term] = find_term(iri)
    if not terms:
        return entity
    named = {terms.get(name, name): content for name, content in entity.items()}
    kinds = (terms.get(kind, kind) for kind in to_plain_list(entity.get("type")) if isinstance(kind, str))
    return {**named, "id": entity.get("id"), "type": [*kinds]}


def _core(name: str) -> str:
    return name[1:] if name in {"@id", "@type"} else name


def _compacted(node: Any) -> Any:
    """JSON-LD without the lists and objects that its expanded form has around each value."""
    if isinstance(node, list):
        if any(isinstance(part, dict) and "@language" in part for part in node):
            texts = (part for part in node if isinstance(part, dict))
            return {text.get("@language", "@none"): text.get("@value") for text in texts}
        parts = [*map(_compacted, node)]
        return parts[0] if len(parts) == 1 else parts
    if not isinstance(node, dict) or "@value" in node:
        return node["@value"] if isinstance(node, dict) else node
    if "@list" in node:
        return [*map(_compacted, node["@list"])]
    if node.keys() == {"@id"}:
        return node["@id"]
    members: dict[str, Any] = {}
    for name, content in node.items():
        if name == "@type":
            members["type"] = [find_term(kind) for kind in to_plain_list(content) if isinstance(kind, str)]
        else:
            term = find_term(_core(name))
            members[_EXPANDED.get(term, term)] = _compacted(content)
    if len(members.get("type", ())) == 1:
        (members["type"],) = members["type"]
    return members

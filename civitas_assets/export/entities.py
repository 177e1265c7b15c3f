"""What an NGSI-LD entity of a Smart Data Model is made of, and the SQL that writes it as JSON, row by row.

Which models there are is in `smart_data_observed.py` and `smart_data_things.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from civitas_assets.export.selection import iso_sql, literal_sql

_CONTEXT = "https://raw.githubusercontent.com/smart-data-models/{}/master/context.jsonld"
_CORE_CONTEXT = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld"


# What is said of licences, which no Smart Data Model has a word for.
SAID_AS: Mapping[str, str] = {
    "licence": "license",
    "licence_url": "licenseUrl",
    "attribution": "attribution",
    "notice": "licenseNotice",
}


class AttributeKind(Enum):
    """What an attribute holds, by the type that the Smart Data Models give it."""

    NUMBER = "number"
    TEXT = "string"
    MOMENT = "date-time"
    TRUTH = "boolean"
    LIST = "array"
    OBJECT = "object"
    PLACE = "GeoProperty"
    REFERENCE = "Relationship"


@dataclass(frozen=True)
class Attribute:
    """An attribute; `value` is SQL, null where an entity has none, and JSON already for an object or a place.

    `unit` is a UCUM code, `unit_of_row` SQL for one, `at` SQL for when the value was observed.
    """

    name: str
    kind: AttributeKind
    value: str
    unit: str | None = None
    unit_of_row: str | None = None
    at: str | None = None

    def to_json_sql(self, unit_codes: Mapping[str, str]) -> str:
        """SQL for the member of the entity, null where it has none."""
        match self.kind:
            case AttributeKind.REFERENCE:
                content = _typed("Relationship", "object", f"to_json({self.value})")
            case AttributeKind.PLACE:
                content = _typed("GeoProperty", "value", self.value)
            case AttributeKind.OBJECT:
                content = _typed("Property", "value", self.value)
            case AttributeKind.MOMENT:
                moment = f"""'{{"@type":"DateTime","@value":"' || {iso_sql(self.value)} || '"}}'"""
                content = _typed("Property", "value", moment)
            case _:
                content = _typed("Property", "value", f"to_json({self.value})")
        at = f"""coalesce(',"observedAt":"' || {iso_sql(self.at)} || '"', '')""" if self.at else "''"
        name = literal_sql(f"{json.dumps(self.name)}:{{")
        return f"{name} || {content} || {self._unit(unit_codes)} || {at} || '}}'"

    def _unit(self, unit_codes: Mapping[str, str]) -> str:
        if self.unit_of_row is not None:
            code_of_row = code_sql(self.unit_of_row, unit_codes)
            return f"""coalesce(',"unitCode":"' || {code_of_row} || '"', '')"""
        code = unit_codes.get(self.unit or "")
        return literal_sql(f',"unitCode":{json.dumps(code)}') if code else "''"


@dataclass(frozen=True)
class Entity:
    """A type of entity that rows of a shared model become, those for which `condition` holds.

    `subject` is the Smart Data Models' repository, `key` SQL for what comes behind type in the id, and `span` SQL for
    what tells rows of one thing apart there; it begins at `at`. `latest` names key and time of a row where only the
    last row of a thing becomes an entity.
    """

    type: str
    subject: str
    model: str
    key: str
    attributes: tuple[Attribute, ...]
    condition: str
    latest: tuple[str, str] | None = None
    span: str = ""
    at: str = "null::timestamptz"

    @property
    def context(self) -> str:
        """Address of the JSON-LD context that names its attributes."""
        return _CONTEXT.format(self.subject)

    def to_id_sql(self, *, by_time: bool = True) -> str:
        """SQL for the id; without time, all rows of a thing have the same."""
        key = f"{self.key} || {self.span}" if self.span and by_time else self.key
        return urn_sql(self.type, key)

    def to_json_sql(
        self,
        unit_codes: Mapping[str, str],
        more: Sequence[Attribute] = (),
        *,
        by_time: bool = True,
        context: str | None = None,
    ) -> str:
        """SQL for the entity as JSON with more attributes, null where the row does not become one.

        Another context than that of the Smart Data Models has to name the same.
        """
        contexts = json.dumps([context or self.context, _CORE_CONTEXT], separators=(",", ":"))
        members = [
            f"""'"id":' || to_json({self.to_id_sql(by_time=by_time)})""",
            literal_sql(f'"type":{json.dumps(self.type)}'),
            *(attribute.to_json_sql(unit_codes) for attribute in (*self.attributes, *more)),
            literal_sql(f'"@context":{contexts}'),
        ]
        # Of what has no value, concat_ws leaves out the comma as well.
        return f"case when {self.condition} then '{{' || concat_ws(',', {', '.join(members)}) || '}}' end"


def _typed(kind: str, member: str, value: str) -> str:
    """SQL for the type of an attribute and what it holds."""
    return f"""'"type":"{kind}","{member}":' || {value}"""


def urn_sql(kind: str, key: str) -> str:
    """SQL for the id of an entity: what a URN must not hold is written in per cent."""
    return f"'urn:ngsi-ld:{kind}:' || replace(url_encode({key}), '%3A', ':')"


def point_sql(relation: str) -> str:
    """SQL for a point in GeoJSON, null where the relation has no position."""
    lon, lat = (f"to_json({relation}.{name})" for name in ("lon", "lat"))
    return f"""'{{"type":"Point","coordinates":[' || {lon} || ',' || {lat} || ']}}'"""


def address_sql(**parts: str) -> str:
    """SQL for a postal address as JSON, null where no part is known."""
    known = ", ".join(parts.values())
    members = ", ".join(f"""'"{name}":' || to_json({value})""" for name, value in parts.items())
    return f"case when coalesce({known}) is not null then '{{' || concat_ws(',', {members}) || '}}' end"


def code_sql(value: str, codes: Mapping[str, str]) -> str:
    """SQL for a code in the words of a Smart Data Model, null where it has none."""
    cases = " ".join(f"when {literal_sql(code)} then {literal_sql(word)}" for code, word in codes.items())
    return f"case {value} {cases} end"


def list_sql(value: str) -> str:
    """SQL for a list of one, null where the value is."""
    return f"case when {value} is not null then [{value}] end"

"""An attribute of an NGSI entity in any form that brokers write it in, as its instances with plain values.

Read are the normalised, concise and simplified forms of NGSI-LD (ETSI GS CIM 009, 4.5), also over time, and those of
NGSI-v2. What attributes mean is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType, NoneType
from typing import Any, NamedTuple

from civitas_assets.connectors.ngsi.ngsi_values import (
    DEFAULT_LANGUAGE,
    FORMS,
    NULL,
    NUMBERS,
    SCALARS,
    find_term,
    to_plain_value,
)
from civitas_assets.errors import ReadError

# What the members of an attribute are called where it is written over time as pairs of value and time.
_PAIRS = {
    "values": "value",
    "objects": "object",
    "languageMaps": "languageMap",
    "vocabs": "vocab",
    "jsons": "json",
    "valueLists": "valueList",
    "objectLists": "objectList",
}
_AGGREGATES = frozenset({"totalCount", "distinctCount", "sum", "avg", "min", "max", "stddev", "sumsq"})
_TYPES = frozenset(
    {
        *("Property", "GeoProperty", "Relationship", "LanguageProperty", "VocabProperty", "JsonProperty"),
        *("VocabularyProperty", "ListProperty", "ListRelationship"),
    }
)
# What an attribute says besides its value that is read, or is of no interest to readers of data.
_MEMBERS = frozenset(
    {
        *(
            "type",
            "unitCode",
            "observedAt",
            "datasetId",
            "instanceId",
            "createdAt",
            "modifiedAt",
            "deletedAt",
        ),
        *(
            "expiresAt",
            "metadata",
            "lang",
            "objectType",
            "valueType",
            "entity",
            "entityList",
            "previousValue",
        ),
        *(
            "TimeInstant",
            "timeInstant",
            "timestamp",
            "dateObserved",
            "dateCreated",
            "dateModified",
            "qualityCode",
        ),
        *("ngsildproof", "actionType", "previousType", "name"),
    }
)
_KNOWN_MEMBERS = _MEMBERS | FORMS.keys()
_USUAL = (_MEMBERS | {"value"}) - {"datasetId", "deletedAt"}
UNUSUAL = object()


class Instance(NamedTuple):
    """One instance of an attribute: what it says, and for which data set, None for the default one.

    `value` is plain JSON: a text, number, truth, list or object; None for nothing. `members` are what the attribute
    says besides, as written.
    """

    value: Any
    data_set: str | None = None
    members: Mapping[str, Any] = MappingProxyType({})

    def find(self, name: str) -> Any:
        """What the instance says besides its value: a member in NGSI-LD, metadata in NGSI-v2; None for nothing."""
        members = self.members
        found = to_plain_value(_content(members[name])) if name in members else None
        if found is None and "metadata" in members and isinstance(metadata := members["metadata"], dict):
            found = to_plain_value(_content(metadata.get(name)))
        return found

    def unread(self) -> set[str]:
        """The names of what it says besides that nobody reads."""
        metadata = self.members.get("metadata")
        if (self.members.keys() <= _KNOWN_MEMBERS and not metadata) or FORMS.keys().isdisjoint(self.members):
            return set()  # in its simplified form it says nothing but a value
        names = {*self.members, *(metadata if isinstance(metadata, dict) else ())}
        return {
            name
            for name in names - _MEMBERS - FORMS.keys()
            if not name.startswith("@") and self.find(name) is not None
        }

    @property
    def unit(self) -> str | None:
        """The code of its unit, by UN/CEFACT, without a namespace."""
        code = self.find("unitCode")
        if isinstance(code, int) and not isinstance(code, bool):
            return str(code)  # some codes are digits alone, such as 59
        return find_term(code) if isinstance(code, str) else None


def read_instances(content: Any, language: str = DEFAULT_LANGUAGE) -> list[Instance]:
    """The instances of an attribute: for data sets, over time, or the one; those that were deleted are left out.

    `language` is the one of texts that are there in several.

    Raises:
        ReadError: the attribute is an aggregate of values.
    """
    if isinstance(content, dict):
        value = content.get("value")
        if type(value) in SCALARS and value != NULL and "deletedAt" not in content:
            return [
                Instance(to_plain_value(value), _data_set(content.get("datasetId")), content)
            ]  # nearly all of them
        return [*_read_object(content, language)]
    if isinstance(content, list) and any(map(_is_instance, content)):
        return [instance for part in content for instance in read_instances(part, language)]
    value = to_plain_value(content)
    return [] if value is None else [Instance(value)]


def read_usual(content: Any) -> Any:
    """The plain value of an attribute written as nearly all are: it has one value, and says nothing else of interest.

    UNUSUAL for all others, of which `read_instances` knows more.
    """
    value = content
    if isinstance(content, dict):
        if not _is_usual(tuple(content)) or content.get("metadata"):
            return UNUSUAL
        value = content["value"]
    elif isinstance(content, list):
        return UNUSUAL
    return UNUSUAL if value == NULL or _holds_attribute(value) else to_plain_value(value)


def read_all_usual(contents: Sequence[Any]) -> list[Any] | None:
    """What `read_usual` reads of one attribute, of many entities or at many times; None if any of it is UNUSUAL.

    Such attributes have the same members, which are looked at once.
    """
    kinds = {*map(type, contents)}
    if NoneType in kinds:
        given = read_all_usual([content for content in contents if content is not None])
        rest = iter(given or ())
        return None if given is None else [None if content is None else next(rest) for content in contents]
    values = contents
    if kinds == {dict}:
        shapes = {*map(tuple, contents)}
        if not all(map(_is_usual, shapes)):
            return None
        if any("metadata" in shape for shape in shapes) and any(part.get("metadata") for part in contents):
            return None
        values = [content["value"] for content in contents]
        kinds = {*map(type, values)}
        if (dict in kinds and any(map(_holds_attribute, values))) or (str in kinds and NULL in values):
            return None
    elif not kinds <= SCALARS:
        return None
    return [*values] if kinds <= NUMBERS else [*map(to_plain_value, values)]


def _holds_attribute(value: Any) -> bool:
    return isinstance(value, dict) and not FORMS.keys().isdisjoint(value)


@lru_cache(4096)
def _is_usual(members: tuple[str, ...]) -> bool:
    return "value" in members and _USUAL.issuperset(members)


def _is_instance(part: Any) -> bool:
    if not isinstance(part, dict):
        return False
    kind = part.get("type")
    named = "datasetId" in part or (isinstance(kind, str) and kind in _TYPES)
    return named or not FORMS.keys().isdisjoint(part)


def _read_object(content: Mapping[str, Any], language: str) -> Iterator[Instance]:
    if "deletedAt" in content:
        return
    if len(content) == 1 and isinstance(sets := content.get("dataset"), dict):
        for name, part in sets.items():  # the simplified form of several data sets
            for instance in read_instances(part, language):
                yield Instance(instance.value, _data_set(name), instance.members)
        return
    for several, member in () if _PAIRS.keys().isdisjoint(content) else _PAIRS.items():
        pairs = content.get(several)
        if isinstance(pairs, list) and _is_pairs(pairs):
            about = {name: value for name, value in content.items() if name != several}
            for pair in pairs:
                if isinstance(pair, list) and len(pair) > 1:
                    yield from _read_object({**about, member: pair[0], "observedAt": pair[1]}, language)
            return
    if FORMS.keys().isdisjoint(content) and any(_is_pairs(content.get(name)) for name in _AGGREGATES):
        raise ReadError("has aggregates in place of values: ask the broker without aggrMethods")
    if NULL not in (content.get("value"), content.get("object")):
        value, members = _value(content, language)
        yield Instance(value, _data_set(content.get("datasetId")), members)


def _is_pairs(pairs: Any) -> bool:
    return isinstance(pairs, list) and bool(pairs) and all(isinstance(pair, list) for pair in pairs)


def _data_set(name: Any) -> str | None:
    return name if name and isinstance(name, str) and name.strip() and name != "@none" else None


def _value(content: Mapping[str, Any], language: str) -> tuple[Any, Mapping[str, Any]]:
    """The plain value, and what is said besides it, also where an attribute is written within another's value."""
    members = content
    while True:
        name = next((name for name in FORMS if name in content), None)
        if name is None:  # simplified: an object, a geometry, or a value with its type
            return to_plain_value(content), members
        value = content[name]
        if name != "value" or not isinstance(value, dict) or FORMS.keys().isdisjoint(value):
            return FORMS[name](value, language), members
        content, members = value, {**members, **value}


def _content(attribute: Any) -> Any:
    """The value of what an attribute says besides, itself in any form."""
    return _value(attribute, DEFAULT_LANGUAGE)[0] if isinstance(attribute, dict) else attribute

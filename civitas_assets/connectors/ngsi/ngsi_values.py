"""The plain value of an NGSI attribute by the member that holds it: a value, entities, texts in languages, or terms.

Plain is what has neither a type nor a namespace of JSON-LD; what stands for null is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

NULL = "urn:ngsi-ld:null"
DEFAULT_LANGUAGE = "de"
NUMBERS = frozenset({int, float, bool})
SCALARS = NUMBERS | {str}
_TERM = re.compile(r"[A-Za-z][\w.+-]*:[\w./#-]+")


@lru_cache(4096)
def find_term(name: str) -> str:
    """The term that a name in a namespace stands for: an IRI, or one with a prefix."""
    return (":" in name and ("://" in name or _TERM.fullmatch(name)) and re.split(r"[/#:]", name)[-1]) or name


def to_plain_value(value: Any) -> Any:
    """A value without its JSON-LD type; None for a blank text, an empty list, and what stands for null."""
    if isinstance(value, str):
        value = value.strip()
        return value if value and value != NULL else None
    if type(value) in SCALARS:
        return value
    while isinstance(value, dict):
        inner = next((name for name in ("@value", "@list", "@set", "@id") if name in value), None)
        if inner is None:
            return value or None
        value = value[inner]
    if isinstance(value, str):
        return to_plain_value(value)
    if isinstance(value, list):
        parts = [part["@value"] if isinstance(part, dict) and "@value" in part else part for part in value]
        return [part for part in parts if not _says_nothing(part)] or None
    return value


def _says_nothing(part: Any) -> bool:
    return part is None or (isinstance(part, str) and (part == NULL or not part.strip()))


def _from_value(value: Any, _language: str) -> Any:
    return to_plain_value(value)


def _from_objects(value: Any, _language: str) -> Any:
    """The entities that a relationship names, one as itself, several as a list."""
    given = value if isinstance(value, list) else [value]
    named = (_named(part) for part in given)
    found = [name for name in named if isinstance(name, str)]
    return found[0] if len(found) == 1 and not isinstance(value, list) else found or None


def _named(part: Any) -> Any:
    """The id of an entity, which may be written out."""
    while isinstance(part, dict):
        part = next((part[name] for name in ("object", "@id", "id") if name in part), None)
    return to_plain_value(part)


def _from_languages(value: Any, language: str) -> Any:
    """The text in the language, in one of its regions, in none, or the first that there is."""
    if not isinstance(value, dict):
        return to_plain_value(value)
    texts = {str(tag).replace("_", "-").lower(): to_plain_value(text) for tag, text in value.items()}
    wanted = language.lower()
    main = wanted.partition("-")[0]

    def rank(tag: str) -> int:
        here = (tag == wanted, tag == main, tag.partition("-")[0] == main, tag in {"@none", "none", ""})
        return next((place for place, fits in enumerate(here) if fits), len(here))

    found = [tag for tag, text in texts.items() if text is not None]
    return texts[min(found, key=rank)] if found else None


def _from_terms(value: Any, _language: str) -> Any:
    found = to_plain_value(value)
    if isinstance(found, list):
        return [find_term(term) if isinstance(term := to_plain_value(part), str) else part for part in found]
    return find_term(found) if isinstance(found, str) else found


# The members that hold a value, and what makes it plain, in a language where there are several.
FORMS: Mapping[str, Callable[[Any, str], Any]] = {
    "value": _from_value,
    "object": _from_objects,
    "languageMap": _from_languages,
    "vocab": _from_terms,
    "json": _from_value,
    "valueList": _from_value,
    "objectList": _from_objects,
}


def to_plain_list(value: Any) -> Sequence[Any]:
    """A value as a list: itself, the one, or none."""
    return value if isinstance(value, list) else [] if value is None else [value]

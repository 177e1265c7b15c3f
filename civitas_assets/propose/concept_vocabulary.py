"""The words by which columns are recognised: `vocabulary.toml`, and how a name is compared with it.

What a column's values say is in `sample_columns.py`.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_UNIT = re.compile(
    r"^(?P<name>.*?\S)\s*(?:\[(?P<square>[^\]]+)\]|\((?P<round>[^)]{1,12})\)|\bin (?P<plain>\S{1,8}))$"
)
_QUOTED = re.compile(r'(?:^|\.)("(?:[^"\\]|\\.)+")$')
_PATH = re.compile(r"(\^\.)*[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WHOLE, _WORDS, _PART = 1.0, 0.7, 0.5
_LONG_ENOUGH = 5  # shorter words are found within others by chance


@dataclass(frozen=True)
class ProposedType:
    """A record type that may be meant: what it needs, the words that speak for it, and its fields by concept."""

    name: str
    needs: tuple[tuple[str, ...], ...]
    words: tuple[str, ...]
    fields: Mapping[str, str]


@cache
def _content() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_name("vocabulary.toml").read_text(encoding="utf-8"))


@cache
def list_kinds() -> tuple[ProposedType, ...]:
    """The record types in the order of their likelihood."""
    return tuple(
        ProposedType(k["name"], tuple(map(tuple, k["needs"])), tuple(k["words"]), k["fields"])
        for k in _content()["records"]
    )


def list_field_codes(field: str) -> Mapping[str, str]:
    """By normal spelling, what a code of the field may be written as; nothing for fields without codes."""
    known = _content()["codes"].get(field, {})
    return {normalise_name(text): code for code, texts in known.items() for text in texts}


def list_nulls() -> tuple[str, ...]:
    """Texts that mean no value."""
    return tuple(_content()["texts"]["nulls"])


def list_sentinels() -> tuple[str, ...]:
    """Numbers that mean no value."""
    return tuple(_content()["texts"]["sentinels"])


def split_unit(name: str) -> tuple[str, str | None]:
    """A column's name and the unit that it carries, as in `Temperatur [°C]`."""
    match = _UNIT.match(name.strip())
    if match is None:
        return name.strip(), None
    return match["name"], match["square"] or match["round"] or match["plain"]


def get_last_part(path: str) -> str:
    """The name at the end of a path; of what is no path, such as `Baum-Nr.`, all."""
    quoted = _QUOTED.search(path)
    if quoted is not None:
        return str(json.loads(quoted[1]))
    return path.rpartition(".")[2] if _PATH.fullmatch(path) else path


def split_words(name: str) -> tuple[str, ...]:
    """The words of a name, in lower case and without umlauts."""
    parts = _HUMP.sub(" ", name).lower().translate(_UMLAUTS)
    return tuple(re.findall(r"[a-z]+\d*|\d+", parts))


def normalise_name(name: str) -> str:
    """The name without case, umlauts and punctuation."""
    return "".join(split_words(name))


@cache
def score_concepts(name: str) -> Mapping[str, float]:
    """The concepts that a column's name may stand for, with how sure that is, from 0 to 1."""
    bare, _ = split_unit(get_last_part(name))
    words, whole = {*split_words(bare)}, normalise_name(bare)
    found: dict[str, float] = {}
    for concept, spellings in _content()["concepts"].items():
        for spelling in spellings:
            wanted, joined = {*split_words(spelling)}, normalise_name(spelling)
            score = 0.0
            if whole == joined:
                score = _WHOLE
            elif wanted <= words and len(joined) > 1:
                score = _WORDS + 0.05 * len(wanted)
            elif len(joined) >= _LONG_ENOUGH and joined in whole:
                score = _PART
            if score > found.get(concept, 0.0):
                found[concept] = score
    return found

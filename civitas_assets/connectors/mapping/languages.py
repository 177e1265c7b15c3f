"""Which of several languages is read, where a text is told in more than one.

What a tenant writes as `language`, and what a publisher writes as a tag, are both tags of BCP 47.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator

_TWO_LETTERS = """
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz
    ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik
    io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml
    mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd
    se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi
    vo wa wo xh yi yo za zh zu
"""
_ISO_639_1 = frozenset(_TWO_LETTERS.split())
# Spoken in Germany, and without two letters: Sorbian, Low German, Frisian.
_REGIONAL = frozenset({"dsb", "frr", "hsb", "nds", "stq"})
_TAG = re.compile(r"([A-Za-z]{2,3})([-_][A-Za-z0-9]{2,8})*")


def _is_language(tag: str) -> str:
    match = _TAG.fullmatch(tag)
    if match is None or match[1].lower() not in _ISO_639_1 | _REGIONAL:
        raise ValueError("must be the two letters of a language in ISO 639-1, such as de, en, da or pl")
    return tag


Language = Annotated[str, AfterValidator(_is_language)]


def choose_language(tags: Sequence[str], language: str) -> str:
    """The tag that is the language, else the same without a region, else with another one, else the first tag.

    Upper and lower case, hyphen and underscore are the same. There must be at least one tag.
    """
    wanted = _normalised(language)
    primary = wanted.partition("-")[0]

    def distance(tag: str) -> int:
        written = _normalised(tag)
        if written == wanted:
            return 0
        if written == primary:
            return 1
        return 2 if written.partition("-")[0] == primary else 3

    return min(tags, key=distance)


def _normalised(tag: str) -> str:
    return tag.strip().lower().replace("_", "-")

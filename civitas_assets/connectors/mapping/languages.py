"""Which of several languages is read, where a text is told in more than one.

What a tenant writes as `language`, and what a publisher writes as a tag, are both tags of BCP 47.
"""

from __future__ import annotations

from collections.abc import Sequence


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

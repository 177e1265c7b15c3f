"""Topics of MQTT as a source writes them: filters whose wildcards may have names, such as `city/{device}/state`.

What a name stands for in a message's topic fills fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from civitas_assets.catalog.model import SLUG

TOPIC = "topic"
_NAME = re.compile(r"\{(.*)\}")
_SHARED = re.compile(r"\$share/[^/]+/")


def check_topic(text: str) -> str:
    """The text, if it is a topic filter whose names are well written.

    Raises:
        ValueError: it is none.
    """
    levels = _SHARED.sub("", text).split("/")
    names = list_topic_names(text)
    if "#" in text and (levels[-1] != "#" or text.count("#") > 1):
        raise ValueError(f"{text}: # stands for all further levels, so that it is the last one, alone")
    if any("+" in level and level != "+" for level in levels):
        raise ValueError(f"{text}: + stands for a whole level between two /")
    if any(("{" in level or "}" in level) and not _NAME.fullmatch(level) for level in levels):
        raise ValueError(f"{text}: a name in {{}} stands for a whole level between two /")
    wrong = next((name for name in names if not re.fullmatch(SLUG, name)), None)
    if wrong is not None or TOPIC in names or len({*names}) < len(names):
        raise ValueError(
            f"{text}: names are lower-case letters, digits and _, each once; {{{TOPIC}}} is the whole topic"
        )
    return text


def list_topic_names(text: str) -> list[str]:
    """The names of levels, in their order."""
    levels = _SHARED.sub("", text).split("/")
    return [found[1] for level in levels if (found := _NAME.fullmatch(level))]


def to_filter(text: str) -> str:
    """What is subscribed to: names are wildcards."""
    return "/".join("+" if _NAME.fullmatch(level) else level for level in text.split("/"))


def parse_topic_name(text: str) -> str | None:
    """The name in a text such as `{device}`; none where it is something else."""
    found = _NAME.fullmatch(text)
    return found[1] if found else None


class TopicNames:
    """What the names in topic filters stand for, topic by topic; the first filter that fits counts."""

    def __init__(self, filters: tuple[str, ...]) -> None:
        self._patterns = [re.compile(_to_pattern(text)) for text in filters]
        self._known: dict[str, Mapping[str, str]] = {}

    def resolve(self, topic: str) -> Mapping[str, str]:
        """By name, the level of the topic; with the topic itself."""
        if topic not in self._known:
            found = next((hit for pattern in self._patterns if (hit := pattern.fullmatch(topic))), None)
            self._known[topic] = {**(found.groupdict() if found else {}), TOPIC: topic}
        return self._known[topic]


def _to_pattern(text: str) -> str:
    *outer, last = _SHARED.sub("", text).split("/")
    parts = [_level_pattern(level) for level in outer]
    if last != "#":
        return "/".join([*parts, _level_pattern(last)])
    return "/".join(parts) + ("(?:/.*)?" if parts else ".*")  # # stands for the level above it as well


def _level_pattern(level: str) -> str:
    if name := parse_topic_name(level):
        return f"(?P<{name}>[^/]*)"
    return "[^/]*" if level == "+" else re.escape(level)

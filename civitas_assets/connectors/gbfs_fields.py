"""What the versions of GBFS write differently: texts in languages, and times.

Which fields hold them is known where they are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any


def text_of(value: Any, language: str) -> str | None:
    """A text; in version 3 the one of the language, else the first."""
    if isinstance(value, str):
        return value
    texts: Sequence[Mapping[str, Any]] = (
        [t for t in value if isinstance(t, dict)] if isinstance(value, list) else []
    )
    ordered = sorted(texts, key=lambda text: text.get("language") != language)
    return next((text["text"] for text in ordered if isinstance(text.get("text"), str)), None)


def time_of(value: Any) -> str | None:
    """Version 2 writes seconds since 1970, version 3 ISO 8601; 0 means never."""
    if isinstance(value, str) and value:
        return value
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 33:
        return datetime.fromtimestamp(value, UTC).isoformat()
    return None

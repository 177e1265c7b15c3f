"""What was done, told without secrets: what arguments and variables hold is written down as far as it may be read.

A secret of a source never passes here, since files and commands name it only. What people type all the same is taken
out by where it stands: passwords in addresses, parameters and keys called like one, bearer and JSON web tokens.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from civitas_assets.redaction import REDACTED, is_credential, mask_credentials, redact_text

HIDDEN = REDACTED
_LONGEST = 2000  # characters of one text
_MOST = 50  # entries of one list or mapping
_WHOLE = 16_000  # characters of all of it as JSON
_WHERE = "--where"
_JSON_WEB_TOKEN = re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.?[\w-]*")


def redact_value(value: Any) -> Any:
    """The value without secrets, and no longer than a line of the log may be."""
    kept = redact_secrets(value)
    text = json.dumps(kept, ensure_ascii=False)
    return kept if len(text) <= _WHOLE else f"{text[:_WHOLE]}… ({len(text)} characters)"


def redact_secrets(value: Any, name: str = "") -> Any:
    """The value as plain data that may be kept, shortened where it is long; `name` is what it is called."""
    if value is not None and not isinstance(value, bool) and is_credential(name, str(value)):
        return HIDDEN
    if isinstance(value, Mapping):
        items = list(value.items())
        # Run tags and headers are pairs of a name and its value.
        called = str(value.get("key", value.get("name", "")))
        kept = {
            str(key): redact_secrets(inner, called if key == "value" else "" if key == "key" else str(key))
            for key, inner in items[:_MOST]
        }
        return {**kept, "…": f"{len(items) - _MOST} more"} if len(items) > _MOST else kept
    if isinstance(value, str):
        return _readable(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        shown = [redact_secrets(inner) for inner in value[:_MOST]]
        return [*shown, f"… {len(value) - _MOST} more"] if len(value) > _MOST else shown
    return value if value is None or isinstance(value, bool | int | float) else _readable(str(value))


def redact_arguments(arguments: Sequence[str]) -> list[str]:
    """The words of a command; what follows an option that is called like a secret is one.

    Of whom somebody erases only the column is kept: a log that held the value would be what is left of it.
    """
    return [
        HIDDEN
        if before.startswith("--") and not word.startswith("-") and is_credential(before, word)
        else _erased(before, word)
        if _WHERE in {before, word.partition("=")[0]}
        else _readable(word)
        for before, word in zip(["", *arguments], arguments, strict=False)
    ]


def _erased(before: str, word: str) -> str:
    """Where to erase, without what is erased."""
    parts = word.split("=") if before == _WHERE else word.split("=", 2)
    return word if word == _WHERE else "=".join([*(parts[:1] if before == _WHERE else parts[:2]), HIDDEN])


def _readable(text: str) -> str:
    text = (
        text if len(text) <= 2 * _LONGEST else text[: 2 * _LONGEST]
    )  # patterns see no more than is kept, and some
    text = _JSON_WEB_TOKEN.sub(HIDDEN, redact_text(mask_credentials(text)))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"

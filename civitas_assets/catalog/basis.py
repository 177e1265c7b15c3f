"""What all models of the configuration build on: frozen, strict, and with keys that fit for paths and identifiers.

What may be configured is in `model.py` and the connectors.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

SLUG = r"^[a-z][a-z0-9_]{0,47}$"
Slug = Annotated[str, Field(pattern=SLUG)]

COMMONS = "commons"  # what tenants share has the place of a tenant of that name
DEFAULTS = "defaults"  # file of what tenants take over, and the key by which they do

# Keys that no tenant may have: databases and this project use them as names of schemas and folders.
RESERVED_SLUGS = frozenset({COMMONS, DEFAULTS, "information_schema", "main", "meta", "public", "temp"})
RESERVED_BEGINNING = "pg_"


def is_reserved(name: str) -> bool:
    """Whether databases or this project use that name themselves."""
    return name in RESERVED_SLUGS or name.startswith(RESERVED_BEGINNING)


def is_key(name: str) -> bool:
    """Whether that can be a tenant's key."""
    return re.fullmatch(SLUG, name) is not None and not is_reserved(name)


PLACED = "placed"  # kind of the faults that a model names with their place in it


def build_validation_error(found: Iterable[tuple[tuple[str | int, ...], str]]) -> ValidationError:
    """What a model's check raises for faults of single settings: the place of each below the model, and a sentence."""
    return ValidationError.from_exception_data(
        "settings",
        [
            InitErrorDetails(
                type=PydanticCustomError(PLACED, "{text}", {"text": text}), loc=place, input=None
            )
            for place, text in found
        ],
    )


def suggest_name(written: str, allowed: Sequence[str]) -> str:
    """Which of those that are allowed may be meant, for the middle of a sentence; empty where none is like it."""
    close = difflib.get_close_matches(written, allowed, n=1)
    return f"did you mean {close[0]}? " if close else ""


class Model(BaseModel):
    """Base of everything that is configured: frozen, and a typo is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    def with_private(self, **values: Any) -> Self:
        """A copy that knows more than its file says; once validated, a model itself does not change any more."""
        made = self.model_copy()
        for name, value in values.items():
            setattr(made, name, value)
        return made

"""What all models of the configuration build on: frozen, strict, and with keys that fit for paths and identifiers.

What may be configured is in `model.py` and the connectors.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

SLUG = r"^[a-z][a-z0-9_]{0,47}$"
Slug = Annotated[str, Field(pattern=SLUG)]

COMMONS = "commons"  # what tenants share has the place of a tenant of that name

# Keys that no tenant may have: databases and this project use them as names of schemas and folders.
RESERVED_SLUGS = frozenset({COMMONS, "information_schema", "main", "meta", "public", "temp"})
RESERVED_BEGINNING = "pg_"


def is_reserved(name: str) -> bool:
    """Whether databases or this project use that name themselves."""
    return name in RESERVED_SLUGS or name.startswith(RESERVED_BEGINNING)


def is_key(name: str) -> bool:
    """Whether that can be a tenant's key."""
    return re.fullmatch(SLUG, name) is not None and not is_reserved(name)


class Model(BaseModel):
    """Base of everything that is configured: frozen, and a typo is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

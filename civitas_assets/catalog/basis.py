"""What all models of the configuration build on: frozen, strict, and with keys that fit for paths and identifiers.

What may be configured is in `model.py` and the connectors.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

SLUG = r"^[a-z][a-z0-9_]{0,47}$"
Slug = Annotated[str, Field(pattern=SLUG)]

# Keys that no tenant may have: there is a place of that name for what tenants share.
COMMONS = "commons"
RESERVED = frozenset({COMMONS})


class Model(BaseModel):
    """Base of everything that is configured: frozen, and a typo is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

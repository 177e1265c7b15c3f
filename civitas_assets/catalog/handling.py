"""How carefully a source's data are handled: what becomes a pseudonym, and what is kept of its answers as received.

How that is done is in the packages `records`, `store` and `ingest`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from civitas_assets.catalog.basis import Slug
from civitas_assets.catalog.licence import Licensed

Period = Literal["never", "year", "quarter", "month", "week", "day"]


class Handling(Licensed):
    """What of a source is kept, and in which form."""

    pseudonymise: tuple[Slug, ...] = Field(
        (), description="Fields such as datastream_id that are kept as pseudonyms, by a key of the tenant."
    )
    pseudonym_period: Period = Field(
        "never",
        description="After which time pseudonyms change: never, year, quarter, month, week or day. Those of different "
        "periods cannot be joined without the key.",
    )
    landing: Literal["keep", "encrypt", "discard"] = Field(
        "keep",
        description="What becomes of answers as received: keep, encrypt (AES-256-GCM), or discard once they were read.",
    )

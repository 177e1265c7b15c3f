"""What each source was last seen to have: the things in its answers, and when those answers last stood.

An answer that stands unchanged is noted by landing alone: nothing is written here until one changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import polars as pl

from civitas_assets.records.contract import UTC_TIME
from civitas_assets.store.addresses import Address
from civitas_assets.store.files import Files
from civitas_assets.store.layout import RecordKeys
from civitas_assets.store.row_files import encode_rows, read_rows

# One row for each thing and answer: its record type and key, the answer's hash, and when it last stood.
SEEN_SCHEMA: dict[str, pl.DataType] = {
    "source": pl.String(),
    "record_type": pl.String(),
    "id": pl.String(),
    "payload": pl.String(),
    "received_at": UTC_TIME,
}
# In place of a record type: that an answer was read, and that it has rows of which nobody knows what they are about.
READ, NAMELESS = "@read", "@nameless"


class SeenStore:
    """What the sources of one tenant were seen to have."""

    def __init__(self, files: Files, tenant: str) -> None:
        self._files = files
        self._root = RecordKeys.for_tenant(tenant).seen

    def read_rows(self, source: str) -> pl.DataFrame:
        """What is noted of the source, in the form of `SEEN_SCHEMA`."""
        rows = read_rows(self._files, self._key(source))
        return pl.DataFrame(schema=SEEN_SCHEMA) if rows is None else rows

    def write(self, source: str, rows: pl.DataFrame) -> None:
        """Replace what is noted of the source."""
        self._files.write(self._key(source), encode_rows(rows.select(*SEEN_SCHEMA)))

    def _key(self, source: str) -> str:
        return f"{self._root}/{source}.parquet"

    def read_last_seen(self, source: str, known: Callable[[], Mapping[str, Address]]) -> pl.DataFrame:
        """When each thing was last seen: `source`, `record_type`, `id` and `last_seen_at`.

        `known` gives what landing knows of each address now, and is only called where things were seen.
        """
        things = self.read_rows(source).filter(~pl.col("record_type").str.starts_with("@"))
        keys = ["source", "record_type", "id"]
        addresses = {} if things.is_empty() else known()
        return (
            add_standing_times(things, addresses)
            .group_by(keys)
            .agg(pl.col("received_at").max().alias("last_seen_at"))
        )


def add_standing_times(
    rows: pl.DataFrame, known: Mapping[str, Address], before: Mapping[str, datetime] | None = None
) -> pl.DataFrame:
    """The rows with the time at which their answers last stood, as landing knows it by now.

    `before` says it of answers, by hash, that others have replaced.
    """
    times = dict(before or {})
    for address in known.values():
        at = address.seen_at
        if at is not None and at > times.get(address.sha256, at):
            times[address.sha256] = at
        elif at is not None:
            times.setdefault(address.sha256, at)
    stood = pl.DataFrame(
        {"payload": [*times], "stood_at": [*times.values()]}, {"payload": pl.String(), "stood_at": UTC_TIME}
    )
    joined = rows.join(stood, on="payload", how="left", maintain_order="left")
    return joined.with_columns(pl.max_horizontal("received_at", "stood_at").alias("received_at")).drop(
        "stood_at"
    )

"""What is news does not depend on whether rows that say what is known are looked at with all others, or set aside."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime

import polars as pl
import pytest

from civitas_assets.records.observation import OBSERVATION
from civitas_assets.store import revisions
from civitas_assets.store.revisions import find_fresh

SCHEMA = OBSERVATION.stored_schema
KEYS = ["source", *OBSERVATION.key]


def drawn(dice: random.Random, count: int) -> pl.DataFrame:
    """Rows of a few keys with few values, so that much is there twice, changed, empty or taken back."""
    rows = [
        {
            "source": dice.choice(["air", "noise"]),
            "datastream_id": dice.choice(["1", "2", None]),
            "phenomenon_start": datetime(2026, 8, 1, dice.randrange(2), tzinfo=UTC),
            "value": dice.choice([None, float("nan"), 1.0, 2.0]),
            "payload": dice.choice(["first", "second"]),
            "received_at": datetime(2026, 8, 2, dice.randrange(2), tzinfo=UTC),
            "day": date(2026, 8, 1),
            "run_id": "run",
            "deleted": dice.random() < 0.1,
        }
        for _ in range(count)
    ]
    return pl.DataFrame([{name: row.get(name) for name in SCHEMA} for row in rows], schema=SCHEMA)


@pytest.mark.parametrize("seed", range(60))
def test_setting_aside_what_is_known_changes_nothing(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(seed)  # noqa: S311 - dice that can be thrown again
    stored = drawn(dice, 9).filter(pl.col("datastream_id").is_not_null())
    stored = stored.with_columns(revision=(1 + pl.int_range(pl.len())).over(KEYS).cast(pl.Int32))
    known = stored.sort("revision").unique(KEYS, keep="last", maintain_order=True)
    came = pl.concat([drawn(dice, seed % 4), known]).drop("revision")
    found = find_fresh(OBSERVATION, came, known)
    monkeypatch.setattr(
        revisions, "_without_unchanged", lambda candidates, existing, *_: (candidates, existing)
    )
    assert found.equals(find_fresh(OBSERVATION, came, known))
    assert seed % 4 or found.is_empty()

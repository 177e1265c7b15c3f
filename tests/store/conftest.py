"""Stores in a folder of the test and in object storage, and records to put into them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from civitas_assets.records import RECORD_TYPES
from civitas_assets.store.files import Files, LocalFiles
from civitas_assets.store.objects import ObjectFiles

NIGHT = datetime(2026, 8, 1, 2, tzinfo=UTC)


@pytest.fixture(params=["folder", "objects"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    """An empty folder, and an empty part of a bucket: what holds for one has to hold for the other."""
    if request.param == "folder":
        return LocalFiles(tmp_path)
    return ObjectFiles(request.getfixturevalue("storage_url"))


@pytest.fixture
def observations() -> Callable[..., pl.DataFrame]:
    """Records from (hour of day, value) in order, of one datastream."""

    def frame(*rows: tuple[int, float | None], day: int = 1, source: str = "s", **more: Any) -> pl.DataFrame:
        contract = RECORD_TYPES["observation"]
        values = {
            "datastream_id": ["d"] * len(rows),
            "phenomenon_start": [datetime(2026, 7, day, hour, tzinfo=UTC) for hour, _ in rows],
            "value": [value for _, value in rows],
            "day": [date(2026, 7, day)] * len(rows),
            "source": [source] * len(rows),
            "payload": ["p"] * len(rows),
            "received_at": [NIGHT] * len(rows),
            "run_id": ["r"] * len(rows),
            **more,
        }
        schema = {name: dtype for name, dtype in contract.stored_schema.items() if name != "revision"}
        return pl.DataFrame({name: values.get(name, [None] * len(rows)) for name in schema}, schema=schema)

    return frame

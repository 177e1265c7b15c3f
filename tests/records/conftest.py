"""Sources that exist only to carry the rules of a test, and the rows of one payload brought into contract."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from civitas_assets.catalog import Source
from civitas_assets.records import RECORD_TYPES, RawTable
from civitas_assets.records.origin import Origin, gather_rows
from civitas_assets.records.typing import TenantPlace, Typed, bring_into_contract

NOW = datetime(2026, 8, 1, 2, tzinfo=UTC)
PLACE = TenantPlace("Europe/Berlin", (11.3, 50.8, 11.8, 51.1))


def make_source(**settings: Any) -> Source:
    """A source with these settings."""
    basics = {
        "connector": "test",
        "title": "Test",
        "licence": "CC0-1.0",
        "url": "https://data.example/",
        "each": {"town": ("jena",)},
    }
    return Source.model_validate({**basics, **settings})


@pytest.fixture
def typed() -> Callable[..., Typed]:
    """Brings columns of one payload into the contract of a record type."""

    def bring(record_type: str, columns: dict[str, Any], **settings: Any) -> Typed:
        source = make_source(**settings)
        raw = RawTable(record_type, pl.DataFrame(columns))
        variables = {"town": "jena"}
        return bring_into_contract(
            RECORD_TYPES[record_type],
            gather_rows([(raw, Origin(variables, "abc", NOW))], source),
            source,
            PLACE,
        )

    return bring

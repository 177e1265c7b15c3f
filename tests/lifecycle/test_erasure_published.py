"""What of published tables is to be erased is looked for wherever something of the tenant is, or that is told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from civitas_assets.catalog import Tenant
from civitas_assets.ingest.summarise import note_published
from civitas_assets.lifecycle.erasure_published import count_published_rows
from civitas_assets.lifecycle.needles import Needles
from civitas_assets.settings import Settings
from civitas_assets.store.files import LocalFiles
from civitas_assets.store.stores import Stores


def test_a_destination_that_holds_something_and_cannot_be_asked_is_told(tmp_path: Path) -> None:
    """Its file does not list it any more, and its server is not set any more."""
    tenant = Tenant.model_validate(
        {"name": "Musterstadt", "ags": "99000001", "bbox": [9.0, 50.0, 10.0, 51.0]}
    ).with_key("town")
    settings, stores = Settings(home=tmp_path), Stores.for_tenant(LocalFiles(tmp_path), "town")
    assert not dict(count_published_rows(settings, tenant, stores, Needles(["dev-17"])))
    at = datetime(2026, 8, 22, tzinfo=UTC)
    note_published(stores.files, "town", "postgres", listed=["duckdb"], at=at, bytes_=7, unmapped={})
    (place,) = (
        place for place, size in count_published_rows(settings, tenant, stores, Needles(["dev-17"])) if size
    )
    assert place == "postgres, which was not looked through"

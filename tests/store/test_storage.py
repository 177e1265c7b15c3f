"""The settings say where the stores are, and a faulty address is refused without being repeated."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from civitas_assets.errors import TenantBusy
from civitas_assets.settings import Settings
from civitas_assets.store.files import LocalFiles
from civitas_assets.store.objects import ObjectFiles
from civitas_assets.store.storage import make_storage


def test_without_an_address_the_stores_are_in_the_home_folder(tmp_path: Path) -> None:
    storage = make_storage(Settings(home=tmp_path))
    assert isinstance(storage.files, LocalFiles)
    storage.files.write("a", b"1")
    assert (tmp_path / "a").read_bytes() == b"1"


@pytest.mark.parametrize("place", ["folder", "objects"])
def test_a_tenant_is_held_once(request: pytest.FixtureRequest, tmp_path: Path, place: str) -> None:
    url = request.getfixturevalue("storage_url") if place == "objects" else ""
    storage = make_storage(Settings(home=tmp_path, storage_url=url))
    assert isinstance(storage.files, ObjectFiles) is (place == "objects")
    with storage.hold("town") as ensure_held:
        ensure_held()
        with pytest.raises(TenantBusy), storage.hold("town"):
            pass
        with storage.hold("other"):
            pass
    with storage.hold("town"):
        pass


@pytest.mark.parametrize(
    "url", ["bucket", "https://bucket.example/", "s3://", "s3://B", "s3://bucket/../x", "s3://bucket/a//b"]
)
def test_an_address_is_that_of_a_bucket(url: str) -> None:
    with pytest.raises(ValidationError, match="write s3://bucket or s3://bucket/prefix"):
        Settings(storage_url=url)


def test_credentials_in_an_address_are_not_repeated() -> None:
    with pytest.raises(ValidationError) as raised:
        Settings(storage_url="s3://key:hunter2@bucket")
    assert "hunter2" not in str(raised.value)

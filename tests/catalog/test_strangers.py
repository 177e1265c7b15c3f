"""A faulty file concerns its tenant only: it stays as it was, or is left out, and what is mended goes on by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from civitas_assets.catalog import Catalog
from civitas_assets.catalog.checks import Check
from civitas_assets.catalog.frame import Frame
from civitas_assets.catalog.last_good import LastGood
from civitas_assets.catalog.load import read_catalog
from civitas_assets.connectors.registry import SOURCE_MODELS
from civitas_assets.errors import CatalogError

Read = Callable[..., Catalog]
FRAME = Frame(secrets=("TOWN_*",))


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Writes files by slug and reads them, with what was good before."""
    folder = tmp_path / "tenants"
    folder.mkdir()

    def write_and_read(*checks: Check, **texts: str) -> Catalog:
        for slug, text in texts.items():
            (folder / f"{slug}.yaml").write_text(text, encoding="utf-8")
        return read_catalog(
            folder, SOURCE_MODELS, LastGood(tmp_path / "last"), checks, frame=FRAME, keep=True
        )

    return write_and_read


FAULTY = ["a: [1", "- no tenant\n", "name: [[[[" + "[" * 40, "sources: {a: {connector: csv, url: {}}}"]


@pytest.mark.parametrize("text", FAULTY)
def test_a_faulty_file_leaves_its_tenant_as_it_was_and_all_others_as_they_are(
    read: Read, right: str, text: str
) -> None:
    read(anton=right, berta=right)
    catalog = read(berta=text)
    assert [*catalog.tenants] == ["anton", "berta"]
    assert [*catalog.faulty] == ["berta"]
    assert [*catalog.get_tenant("berta").sources] == ["counters"], "its last good state"
    assert catalog.get_tenant("berta").faults[0].file == "berta.yaml"
    mended = read(berta=right.replace("counters", "mended"))
    assert not mended.faulty
    assert [*mended.get_tenant("berta").sources] == ["mended"]


@pytest.mark.parametrize("text", FAULTY)
def test_a_faulty_file_of_a_new_tenant_is_left_out_and_its_faults_are_said(
    read: Read, right: str, text: str
) -> None:
    catalog = read(anton=right, berta=text)
    assert (catalog.active, [*catalog.left_out], catalog.keys) == (["anton"], ["berta"], ["anton", "berta"])
    with pytest.raises(CatalogError, match=r"berta\.yaml"):
        catalog.get_tenant("berta")


def test_what_nobody_foresaw_in_a_file_is_a_fault_of_it(read: Read, right: str) -> None:
    def check(tenant: object) -> list[tuple[tuple[str, ...], str]]:
        if "bertas" in str(tenant):
            raise KeyError("something")
        return []

    catalog = read(check, anton=right, berta=right.replace("Musterstadt", "bertas"))
    assert (catalog.active, [*catalog.left_out]) == (["anton"], ["berta"])


def test_a_state_that_is_good_no_longer_is_not_gone_on_with(read: Read, right: str) -> None:
    read(anton=right)

    def check(tenant: object) -> list[tuple[tuple[str, ...], str]]:
        return [(("name",), "is not allowed any more")]

    assert [*read(check, anton="a: [1").left_out] == ["anton"]


def test_who_goes_takes_the_last_state_along_only_with_the_file(
    read: Read, right: str, tmp_path: Path
) -> None:
    read(anton=right, berta=right)
    (tmp_path / "tenants" / "berta.yaml").unlink()
    assert read().keys == ["anton"], "a copy is nobody's file"


def test_of_two_files_of_one_tenant_neither_is_read(read: Read, right: str, tmp_path: Path) -> None:
    read(anton=right, berta=right)
    (tmp_path / "tenants" / "berta.yml").write_text(right.replace("counters", "others"), encoding="utf-8")
    catalog = read(anton=right)
    assert ([*catalog.faulty], [*catalog.get_tenant("berta").sources]) == (["berta"], ["counters"])
    assert "is one of 2 files of berta: keep one" in str(catalog.faulty["berta"][0])

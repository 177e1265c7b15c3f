"""Nobody shares what is not there, and nobody withholds what tells rows apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from civitas_assets.catalog import load_catalog
from civitas_assets.connectors.registry import SOURCE_MODELS
from civitas_assets.dictionary.contracts import read_contracts
from civitas_assets.dictionary.sharing import check_shares
from civitas_assets.errors import CatalogError
from civitas_assets.harmonise.project import Project

TOWN = 'name: Musterstadt\nags: "99000001"\nbbox: [9.95, 50.95, 10.1, 51.1]\nshare:\n'


def check(folder: Path, project: Project, share: str) -> None:
    (folder / "town.yaml").write_text(TOWN + share, encoding="utf-8")
    check_shares(load_catalog(folder, SOURCE_MODELS), read_contracts(project), folder)


def test_models_and_columns_that_are_there_may_be_shared_and_withheld(
    tmp_path: Path, project: Project
) -> None:
    check(tmp_path, project, "  - parking_status\n  - {table: parking_site, withhold: [name, capacity]}\n")


@pytest.mark.parametrize(
    ("share", "line", "field", "hint"),
    [
        ("  - parking_sites", 5, "share.0.table", "did you mean parking_site?"),
        ("  - xyz", 5, "share.0.table", "there is: air_quality_assessment, "),
        (
            "  - source\n  - {table: parking_site, withhold: [nam]}",
            6,
            "share.1.withhold.0",
            "did you mean name?",
        ),
        ("  - {table: parking_site, withhold: [site_key]}", 5, "share.0.withhold.0", "cannot be withheld"),
        ("  - {table: parking_status, withhold: [day]}", 5, "share.0.withhold.0", "cannot be withheld"),
        ("  - {table: source, withhold: [licence]}", 5, "share.0.withhold.0", "cannot be withheld"),
    ],
)
def test_a_fault_is_named_with_its_place_and_what_was_meant(  # noqa: PLR0917
    tmp_path: Path, project: Project, share: str, line: int, field: str, hint: str
) -> None:
    with pytest.raises(CatalogError) as caught:
        check(tmp_path, project, share + "\n")
    (fault,) = caught.value.faults
    assert (fault.file, fault.line, fault.field) == ("town.yaml", line, field)
    assert hint in fault.message

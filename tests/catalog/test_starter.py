"""A new tenant's file is right from the beginning, and being archived is the only thing that changes in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from civitas_assets.catalog import load_catalog
from civitas_assets.catalog.starter import TenantTemplate, set_archived, write_tenant_file
from civitas_assets.connectors.registry import SOURCE_MODELS
from civitas_assets.errors import CatalogError

TOWN = TenantTemplate("musterstadt", 'Stadt "Muster" am See', "99000001", (9.95, 50.95, 10.1, 51.1))


def test_the_file_can_be_loaded_and_explains_itself(tmp_path: Path) -> None:
    file = write_tenant_file(tmp_path / "tenants", TOWN, SOURCE_MODELS)
    tenant = load_catalog(tmp_path / "tenants", SOURCE_MODELS).get_tenant("musterstadt")
    assert (tenant.name, tenant.ags, tenant.bbox) == (TOWN.name, TOWN.ags, TOWN.bbox)
    text = file.read_text(encoding="utf-8")
    assert "MUSTERSTADT_TOKEN" in text
    assert {"share", "retention", "sources"} <= {
        line.lstrip("# ").partition(":")[0] for line in text.splitlines()
    }


def test_what_it_offers_in_comments_is_right_as_well(tmp_path: Path) -> None:
    text = write_tenant_file(tmp_path, TOWN, SOURCE_MODELS).read_text(encoding="utf-8")
    head, _, sources = text.partition("sources: {}\n")
    offered = [line.removeprefix("# ") for line in sources.splitlines() if line.startswith("#   ")]
    opened = head.replace("# share:", "share:").replace("# retention:", "retention:").replace("#   -", "  -")
    (tmp_path / "musterstadt.yaml").write_text(
        opened + "sources:\n" + "\n".join(offered) + "\n", encoding="utf-8"
    )
    tenant = load_catalog(tmp_path, SOURCE_MODELS).get_tenant("musterstadt")
    assert sorted(tenant.sources) == ["air", "parking", "water"]
    assert tenant.shared.keys() == {"station", "parking_status"}
    assert str(tenant.retention.landing) == "90 days"


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"slug": "Musterstadt"}, "must match"),
        ({"slug": "../x"}, "must match"),
        ({"slug": "commons"}, "must not be one of commons"),
        ({"ags": "123"}, "ags"),
        ({"bbox": (10.1, 50.95, 9.95, 51.1)}, "west before east"),
        ({"timezone": "Europe/Musterstadt"}, "IANA"),
        ({"destination": "oracle"}, "must be one of: 'duckdb' or 'postgres'"),
    ],
)
def test_what_is_not_valid_leaves_no_file(tmp_path: Path, change: dict[str, object], hint: str) -> None:
    with pytest.raises(CatalogError, match=hint):
        write_tenant_file(tmp_path / "tenants", replace(TOWN, **change), SOURCE_MODELS)  # type: ignore[arg-type]
    assert not [*tmp_path.rglob("*.yaml")]


def test_a_tenant_that_is_there_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "musterstadt.yml").write_text("name: before\n", encoding="utf-8")
    with pytest.raises(CatalogError, match="there is such a tenant already"):
        write_tenant_file(tmp_path, TOWN, SOURCE_MODELS)
    assert [path.name for path in tmp_path.iterdir()] == ["musterstadt.yml"]


def test_archiving_and_undoing_it_leaves_the_rest_as_it_was(tmp_path: Path) -> None:
    file = write_tenant_file(tmp_path, TOWN, SOURCE_MODELS)
    before = file.read_text(encoding="utf-8")
    assert set_archived(file, archived=True)
    assert not set_archived(file, archived=True)
    assert load_catalog(tmp_path, SOURCE_MODELS).active == []
    assert file.read_text(encoding="utf-8").startswith(before)
    assert set_archived(file, archived=False)
    assert not set_archived(file, archived=False)
    assert file.read_text(encoding="utf-8") == before


def test_archived_false_is_turned_and_not_doubled(tmp_path: Path) -> None:
    file = tmp_path / "town.yaml"
    file.write_text("name: x\narchived: false\nags: y\n", encoding="utf-8")
    assert set_archived(file, archived=True)
    assert yaml.safe_load(file.read_text(encoding="utf-8")) == {"name": "x", "ags": "y", "archived": True}

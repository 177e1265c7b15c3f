"""Proposals as a tenant's file takes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from civitas_assets.catalog import Tenant, load_catalog
from civitas_assets.catalog.known_names import check_names
from civitas_assets.catalog.vocabulary import read_vocabulary
from civitas_assets.connectors.registry import SOURCE_MODELS
from civitas_assets.propose.proposal import Proposal, propose_source
from civitas_assets.settings import PROJECT_DIR

BOX = (7.4, 51.8, 7.8, 52.1)
VOCABULARY = read_vocabulary(PROJECT_DIR / "dbt_project")
HEAD = 'name: Town\nags: "05515000"\nbbox: [7.4, 51.8, 7.8, 52.1]\nsources:\n'

Propose = Callable[..., tuple[Proposal, Any]]  # the source is of the model that its connector has


@pytest.fixture
def proposed(tmp_path: Path) -> Propose:
    """The proposal, and its source as a tenant's file gives it, after all checks of `civitas validate`."""

    def made(body: bytes | str, name: str = "sample.csv", *, near: bool = True) -> tuple[Proposal, Any]:
        tenant = Tenant.model_validate({"name": "Town", "ags": "05515000", "bbox": BOX}).with_key("town")
        raw = body.encode() if isinstance(body, str) else body
        found = propose_source(raw, name, tmp_path / "work", VOCABULARY, tenant if near else None)
        folder = tmp_path / "tenants"
        folder.mkdir(exist_ok=True)
        (folder / "town.yaml").write_text(HEAD + found.yaml, encoding="utf-8")
        catalog = load_catalog(folder, SOURCE_MODELS)
        check_names(catalog, VOCABULARY, folder)
        return found, catalog.get_tenant("town").sources[found.name]

    return made

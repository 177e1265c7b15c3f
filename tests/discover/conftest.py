"""A catalogue on the loopback whose addresses answer what a test says, and the town that looks through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from civitas_assets.catalog import Tenant
from civitas_assets.settings import LOOPBACK, Settings
from testbed.serving import Request, answer, serving

TOWN = {"name": "Neustadt", "ags": "99000009", "bbox": (9.95, 50.95, 10.1, 51.1)}

Routes = dict[str, bytes | Callable[[str], bytes]]


@pytest.fixture
def town() -> Tenant:
    return Tenant.model_validate(TOWN).with_key("neustadt")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A deployment that may reach the loopback."""
    return Settings(home=tmp_path / "home", tenants_dir=tmp_path / "tenants", reachable=LOOPBACK)


@pytest.fixture
def site() -> Iterator[tuple[str, Routes, list[str]]]:
    """The root of a server, what its paths answer, and what was asked of it."""
    routes: Routes = {}
    asked: list[str] = []

    def get(request: Request) -> None:
        asked.append(request.path)
        found: Any = routes.get(request.path) or routes.get(request.path.partition("?")[0])
        body = found(request.path) if callable(found) else found
        answer(request, body or b"<html>there is no such page</html>", 200 if body else 404)

    with serving(get) as port:
        yield f"http://127.0.0.1:{port}", routes, asked


def package(number: int, *resources: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A dataset as CKAN has it; synthetic."""
    return {
        "id": f"id-{number:05}",
        "name": f"satz-{number:05}",
        "title": f"Satz {number}",
        "state": "active",
        "license_id": "dl-de-by-2.0",
        "organization": {"title": "Stadt Neustadt"},
        "resources": [
            {"id": f"r-{number:05}-{place}", **resource} for place, resource in enumerate(resources)
        ],
        **more,
    }

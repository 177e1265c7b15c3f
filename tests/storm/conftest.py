"""What a storm is made of: a place to start runs from, homes, and a publisher."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from civitas_assets.harmonise.project import Project
from tests.storm.homes import Home, Nursery
from tests.storm.town import TENANT, Publisher


@pytest.fixture(scope="session")
def nursery(project: Project) -> Iterator[Nursery]:
    """Starts runs, each in a process of its own."""
    found = Nursery(project.prepared.parent.parent)
    yield found
    found.close()


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    found = Publisher()
    yield found
    found.close()


@pytest.fixture
def new_home(tmp_path: Path, nursery: Nursery, publisher: Publisher) -> Callable[[str], Home]:
    """An empty home of the town."""

    def make(name: str) -> Home:
        tenants = tmp_path / name / "tenants"
        tenants.mkdir(parents=True)
        (tenants / "stadt.yaml").write_text(TENANT.format(url=publisher.url), encoding="utf-8")
        return Home(tmp_path / name, nursery)

    return make

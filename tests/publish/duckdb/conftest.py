"""Two machines that share object storage, and publish one town."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from civitas_assets.harmonise.project import Project
from civitas_assets.publish.duckdb.published_files import PublishedFiles
from civitas_assets.publish.duckdb.shared_file import SharedPublishedFile
from civitas_assets.settings import Settings
from testbed.objects import BUCKET, ObjectServer
from tests.publish.destinations.conftest import Town, declare, make_project


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return make_project(tmp_path_factory.mktemp("small"))


@dataclass
class Machines:
    """Two that share a bucket and have a home each."""

    here: Town
    there: Town
    server: ObjectServer
    prefix: str

    @property
    def stored(self) -> set[str]:
        """Names of the objects of the town's output."""
        return self.server.list_keys(f"{self.prefix}/published/town/")

    @property
    def versions(self) -> list[bytes]:
        """What the versions hold that are in the bucket."""
        found = self.server.bodies(f"{self.prefix}/published/town/")
        return [body for key, body in found.items() if key.endswith(".duckdb")]

    def file(self, town: Town, name: str = "town") -> SharedPublishedFile:
        file = PublishedFiles.from_settings(town.settings).find(name)
        assert isinstance(file, SharedPublishedFile)
        return file

    def copy(self, town: Town, name: str = "town") -> Path:
        """Where a machine has its copy."""
        return self.file(town, name).path


@pytest.fixture
def machines(tmp_path: Path, project: Project, storage_url: str, object_store: ObjectServer) -> Machines:
    def machine(name: str) -> Town:
        settings = Settings(home=tmp_path / name, tenants_dir=tmp_path / "tenants", storage_url=storage_url)
        declare(settings, "town", "duckdb")
        return Town(settings, "duckdb", project)

    return Machines(
        machine("here"), machine("there"), object_store, storage_url.removeprefix(f"s3://{BUCKET}/")
    )

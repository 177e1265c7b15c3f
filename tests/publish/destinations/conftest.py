"""A small project of three models, workspaces filled by hand, and a town on each kind of destination."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import psycopg
import pytest
from pydantic import SecretStr

from civitas_assets.catalog.model import Destination as Kind
from civitas_assets.harmonise.project import Project
from civitas_assets.harmonise.task import Portion, Task
from civitas_assets.harmonise.workspace import Workspace
from civitas_assets.publish.destination import Destination, Publication
from civitas_assets.publish.destinations import make_destination
from civitas_assets.publish.reading import open_published
from civitas_assets.settings import Settings

Columns = Mapping[str, str]
# Columns with `!` are never null.
SITE = {"site_key": "varchar!", "name": "varchar", "lon": "double", "lat": "double", "geometry_wkb": "blob"}
STATUS = {
    "site_key": "varchar!", "observed_at": "timestamptz!", "day": "date!", "free": "integer", "share": "double",
    "is_open": "boolean", "note": "varchar",
}  # fmt: skip
DAILY = {"site_key": "varchar!", "rule": "varchar", "day": "date!", "visits": "bigint"}


def column(name: str, kind: str, renamed_from: str | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "description": f'What {name} is: 100 % of the site\'s "{name}".',
        "data_type": kind.rstrip("!"),
        "config": {"meta": {"renamed_from": renamed_from} if renamed_from else {}},
        "constraints": [{"type": "not_null"}] if kind.endswith("!") else [],
    }


def model(
    name: str, columns: Columns, publish: str, renamed: Mapping[str, str], renamed_from: str | None = None
) -> dict[str, Any]:
    meta = {"publish": publish, "version": "1.0.0", "standard": "none", "example": "select 1"}
    return {
        "name": name,
        "unique_id": f"model.p.{name}",
        "resource_type": "model",
        "fqn": ["p", "shared", "parking", name],
        "description": f"One row per thing and time. It's {name}.",
        "config": {
            "meta": meta | ({"renamed_from": renamed_from} if renamed_from else {}),
            "materialized": "table",
        },
        "columns": {c: column(c, kind, renamed.get(c)) for c, kind in columns.items()},
        "original_file_path": f"models/shared/{name}.sql",
        "tags": [],
    }


def test(name: str, of: str, column_name: str | None, **arguments: Any) -> dict[str, Any]:
    return {
        "name": f"{name}_{of}",
        "resource_type": "test",
        "attached_node": f"model.p.{of}",
        "column_name": column_name,
        "test_metadata": {"name": name, "kwargs": arguments},
        "config": {"severity": "ERROR"},
        "description": "",
        "tags": [],
    }


def make_project(
    folder: Path,
    *,
    status: Columns = STATUS,
    daily: Columns = DAILY,
    site: Columns = SITE,
    renamed: Mapping[str, str] | None = None,
    daily_is: str = "daily",
    daily_key: Sequence[str] = ("site_key", "rule", "day"),
) -> Project:
    """The project, or one with other columns; `renamed` says what columns were called before."""
    was = "daily" if daily_is != "daily" else None
    nodes = [
        model("site", site, "replace_all", renamed or {}),
        model("status", status, "replace_days", renamed or {}),
        model(daily_is, daily, "replace_days", renamed or {}, was),
        test("unique_combination", "site", None, columns=["site_key"]),
        test("unique_combination", "status", None, columns=["site_key", "observed_at"]),
        test("unique_combination", daily_is, None, columns=[*daily_key]),
        test("refers_to", daily_is, "site_key", to="ref('site')", field="site_key"),
    ]
    source = {"source.p.parking_status": {"name": "parking_status"}}
    manifest = {
        "nodes": {node.get("unique_id", f"test.p.{number}"): node for number, node in enumerate(nodes)},
        "sources": source,
        "parent_map": {"model.p.site": [], "model.p.status": [*source], f"model.p.{daily_is}": [*source]},
    }
    (folder / "target").mkdir(parents=True)
    (folder / "target" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return Project(folder, folder)


Rows = Sequence[Mapping[str, Any]]


@dataclass
class Town:
    """A tenant, and what runs publish of it."""

    settings: Settings
    kind: Kind
    project: Project
    slug: str = "town"
    pauses: list[float] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None

    def pause(self, seconds: float) -> None:
        """Waits no longer than it takes to note that; a test may do something meanwhile."""
        self.pauses.append(seconds)
        self.meanwhile()

    @property
    def destination(self) -> Destination:
        made = make_destination(self.settings, self.slug, self.kind)
        if self.kind == "postgres":
            made._server = replace(made._server, pause=self.pause)  # type: ignore[attr-defined]
        return made

    def workspace(
        self, days: Sequence[date], rows: Mapping[str, Rows], *, rebuild: bool = False
    ) -> Workspace:
        """A workspace in which dbt has made these rows for these days."""
        workspace = Workspace(self.settings.workspaces / self.slug)
        workspace.remove()
        workspace.folder.mkdir(parents=True)
        with duckdb.connect(str(workspace.database)) as connection:
            connection.execute("set TimeZone = 'UTC'; create schema shared; create schema records")
            connection.execute("create table records.affected_day (day date)")
            for day in days:
                connection.execute("insert into records.affected_day values (?)", [day])
            for name, made in self.project.models.items():
                columns = ", ".join(f'"{c}" {kind}' for c, kind in made.types.items())
                connection.execute(f'create table shared."{name}" ({columns})')
                for row in rows.get(name, ()):
                    places = ", ".join("?" * len(row))
                    names = ", ".join(f'"{c}"' for c in row)
                    statement = f'insert into shared."{name}" ({names}) values ({places})'  # noqa: S608
                    connection.execute(statement, [*row.values()])
        task = Task(tuple(days), rebuild, {}, len(days) if rebuild else 0)
        (workspace.folder / "task.json").write_bytes(msgspec.json.encode(task))
        return workspace

    def publish(
        self, days: Sequence[date] = (), *, rebuild: bool = False, run_id: str = "run", **rows: Rows
    ) -> Publication:
        return self.destination.publish(self.project, self.workspace(days, rows, rebuild=rebuild), run_id)

    def collect(self, versions: Mapping[date, str], **rows: Rows) -> None:
        workspace = self.workspace([*versions], rows, rebuild=True)
        self.destination.collect(self.project, workspace, Portion(versions))

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """What an analyst gets, with DuckDB's SQL."""
        with open_published(self.settings, self.slug) as tables:
            return tables.query_first(sql, 1000)[2]

    def neighbour(self, slug: str) -> Town:
        """Another tenant of the same deployment."""
        declare(self.settings, slug, self.kind)
        return Town(self.settings, self.kind, self.project, slug, self.pauses)


def declare(settings: Settings, slug: str, kind: Kind) -> None:
    settings.tenants_dir.mkdir(parents=True, exist_ok=True)
    (settings.tenants_dir / f"{slug}.yaml").write_text(f"destination: {kind}\n", encoding="utf-8")


def make_town(folder: Path, kind: Kind, project: Project, url: str | None) -> Town:
    settings = Settings(
        home=folder / "home", tenants_dir=folder / "tenants", postgres_url=SecretStr(url) if url else None
    )
    declare(settings, "town", kind)
    return Town(settings, kind, project)


MakeRow = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The small project."""
    return make_project(tmp_path_factory.mktemp("small"))


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., Project]:
    """Makes other versions of the project."""
    return lambda **changes: make_project(tmp_path / f"changed-{len(list(tmp_path.iterdir()))}", **changes)


@pytest.fixture(params=["duckdb", "postgres", "newest_postgres"])
def town(request: pytest.FixtureRequest, tmp_path: Path, project: Project) -> Town:
    """A town on each kind of destination; PostgreSQL in the version that is installed, and in the newest."""
    if request.param == "duckdb":
        return make_town(tmp_path, "duckdb", project, None)
    return make_town(tmp_path, "postgres", project, request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def postgres_town(tmp_path: Path, project: Project, postgres_url: str) -> Town:
    """A town on PostgreSQL."""
    return make_town(tmp_path, "postgres", project, postgres_url)


@pytest.fixture
def database(postgres_url: str) -> Iterator[psycopg.Connection]:
    """A connection of the database's owner."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def site() -> MakeRow:
    """A site's row."""
    return lambda key, **more: {"site_key": key, "name": f"Site {key}", "lon": 9.1, "lat": 50.1, **more}


@pytest.fixture
def status() -> MakeRow:
    """A status' row."""
    return lambda key, day, free, **more: {
        "site_key": key,
        "observed_at": f"{day}T12:00:00Z",
        "day": day,
        "free": free,
        **more,
    }

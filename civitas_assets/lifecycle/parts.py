"""What belongs to a tenant, part by part: how much there is of it, and how it is removed.

Which parts are removed, and in what order, is decided in `removal.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec

from civitas_assets.catalog.basis import is_key
from civitas_assets.catalog.last_good import LastGood
from civitas_assets.catalog.model import Destination as Kind
from civitas_assets.catalog.yaml_text import locate_file
from civitas_assets.harmonise.workspace import Workspace
from civitas_assets.messages.delivery import list_sent_marks
from civitas_assets.publish.commons import Commons
from civitas_assets.publish.destinations import make_commons
from civitas_assets.publish.duckdb.published_file import PublishedFile
from civitas_assets.publish.duckdb.published_files import PublishedFiles
from civitas_assets.publish.postgres.postgres_names import Names
from civitas_assets.publish.postgres.postgres_roles import count_objects, remove_roles
from civitas_assets.publish.postgres.postgres_server import Server
from civitas_assets.report.kept_pages import Pages
from civitas_assets.settings import Settings
from civitas_assets.store.files import Files, remove_folder
from civitas_assets.store.layout import TENANT_FOLDERS, list_archives


class Size(msgspec.Struct, frozen=True):
    """How much there is: files or objects, their bytes, and rows or events where that is what counts."""

    files: int = 0
    bytes: int = 0
    rows: int = 0

    def __bool__(self) -> bool:
        return bool(self.files or self.rows)

    def __add__(self, other: Size) -> Size:
        return Size(self.files + other.files, self.bytes + other.bytes, self.rows + other.rows)


@dataclass(frozen=True)
class Part:
    """One place in which something of a tenant is; removing it twice does no harm."""

    name: str
    measure: Callable[[], Size]
    remove: Callable[[], object]


def list_tenant_parts(settings: Settings, files: Files, tenant: str) -> Sequence[Part]:
    """Everything outside Dagster, in the order in which it goes: first what runs it, then what others see of it.

    Where a PostgreSQL server is set, it is asked for what is there, whatever the tenant's file says today.
    """
    server = Server.from_settings(settings) if settings.postgres_url else None
    kinds: Sequence[Kind] = ("duckdb", "postgres") if server else ("duckdb",)
    commons = [make_commons(settings, files, kind) for kind in kinds]
    output = PublishedFiles.from_settings(settings).find(tenant)
    file = locate_file(settings.tenants_dir, tenant)
    configuration = [file, LastGood(settings.last_good).find_file(tenant)]
    return [
        Part(
            "configuration",
            partial(_on_disk, configuration),
            partial(_remove_files, [*configuration, settings.parsed_tenants]),
        ),
        Part("commons", partial(_shared, commons, tenant), partial(_forget, commons, tenant)),
        Part("output", partial(_measure, output), output.remove),
        _stored("reports", files, partial(_own, "reports", tenant)),
        Part("overview", partial(_overviews, files), lambda: files.delete_all(Pages(files).overviews())),
        _stored("drop", files, partial(_own, "drop", tenant)),
        *([_schemas(server, settings, Names(tenant))] if server and is_key(tenant) else []),
        *(_stored(name, files, partial(_own, name, tenant)) for name in TENANT_FOLDERS),
        Part(
            "messages",
            partial(_told, files, tenant),
            lambda: files.delete_all(list_sent_marks(files, tenant)),
        ),
        _stored("aside", files, partial(_put_aside, files, tenant)),
        Part("workspaces", partial(_left_behind, settings, tenant), partial(_sweep, settings, tenant)),
    ]


def _remove_files(files: Iterable[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)


def _overviews(files: Files) -> Size:
    """The pages of all tenants, which name this one too; the next report or run makes them anew."""
    found = [len(files.read(key) or b"") for key in Pages(files).overviews()]
    return Size(len(found), sum(found))


def _stored(name: str, files: Files, prefixes: Callable[[], Iterable[str]]) -> Part:
    def measure() -> Size:
        sizes = list[int]()
        for prefix in prefixes():
            sizes += [stamp.size for stamp in files.list_stamps(prefix).values()]
            sizes += files.list_unfinished(prefix).values()
        return Size(len(sizes), sum(sizes))

    def remove() -> None:
        for prefix in prefixes():
            files.clear(prefix)

    return Part(name, measure, remove)


def _own(name: str, tenant: str) -> Sequence[str]:
    return [f"{name}/{tenant}/"]


def _put_aside(files: Files, tenant: str) -> Sequence[str]:
    return [f"{root}/" for root in list_archives(files, tenant)]


def _told(files: Files, tenant: str) -> Size:
    return Size(len(list_sent_marks(files, tenant)))


def _forget(commons: Sequence[Commons], tenant: str) -> None:
    for one in commons:
        one.forget(tenant)


def _left_behind(settings: Settings, tenant: str) -> Size:
    return _on_disk(list_workspaces(settings, tenant))


def _sweep(settings: Settings, tenant: str) -> None:
    for folder in list_workspaces(settings, tenant):
        remove_folder(folder)


def _schemas(server: Server, settings: Settings, names: Names) -> Part:
    remove = partial(remove_roles, server, names, Server.find_query_login(settings, names.slug))
    return Part("database", lambda: Size(rows=count_objects(server, names)), remove)


def _shared(commons: Sequence[Commons], tenant: str) -> Size:
    return Size(rows=sum(one.count_rows_of(tenant) for one in commons))


def _measure(output: PublishedFile) -> Size:
    sizes = output.measure()
    return Size(len(sizes), sum(sizes))


def _on_disk(places: Iterable[Path]) -> Size:
    found = [
        path.stat().st_size
        for place in places
        for path in ([place] if place.is_file() else place.rglob("*"))
        if path.is_file()
    ]
    return Size(len(found), sum(found))


def list_workspaces(settings: Settings, tenant: str) -> Sequence[Path]:
    """What runs of the tenant have left behind."""
    folders = settings.workspaces.iterdir() if settings.workspaces.is_dir() else ()
    return [folder for folder in folders if folder.is_dir() and _is_of(folder, tenant)]


def _is_of(folder: Path, tenant: str) -> bool:
    """By its name, also where it was never finished, or by what is in it: copies of records, or a workspace."""
    by_name = folder.name.rpartition("-")[2] == tenant or (folder / "records" / tenant).is_dir()
    return by_name or Workspace(folder).read_tenant() == tenant

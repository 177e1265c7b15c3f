"""What all steps share: catalogue, settings, stores, dbt project and clock.

Built once per process and handed to whoever takes steps, so that tests can hold every part.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import msgspec

from civitas_assets.catalog import Catalog, Tenant
from civitas_assets.catalog.cadence import Cadence
from civitas_assets.catalog.checks import Check
from civitas_assets.catalog.file_stamps import list_file_stamps
from civitas_assets.catalog.model import Destination as Kind
from civitas_assets.connectors.reachable import Reachable
from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.dictionary.contracts import read_contracts
from civitas_assets.dictionary.sharing import find_share_faults
from civitas_assets.errors import PublishError
from civitas_assets.harmonise.prepare import prepare_project
from civitas_assets.harmonise.project import Project
from civitas_assets.harmonise.task import Portion, Task, Versions, plan_task, split_into_portions
from civitas_assets.harmonise.workspace import Workspace
from civitas_assets.ingest.catalogue import load_catalogue
from civitas_assets.publish.commons import Commons, Members, list_members
from civitas_assets.publish.destination import Destination
from civitas_assets.publish.destinations import make_commons, make_destination
from civitas_assets.publish.rebuild import Rebuild
from civitas_assets.settings import Settings, read_secret
from civitas_assets.store.files import Files
from civitas_assets.store.storage import make_storage
from civitas_assets.store.stores import Stores
from civitas_assets.store.summary import SummaryStore

log = logging.getLogger("civitas_assets.publish")


def get_utc_now() -> datetime:
    """The time of the machine, with its zone."""
    return datetime.now(UTC)


@dataclass
class _Latest:
    """What was read last of the tenants' files; nothing before any of them has changed."""

    catalog: Catalog | None = None


@dataclass(frozen=True)
class Deployment:
    """One installation: whose tenants, where their data is, and what time it is."""

    catalog: Catalog
    settings: Settings
    project: Project
    now: Callable[[], datetime] = get_utc_now
    _latest: _Latest = field(default_factory=_Latest, repr=False, compare=False)

    def with_current_catalog(self) -> Deployment:
        """The same with the tenants' files as they are now, which are read again where one has changed.

        Schedules and sensors ask it at each tick, so that they go on with what somebody mends, adds or takes away.
        """
        catalog = self._latest.catalog or self.catalog
        folder = self.settings.tenants_dir
        if catalog.stamps and folder.is_dir() and list_file_stamps(folder) != catalog.stamps:
            catalog = self._latest.catalog = _load(self.settings, self.project)
        return self if catalog is self.catalog else replace(self, catalog=catalog)

    @property
    def active(self) -> list[Tenant]:
        """The tenants for which something runs; nothing does for one that is archived."""
        return [self.catalog.get_tenant(slug) for slug in self.catalog.active]

    def list_startable_tenants(self) -> list[Tenant]:
        """The active tenants as they are now, of those that were there when Dagster loaded: they have a partition."""
        keys = {*self.catalog.keys}
        return [tenant for tenant in self.with_current_catalog().active if tenant.slug in keys]

    def list_scheduled_tenants(self, cadence: Cadence) -> list[str]:
        """The tenants that have a source of this cadence."""
        return [
            tenant.slug
            for tenant in self.active
            if any(source.cadence == cadence for source in tenant.sources.values())
        ]

    @property
    def files(self) -> Files:
        """Landing, record store, quarantine and drop folders."""
        return make_storage(self.settings).files

    def make_stores(self, tenant: Tenant) -> Stores:
        """The stores of a tenant."""
        return Stores.for_tenant(self.files, tenant.slug)

    def make_destination(self, tenant: Tenant, kind: Kind) -> Destination:
        """Where the tenant's shared models land, of one kind."""
        return make_destination(self.settings, tenant.slug, kind)

    @property
    def kinds(self) -> Sequence[Kind]:
        """The kinds of destinations that tenants use."""
        used = {kind for tenant in self.catalog.tenants.values() for kind in tenant.destinations}
        return sorted(used or {"duckdb"})

    def has_server(self, kind: Kind) -> bool:
        """Whether it is said where destinations of this kind are."""
        return kind != "postgres" or self.settings.postgres_url is not None

    def make_commons(self, kind: Kind) -> tuple[Commons, Members]:
        """Where what tenants of that kind of destination share meets, and all who share something there."""
        return make_commons(self.settings, self.files, kind), list_members(self.catalog, kind)

    def plan_tasks(self, tenant: Tenant, kinds: Iterable[Kind], *, rebuild: bool) -> Mapping[Kind, Task]:
        """What is to be harmonised and published, by destination; without those that are as they should be.

        A destination that cannot be asked is left out, and said in the log: what is published to it says so itself.

        Raises:
            PublishError: one cannot be asked, and there is nothing to do for any other.
        """
        tasks, failed = dict[Kind, Task](), list[PublishError]()
        for kind in kinds:
            try:
                task = self._plan_task(tenant, kind, rebuild=rebuild)
            except PublishError as error:
                failed.append(error)
            else:
                if task is not None:
                    tasks[kind] = task
        if failed and not tasks:
            raise failed[0]
        for left_out in failed:
            log.warning("%s · left out for now: %s", tenant.slug, left_out)
        return tasks

    def _plan_task(self, tenant: Tenant, kind: Kind, *, rebuild: bool) -> Task | None:
        """None where destination and commons are as they should be."""
        lacks = self.make_destination(tenant, kind).plan_migration(self.project)
        commons, members = self.make_commons(kind)
        evolves = bool(lacks.steps) or not commons.is_current(tenant.slug, members)
        rebuild = rebuild or bool(lacks.reasons) or kind in self._read_outdated(tenant)
        return plan_task(self.make_stores(tenant), rebuild=rebuild, evolves=evolves, destination=kind)

    def _read_outdated(self, tenant: Tenant) -> Collection[str]:
        return SummaryStore(self.files, tenant.slug).read().outdated

    def start_task(
        self, tenant: Tenant, tasks: Mapping[Kind, Task]
    ) -> tuple[Sequence[tuple[Task, Portion]], Rebuild | None]:
        """Begin on the first of the tasks, for all destinations that have the same one; a rebuild is for one alone.

        A rebuild is made in portions that fit into memory, the last of which is to be published. So many days as a
        thing of many years brings with a new name are made as one, too: readers see all of it at once. What an
        interrupted rebuild has collected is left out. Each task says what it is made of, and which publication it is to
        take the place of.
        """
        first, task = next(iter(tasks.items()))
        versions, size = self.read_versions(tenant), self.settings.rebuild_portion
        if not task.rebuild and versions.are_most(task.days, size):
            task = plan_task(self.make_stores(tenant), rebuild=True) or task
        kinds = [first] if task.rebuild else [kind for kind, same in tasks.items() if same == task]
        basis: dict[str, str] = {
            kind: self.make_destination(tenant, kind).read_publication() for kind in kinds
        }
        task = versions.mark(task, basis)
        if not task.rebuild:
            return [(task, Portion({}))], None
        rebuild = Rebuild.start(self.make_destination(tenant, first), self.project, task.days)
        rows = self.make_stores(tenant).records.count_rows(task.days)
        found = split_into_portions(task, versions, rebuild.made, rows, size=size)
        return [(msgspec.structs.replace(task, days=portion.days), portion) for portion in found], rebuild

    def read_versions(self, tenant: Tenant) -> Versions:
        """The versions of all that the tenant's rows are made of now."""
        return Versions.read_now(
            self.make_stores(tenant), f"{self.project.prepared.name} {tenant.model_dump_json()}"
        )

    def open_workspace(self, name: str) -> Workspace:
        """The workspace of that name: of a tenant in a run."""
        return Workspace(self.settings.workspaces / name)

    def make_http_client(self) -> HttpClient:
        """The one client, with this deployment's name and secrets."""
        reachable = Reachable.from_settings(self.settings)
        return HttpClient(self.settings.user_agent, clock=self.now, secrets=read_secret, reachable=reachable)


def list_catalog_checks(project: Project) -> Sequence[Check]:
    """What each tenant is held against beside the form of its file: what it shares must be there."""
    contracts = read_contracts(project)
    return [lambda tenant: find_share_faults(tenant, contracts)]


def load_deployment(settings: Settings | None = None, catalog: Catalog | None = None) -> Deployment:
    """The deployment that the environment describes; a tenant's faulty file concerns that tenant only.

    Raises:
        CatalogError: there is no folder of tenants' files.
        HarmoniseError: the dbt project cannot be parsed.
    """
    settings = settings or Settings()
    project = prepare_project(settings)
    return Deployment(catalog or _load(settings, project), settings, project)


def _load(settings: Settings, project: Project) -> Catalog:
    name = project.prepared.name  # which stands for all that the project says
    return load_catalogue(settings, list_catalog_checks(project), keep=True, checks_name=name)

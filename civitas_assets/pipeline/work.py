"""One tenant's turn in a run: what the steps of the pipeline are given, and what of it they may be asked for.

The steps themselves are beside their assets; a run of one tenant and a batch of many call the same ones.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from civitas_assets.catalog import Tenant
from civitas_assets.catalog.destination_kinds import DESTINATIONS
from civitas_assets.catalog.destination_kinds import Destination as Kind
from civitas_assets.catalog.yaml_text import locate_file
from civitas_assets.errors import PublishError, StoreError
from civitas_assets.harmonise.kept_runs import remove_stale_workspaces
from civitas_assets.harmonise.task import Task
from civitas_assets.harmonise.workspace import Workspace
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.turn_scope import Scope
from civitas_assets.publish.noted import list_held_destinations
from civitas_assets.store.record_archive import finish_archiving
from civitas_assets.store.storage import make_storage
from civitas_assets.store.stores import Stores

log = logging.getLogger("civitas_assets.publish")


@dataclass(frozen=True)
class Work:
    """What a step needs to know; without `keys`, names of assets, all of its assets are wanted.

    A step waits as long as `patience`, in seconds, for another process that works for the tenant.
    """

    deployment: Deployment
    tenant: Tenant
    scope: Scope
    run_id: str
    keys: frozenset[str] | None = None
    lock_timeout: float = 0.0

    def wants(self, asset: str) -> bool:
        """Whether the run is asked for this asset."""
        return self.keys is None or asset in self.keys

    @property
    def stores(self) -> Stores:
        """The tenant's stores."""
        return self.deployment.make_stores(self.tenant)

    @property
    def workspace(self) -> Workspace:
        """The tenant's workspace in this run."""
        return self.deployment.open_workspace(f"{self.run_id}-{self.tenant.slug}")

    @contextmanager
    def begin(self) -> Iterator[None]:
        """Hold the tenant's lock at the beginning of its turn, and do first what waits for nothing that may fail after.

        Workspaces that were left over go, also where nothing is to be published; then what nobody shares any more is
        taken out of the commons, and what was being archived is. The commons' end of it is `Commons.refresh`.

        Raises:
            TenantBusy, StoreError: as `hold_lock` does.
        """
        with self.hold_lock():
            remove_stale_workspaces(self.deployment.settings.workspaces, self.deployment.now())
            self._unshare()
            finish_archiving(self.deployment.files, self.tenant.slug)
            yield

    def _unshare(self) -> None:
        """Take out of the commons what nobody shares any more, also where no tenant lists their kind any more.

        Where that fails, the run goes on: bringing the commons up to date tries again, and reports it.
        """
        deployment = self.deployment
        for kind in DESTINATIONS:
            if kind not in deployment.kinds and not (
                deployment.has_server(kind)
                and kind in list_held_destinations(deployment.settings, deployment.files, self.tenant.slug)
            ):
                continue
            try:
                commons, members = deployment.make_commons(kind)
                rows = commons.unshare(members)
            except PublishError as error:
                log.error("commons · what is not shared any more could not be taken out yet: %s", error)
            else:
                if rows:
                    log.info("commons · %d rows are not shared any more, and were taken out", rows)

    def plan_tasks(self, kinds: Iterable[Kind]) -> Mapping[Kind, Task]:
        """What is to be harmonised and published in these destinations of the tenant; see `Deployment`."""
        return self.deployment.plan_tasks(self.tenant, kinds, rebuild=self.scope.rebuild)

    @contextmanager
    def hold_lock(self) -> Iterator[Callable[[], None]]:
        """Hold the tenant's lock.

        What is yielded raises where the lock may be another's by now: to be called before what cannot be repeated.

        Raises:
            TenantBusy: another process works for the tenant.
            StoreError: nobody should, as it is archived or was removed.
        """
        settings, slug = self.deployment.settings, self.tenant.slug
        if self.tenant.archived:
            raise StoreError(f"{slug} is archived; to go on with it: civitas tenant archive {slug} --undo")
        if not locate_file(settings.tenants_dir, slug).is_file() and self._was_removed():
            raise StoreError(f"{slug} was removed; have Dagster load the tenants' files again")
        with make_storage(settings).hold(slug, self.lock_timeout) as ensure_held:
            yield ensure_held

    def _was_removed(self) -> bool:
        from civitas_assets.lifecycle.removal import is_removed  # noqa: PLC0415 - with all destinations

        return is_removed(self.deployment.files, self.tenant.slug)

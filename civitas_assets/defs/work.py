"""One tenant's turn in a run: what the steps of the pipeline are given, and what of it they may be asked for.

The steps themselves are beside their assets; a run of one tenant and a batch of many call the same ones.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import dagster as dg

from civitas_assets.catalog import Tenant
from civitas_assets.catalog.yaml_text import locate_file
from civitas_assets.defs.deployment import Deployment
from civitas_assets.defs.runs import SHELL_TAG
from civitas_assets.defs.scope import RunScope
from civitas_assets.errors import CivitasError, PublishError, StoreError, TestsFailed
from civitas_assets.harmonise.workspace import Workspace
from civitas_assets.store.storage import make_storage
from civitas_assets.store.stores import Stores

log = logging.getLogger("civitas_assets.publish")
_LOCK_TIMEOUT = 900.0

Result: TypeAlias = "dg.MaterializeResult[Any] | dg.AssetCheckResult"


@dataclass(frozen=True)
class Work:
    """What a step needs to know; without `keys`, all of its assets are wanted.

    A step waits as long as `patience`, in seconds, for another process that works for the tenant.
    """

    deployment: Deployment
    tenant: Tenant
    scope: RunScope
    run_id: str
    keys: frozenset[dg.AssetKey] | None = None
    lock_timeout: float = 0.0

    @classmethod
    def from_context(cls, context: dg.AssetExecutionContext, deployment: Deployment, scope: RunScope) -> Work:
        """The work of a run of one tenant."""
        tenant = deployment.catalog.get_tenant(context.partition_key)
        keys = frozenset(context.selected_asset_keys)
        lock_timeout = 0.0 if SHELL_TAG in context.run.tags else _LOCK_TIMEOUT
        return cls(deployment, tenant, scope, context.run.run_id, keys, lock_timeout)

    def wants(self, key: dg.AssetKey) -> bool:
        """Whether the run is asked for this asset."""
        return self.keys is None or key in self.keys

    @property
    def stores(self) -> Stores:
        """The tenant's stores."""
        return self.deployment.make_stores(self.tenant)

    @property
    def workspace(self) -> Workspace:
        """The tenant's workspace in this run."""
        return self.deployment.open_workspace(f"{self.run_id}-{self.tenant.slug}")

    def unshare(self) -> None:
        """Take out of the commons what nobody shares any more, before anything else can fail.

        Where that fails, the run goes on: bringing the commons up to date tries again, and reports it.
        """
        for kind in sorted({tenant.destination for tenant in self.deployment.catalog.tenants.values()}):
            try:
                commons, members = self.deployment.make_commons(kind)
                rows = commons.unshare(members)
            except PublishError as error:
                log.error("commons · what is not shared any more could not be taken out yet: %s", error)
            else:
                if rows:
                    log.info("commons · %d rows are not shared any more, and were taken out", rows)

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


@contextmanager
def raise_as_failures() -> Iterator[None]:
    """Errors raised on purpose become failures of the run that show their text, not a traceback."""
    try:
        yield
    except CivitasError as error:
        place = {"workspace": error.workspace} if isinstance(error, TestsFailed) and error.workspace else {}
        raise dg.Failure(str(error), metadata=place, allow_retries=False) from error

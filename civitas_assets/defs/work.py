"""One tenant's turn in a run: what the steps of the pipeline are given, and what of it they may be asked for.

The steps themselves are beside their assets; a run of one tenant and a batch of many call the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import dagster as dg

from civitas_assets.catalog import Tenant
from civitas_assets.defs.deployment import Deployment
from civitas_assets.defs.scope import Scope
from civitas_assets.errors import CivitasError, TestsFailed
from civitas_assets.harmonise.workspace import Workspace
from civitas_assets.store.locks import tenant_lock
from civitas_assets.store.stores import Stores

TENANT_TAG = "civitas/tenant"
CADENCE_TAG = "civitas/cadence"
SHELL_TAG = "civitas/shell"  # somebody waits for the run and sees at once that the tenant is busy
_PATIENCE = 900.0

Result: TypeAlias = "dg.MaterializeResult[Any] | dg.AssetCheckResult"


@dataclass(frozen=True)
class Work:
    """What a step needs to know; without `keys`, all of its assets are wanted.

    A step waits as long as `patience`, in seconds, for another process that works for the tenant.
    """

    deployment: Deployment
    tenant: Tenant
    scope: Scope
    run_id: str
    keys: frozenset[dg.AssetKey] | None = None
    patience: float = 0.0

    @classmethod
    def of(cls, context: dg.AssetExecutionContext, deployment: Deployment, scope: Scope) -> Work:
        """The work of a run of one tenant."""
        tenant = deployment.catalog.tenant(context.partition_key)
        keys = frozenset(context.selected_asset_keys)
        patience = 0.0 if SHELL_TAG in context.run.tags else _PATIENCE
        return cls(deployment, tenant, scope, context.run.run_id, keys, patience)

    def wants(self, key: dg.AssetKey) -> bool:
        """Whether the run is asked for this asset."""
        return self.keys is None or key in self.keys

    @property
    def stores(self) -> Stores:
        """The tenant's stores."""
        return self.deployment.stores(self.tenant)

    @property
    def workspace(self) -> Workspace:
        """The tenant's workspace in this run."""
        return self.deployment.workspace(f"{self.run_id}-{self.tenant.slug}")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the tenant's lock.

        Raises:
            TenantBusy: another process works for the tenant.
        """
        with tenant_lock(self.deployment.settings.locks, self.tenant.slug, self.patience):
            yield


@contextmanager
def failures_in_words() -> Iterator[None]:
    """Errors raised on purpose become failures of the run that show their text, not a traceback."""
    try:
        yield
    except CivitasError as error:
        place = {"workspace": error.workspace} if isinstance(error, TestsFailed) and error.workspace else {}
        raise dg.Failure(str(error), metadata=place, allow_retries=False) from error

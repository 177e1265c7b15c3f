"""How assets take the steps of the pipeline: what they are told, and what they say, in Dagster's terms."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import dagster as dg

from civitas_assets.defs.asset_checks import DagsterResult, to_dagster
from civitas_assets.defs.runs import SHELL_TAG
from civitas_assets.defs.scope import RunScope
from civitas_assets.defs.shell_runs import record_shell_runs
from civitas_assets.defs.shown_numbers import show_numbers
from civitas_assets.errors import CivitasError, TestsFailed
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.results import Result
from civitas_assets.pipeline.work import Work

_LOCK_TIMEOUT = 900.0


def build_work(context: dg.AssetExecutionContext, deployment: Deployment, scope: RunScope) -> Work:
    """The work of a run of one tenant; what came before it from the shell is in the history by then."""
    record_shell_runs(deployment.settings, context.instance)
    tenant = deployment.catalog.get_tenant(context.partition_key)
    keys = frozenset("/".join(key.path) for key in context.selected_asset_keys)
    lock_timeout = 0.0 if SHELL_TAG in context.run.tags else _LOCK_TIMEOUT
    return Work(deployment, tenant, scope.to_scope(), context.run.run_id, keys, lock_timeout)


def take_step(step: Callable[[], Iterator[Result]]) -> Iterator[DagsterResult]:
    """What a step says, one after the other.

    Errors raised on purpose become failures of the run that show their text, not a traceback.
    """
    try:
        for result in step():
            said = to_dagster(result)
            yield said._replace(metadata=show_numbers(said.metadata or {}))
    except CivitasError as error:
        place = {"workspace": error.workspace} if isinstance(error, TestsFailed) and error.workspace else {}
        raise dg.Failure(str(error), metadata=place, allow_retries=False) from error

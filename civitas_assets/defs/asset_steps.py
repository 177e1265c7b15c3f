"""How assets take the steps of the pipeline: what they are told, and what they say, in Dagster's terms."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import dagster as dg

from civitas_assets.defs.asset_checks import DagsterResult, build_partitions, to_dagster
from civitas_assets.defs.runs import SHELL_TAG
from civitas_assets.defs.scope import RunScope
from civitas_assets.defs.shell_runs import record_shell_runs
from civitas_assets.defs.shown_numbers import show_numbers
from civitas_assets.errors import UNFORESEEN, CivitasError, Problem, TestsFailed
from civitas_assets.ingest.isolation import capture_errors
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.night_entry import build_reports
from civitas_assets.pipeline.results import Result
from civitas_assets.pipeline.work import Work
from civitas_assets.store.step_reports import StepReport, StepReports

_LOCK_TIMEOUT = 900.0


def build_step_assets(
    deployment: Deployment,
    name: str,
    step: Callable[[Work], Iterator[Result]],
    specs: Sequence[dg.AssetSpec],
    checks: Sequence[dg.AssetCheckSpec] = (),
    *,
    op_tags: Mapping[str, str] | None = None,
) -> dg.AssetsDefinition:
    """The assets that a step of the pipeline makes, each tenant a partition of them; a run may select some.

    What the step says is told one after the other, and its reports are left for the step that notes what became of
    the run. Errors raised on purpose become failures of the run that show their text, not a traceback.
    """

    @dg.multi_asset(
        name=name,
        specs=specs,
        check_specs=checks,
        partitions_def=build_partitions(deployment),
        op_tags=op_tags,
        can_subset=True,
    )
    def take(context: dg.AssetExecutionContext, scope: RunScope) -> Iterator[Any]:
        yield from _take_step(name, _build_work(context, deployment, scope), step)

    return take


def _build_work(context: dg.AssetExecutionContext, deployment: Deployment, scope: RunScope) -> Work:
    """The work of a run of one tenant; what came before it from the shell is in the history by then."""
    record_shell_runs(deployment.settings, context.instance)
    tenant = deployment.catalog.get_tenant(context.partition_key)
    keys = frozenset("/".join(key.path) for key in context.selected_asset_keys)
    lock_timeout = 0.0 if SHELL_TAG in context.run.tags else _LOCK_TIMEOUT
    return Work(deployment, tenant, scope.to_scope(), context.run.run_id, keys, lock_timeout)


def _take_step(name: str, work: Work, step: Callable[[Work], Iterator[Result]]) -> Iterator[DagsterResult]:
    with _Account(name, work) as account:
        try:
            for result in step(work):
                account.results.append(result)
                said = to_dagster(result)
                yield said._replace(metadata=show_numbers(said.metadata or {}))
        except CivitasError as error:
            account.problem = error.to_problem()
            place = (
                {"workspace": error.workspace} if isinstance(error, TestsFailed) and error.workspace else {}
            )
            raise dg.Failure(str(error), metadata=place, allow_retries=False) from error


@dataclass
class _Account:
    """What a step has said by its end, whatever that is."""

    name: str
    work: Work
    results: list[Result] = field(default_factory=list)
    problem: Problem | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and self.problem is None:
            what = type(error).__name__
            self.problem = Problem(f"{UNFORESEEN} {what}: {error}", UNFORESEEN, {"kind": what})
        reports = build_reports(self.name, self.results)
        if self.problem is not None:
            reports += (StepReport(self.name, problem=self.problem),)
        if reports:
            deployment, slug = self.work.deployment, self.work.tenant.slug
            kept = StepReports(deployment.files, slug)
            capture_errors(
                f"{slug} · report of {self.name}",
                lambda: kept.add(self.work.run_id, reports, deployment.now()),
            )

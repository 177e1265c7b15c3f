"""Harmonising: what a run makes of the affected days in a workspace, and the models' tests as checks.

Where nothing is affected, no workspace is made, and publishing is skipped.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from civitas_assets.catalog.model import Destination as Kind
from civitas_assets.errors import PublishError, TestsFailed
from civitas_assets.harmonise.build import NodeResult, build_models, merge_results
from civitas_assets.harmonise.kept_runs import remove_stale_workspaces
from civitas_assets.harmonise.preview import Preview, read_previews
from civitas_assets.harmonise.project import DataTest, Project, find_layer
from civitas_assets.harmonise.task import Task
from civitas_assets.harmonise.workspace import Workspace, fill_workspace
from civitas_assets.pipeline.asset_names import name_shared
from civitas_assets.pipeline.outcomes import TESTED, check_tests
from civitas_assets.pipeline.presentation import build_table_metadata
from civitas_assets.pipeline.results import Checked, Materialised, Metadata, Result
from civitas_assets.pipeline.work import Work
from civitas_assets.store.step_reports import DataTestReport

log = logging.getLogger("civitas_assets.harmonise")


def harmonise_tenant(work: Work) -> Iterator[Result]:
    """Make and test the tenant's shared models in a workspace; nothing at all where all destinations are up to date.

    What only some of them need is made when its turn to be published comes.

    Raises:
        TestsFailed: after the outcome of every test was said.
    """
    project = work.deployment.project
    with work.hold_lock():
        remove_stale_workspaces(work.deployment.settings.workspaces, work.deployment.now())
        made = make_models(work, work.tenant.destinations)
    if made is None:
        log.info("%s · nothing to harmonise: what is published is up to date", work.tenant.slug)
        return
    if not made.failures:
        yield from _made(work, made)
    # After what they are about: Dagster shows only the checks of the latest materialisation.
    found = {result.unique_id: result for result in made.results}
    for model, tests in project.tests_by_model.items():
        asked = [test for test in tests if test.unique_id in found]
        if asked and work.wants(name_shared(model)):
            yield _check(model, {test: found[test.unique_id] for test in asked})
    made.ensure_sound()


@dataclass(frozen=True)
class MadeModels:
    """The shared models in a workspace, what became of each node, and the blocking tests that found something."""

    workspace: Workspace
    task: Task
    results: Sequence[NodeResult]
    failures: Sequence[tuple[DataTest, int]]  # and how many rows

    def ensure_sound(self) -> None:
        """Nothing, unless a blocking test found something.

        Raises:
            TestsFailed: with the workspace, to be looked at.
        """
        if self.failures:
            self.workspace.keep()
            # Also where a batch has taken the turn, whose failure names tenants and no workspace.
            run, _, tenant = self.workspace.folder.name.rpartition("-")
            log.error(
                '%s · for three days, what was made can be looked at: civitas query %s --run %s "from %s"',
                *(tenant, tenant, run, self.failures[0][0].model),
            )
            told = [f"{test.name} ({rows} rows)" for test, rows in self.failures]
            raise TestsFailed(told, str(self.workspace.database))


def make_models(work: Work, kinds: Iterable[Kind]) -> MadeModels | None:
    """Make and test what is to be published now, of a rebuild its last portion; None if that is nothing.

    Of destinations that need different things it is those that need the same, before a rebuild, which is for one alone;
    where one of them fails, it is what another needs. The tenant's lock must be held.

    Raises:
        PublishError: nothing can be made for any of them.
    """
    planned = dict(sorted(work.plan_tasks(kinds).items(), key=lambda one: one[1].rebuild))
    if len(planned) > 1:
        for tasks in (planned, *({kind: task} for kind, task in [*planned.items()][1:])):
            try:
                return _make_planned(work, tasks)
            except PublishError as error:
                log.warning("%s · %s: %s", work.tenant.slug, ", ".join(tasks), error)
        planned = dict([*planned.items()][:1])
    return _make_planned(work, planned) if planned else None


def _make_planned(work: Work, planned: Mapping[Kind, Task]) -> MadeModels:
    deployment, tenant, project = work.deployment, work.tenant, work.deployment.project
    limits = deployment.settings.limits
    tasks, rebuild = deployment.start_task(tenant, planned)
    results: Sequence[NodeResult] = []
    for number, (task, portion) in enumerate(tasks, 1):
        if len(tasks) > 1:
            log.info("%s · rebuild · portion %d of %d: %s", tenant.slug, number, len(tasks), portion)
        with fill_workspace(
            work.workspace.folder, project, tenant, work.stores, task, limits=limits
        ) as workspace:
            made = build_models(project, workspace, tenant.slug, limits=limits)
        results = merge_results(results, made)
        failures = _failures(project, results)
        if failures:
            break
        if rebuild is not None and number < len(tasks):
            rebuild.add(workspace, portion)
    return MadeModels(workspace, task, results, failures)


def _made(work: Work, models: MadeModels) -> Iterator[Result]:
    """The models that the run is asked for, parents before children; of a tenant's turn the tables that it has made."""
    deployment = work.deployment
    rows = {result.name: result.rows for result in models.results if result.kind == "model"}
    # Of every night, previews would be most of what Dagster's history has of it; who looks at assets runs them.
    shown = {} if work.keys is None else read_previews(deployment.project, models.workspace, rows)
    # In a tenant's turn only the tables that it has made are said; else all that are asked for, parents first.
    names = [f"{find_layer(node)}/{node['name']}" for node in deployment.project.model_nodes]
    for asset in filter(work.wants, names):
        layer, _, name = asset.partition("/")
        metadata: Metadata = {}
        counts: Mapping[str, int | float] = {}
        if work.keys is None and (layer != "shared" or name not in rows):
            continue
        if layer == "shared":
            seconds = sum(r.seconds for r in models.results if r.kind == "model" and r.name == name)
            counts = {
                "days": models.task.size,
                "dagster/row_count": rows.get(name, 0),
                "seconds": seconds,
            }
            metadata = _shown(shown[name], models.task) if name in shown else {}
        yield Materialised(asset, metadata, counts=counts)


def _failures(project: Project, results: Sequence[NodeResult]) -> list[tuple[DataTest, int]]:
    """The blocking tests that found something, and in how many rows."""
    return [
        (project.tests[result.unique_id], result.failures)
        for result in results
        if result.unique_id in project.tests and project.tests[result.unique_id].blocking and not result.ok
    ]


def _check(model: str, found: Mapping[DataTest, NodeResult]) -> Checked:
    broken = [
        DataTestReport(test.name, test.blocking, result.message or result.status, result.failures)
        for test, result in found.items()
        if not result.ok
    ]
    seconds = sum(result.seconds for result in found.values())
    return check_tests(name_shared(model), TESTED, len(found), broken, seconds)


def _shown(preview: Preview, task: Task) -> Metadata:
    return {
        "first_day": str(task.days[0]) if task.days else "",
        "last_day": str(task.days[-1]) if task.days else "",
        "preview": build_table_metadata(preview.columns, preview.first),
    }

"""A tenant's turn: the steps of the pipeline one after the other, for runs that are not of one partition's assets.

A job of assets records before it begins what it intends to make, for each asset and check, and that costs more than a
quiet night. A turn says what has happened: what was made and checked of its tenant.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.errors import Problem, TenantBusy, TestsFailed
from civitas_assets.ingest.isolation import capture_errors
from civitas_assets.pipeline.asset_names import name_landing
from civitas_assets.pipeline.clear_step import clear_unlisted
from civitas_assets.pipeline.fetch_step import fetch_tenant
from civitas_assets.pipeline.harmonise_step import harmonise_tenant
from civitas_assets.pipeline.night_entry import build_reports
from civitas_assets.pipeline.offer_step import publish_open_folder
from civitas_assets.pipeline.publish_step import publish_tenant
from civitas_assets.pipeline.read_step import read_tenant
from civitas_assets.pipeline.report_step import report_between_nights, report_night
from civitas_assets.pipeline.results import Materialised, Result
from civitas_assets.pipeline.share_step import share_tenant
from civitas_assets.pipeline.sink_step import deliver_tenant
from civitas_assets.pipeline.work import Work
from civitas_assets.store.nights import Night
from civitas_assets.store.step_reports import StepReport

_Step = Callable[[Work], Iterator[Result]]


@dataclass
class Said:
    """What the steps have said so far, and what went wrong; `busy` says who works for the tenant instead."""

    results: list[Result] = field(default_factory=list)
    steps: list[StepReport] = field(default_factory=list)
    busy: str = ""
    workspace: str = ""
    night: Night | None = None

    @property
    def errors(self) -> list[str]:
        """What steps failed by."""
        return [f"{report.step}: {report.problem}" for report in self.steps if report.problem is not None]


@dataclass
class Turn:
    """The steps of one tenant, until one fails or leaves nothing to do; the page comes in any case.

    With `gives_way`, a tenant that another process works for is left to it: its turn comes again.
    """

    work: Work
    said: Said = field(default_factory=Said)
    gives_way: bool = False
    begun: float = field(default_factory=time.time)

    def take(self, client: Callable[[], HttpClient] | None) -> Iterator[Result]:
        """All steps, each result once its step is done; without a client, nothing is fetched."""
        if client is not None:
            with client() as opened:
                yield from self.fetch(opened)
        yield from self.finish()

    def fetch(self, client: HttpClient) -> Iterator[Result]:
        """The first step."""
        yield from self._results("fetch", lambda work: fetch_tenant(work, client))

    def finish(self) -> Iterator[Result]:
        """The steps after fetching, and the page."""
        if self.is_through and (
            yield from self._take(("read_landing", read_tenant), ("harmonise", harmonise_tenant))
        ):
            # What one of them does not take, others do. What was made for some is theirs before it is made for others.
            made = self.work.workspace.waiting_destinations
            for kind in sorted(self.work.tenant.destinations, key=lambda kind: kind not in made):
                yield from self._take(
                    (f"publish_{kind}", partial(publish_tenant, kind=kind)),
                    (f"commons_{kind}", partial(share_tenant, kind=kind)),
                )
        if not self.said.workspace:  # nobody looks at it, and another run makes its own
            self.work.workspace.remove()
        if not self.said.busy:
            yield from self._results("offer", publish_open_folder)
            yield from self._results("sinks", deliver_tenant)
            yield from self._results("clear", clear_unlisted)
            yield from self._page()

    def fail(self, name: str, error: Problem) -> Iterator[Result]:
        """A step ended without saying anything itself: what is known of it, and the page."""
        self._note(name, error)
        yield from self._page()

    @property
    def is_through(self) -> bool:
        """Whether all that was to be done for the tenant was done; a source may have been down."""
        return not (self.said.errors or self.said.busy)

    @property
    def unseen(self) -> set[str]:
        """The tenant's landings that the turn was not about, as of sources with another cadence."""
        seen = {result.asset for result in self.said.results}
        own = {name_landing(source.connector) for source in self.work.tenant.sources.values()}
        return own - seen

    def _take(self, *steps: tuple[str, _Step]) -> Generator[Result, None, bool]:
        """The steps until one fails or makes nothing; whether all have made something."""
        before = len(self.said.errors)
        for name, step in steps:
            made = [*self._results(name, step)]
            yield from made
            if len(self.said.errors) > before or not any(isinstance(one, Materialised) for one in made):
                return False
        return not self.said.busy

    def _results(self, name: str, step: _Step) -> Iterator[Result]:
        made = list[Result]()
        _, error = capture_errors(f"{self.work.tenant.slug} · {name}", partial(self._collect, step, made))
        self.said.results += made
        self.said.steps += build_reports(name, made)
        if error:
            self._note(name, error)
        yield from made

    def _collect(self, step: _Step, made: list[Result]) -> None:
        try:
            for result in step(self.work):  # one by one, because what was said before a fault counts
                made.append(result)  # noqa: PERF402
        except TenantBusy as busy:
            if not self.gives_way:
                raise
            self.said.busy = str(busy)
        except TestsFailed as error:
            self.said.workspace = error.workspace
            raise

    def _note(self, name: str, error: Problem) -> None:
        self.said.steps.append(StepReport(name, problem=error))

    def _page(self) -> Iterator[Result]:
        work = self.work
        now = work.deployment.now()
        began = now - timedelta(seconds=max(0.0, time.time() - self.begun))
        night = Night(work.run_id, began, now, tuple(self.said.steps))
        self.said.night = night
        report = report_night if work.scope.is_of_a_night else report_between_nights
        for result in report(work.deployment, work.tenant, night):
            self.said.results.append(result)
            yield result

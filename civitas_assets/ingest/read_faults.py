"""What could not be read of a source, and what is said of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from civitas_assets.errors import Problem
from civitas_assets.ingest.reports import ReadReport
from civitas_assets.store.addresses import Line

log = logging.getLogger("civitas_assets.read")


class ReadFaults:
    """Lines that could not be read, and problems for the source's report and the log; `unread` are those lines."""

    def __init__(self, tenant: str, report: ReadReport) -> None:
        self._tenant, self._report = tenant, report
        self.unread: list[Line] = []

    def fail(self, lines: Sequence[Line], problem: Problem) -> None:
        """Note that these could not be read; a fault of all portions of one is told once."""
        new = [line for line in lines if line not in self.unread]
        if new or problem not in self._report.problems:
            self.unread.extend(new)
            self.complain(problem)

    def complain(self, problem: Problem) -> None:
        """Tell a problem."""
        self._report.problems.append(problem)
        log.error("%s · read · %s · %s", self._tenant, self._report.source, problem)

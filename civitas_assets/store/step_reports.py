"""What each step of a run did: the one account of it, of which metadata, pages, messages and commands are views.

A turn keeps its reports until it is over. Runs of assets, whose steps know nothing of each other, leave them here for
the last step, which makes the entry of the tenant's night book of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from civitas_assets.errors import Note, Problem
from civitas_assets.store.files import Files
from civitas_assets.store.layout import tenant_folder_key
from civitas_assets.store.stored_record import read_stored_record

_KEPT = 200  # reports of runs whose last step never came
LONGEST = 2_000  # characters of what is kept of one thing


class SourceReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a step says of one source: what went wrong, what is remarkable, its notes, and what was counted.

    A source with a `problem` is of severity error; without one that has not passed, of a warning. `new_notes` are those
    of the `notes` that nobody was told yet; a source with any has not passed.
    """

    source: str
    passed: bool = True
    problem: Problem | None = None
    remarks: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    new_notes: tuple[Note, ...] = ()
    numbers: Mapping[str, float] = {}

    @property
    def is_error(self) -> bool:
        """Whether it failed."""
        return self.problem is not None

    @property
    def said(self) -> str:
        """What went wrong, and what is remarkable."""
        return "; ".join([*filter(None, [str(self.problem or "")]), *self.remarks])

    @property
    def text(self) -> str:
        """The same, then the notes that nobody was told yet."""
        return "; ".join(filter(None, [self.said, *(note.text for note in self.new_notes)]))


class DataTestReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is said of one data test that did not pass: whether it stops publishing, and how many rows break it."""

    test: str
    is_error: bool
    said: str
    failing_rows: int = 0


class StepReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a step did with one asset, such as `landing/csv`; of a step that failed, what by, and no asset.

    `was_made` says that readers got something new of it. `counts` are of all sources, days or tables together.
    `unfilled` are models and columns that have no values on the days before they came.
    """

    step: str
    asset: str = ""
    was_made: bool = False
    counts: Mapping[str, float] = {}
    sources: tuple[SourceReport, ...] = ()
    tests: tuple[DataTestReport, ...] = ()
    unfilled: tuple[str, ...] = ()
    problem: Problem | None = None

    @property
    def layer(self) -> str:
        """The first part of the asset's key."""
        return self.asset.partition("/")[0]

    def list_errors(self) -> list[str]:
        """What went wrong, a line for each source or test; the step alone where it has said of none."""
        return [
            *(f"{self.asset} · {one.source}: {one.said}" for one in self.sources if one.is_error),
            *(f"{self.asset} · {one.test}: {one.said}" for one in self.tests if one.is_error),
            *([f"{self.step}: {self.problem}"] if self.problem is not None else []),
        ]


_DECODER = msgspec.json.Decoder(tuple[StepReport, ...])


class StepReports:
    """The reports that steps of a tenant's runs of assets have left so far."""

    def __init__(self, files: Files, tenant: str) -> None:
        self._files, self._root = files, f"{tenant_folder_key('nights', tenant)}/steps"

    def add(self, run_id: str, reports: tuple[StepReport, ...], at: datetime) -> None:
        """Keep those of a step, and forget those that nobody has come for."""
        known = self._files.list_keys(f"{self._root}/")
        self._files.write(f"{self._root}/{at.timestamp():017.6f}-{run_id}.json", msgspec.json.encode(reports))
        self._files.delete_all(known[: -_KEPT + 1])

    def read(self, run_id: str) -> tuple[StepReport, ...]:
        """Those of a run, in the order in which its steps have ended."""
        return tuple(report for key in self._list_keys(run_id) for report in self._read(key))

    def forget(self, run_id: str) -> None:
        """Its entry in the night book has them now."""
        self._files.delete_all(self._list_keys(run_id))

    def _read(self, key: str) -> tuple[StepReport, ...]:
        return read_stored_record(self._files, key, _DECODER.decode, "report of a step") or ()

    def _list_keys(self, run_id: str) -> list[str]:
        return [key for key in self._files.list_keys(f"{self._root}/") if key.endswith(f"-{run_id}.json")]

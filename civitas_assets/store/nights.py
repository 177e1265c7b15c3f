"""What became of a tenant's last runs, source by source and step by step, for those who ask in the morning.

Written by the run itself, which alone knows; a run that was killed leaves nothing, and its absence is what tells. They
are in the order in which they were written, whatever the clock said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any

import msgspec

from civitas_assets.errors import UNFORESEEN, Problem
from civitas_assets.store.files import Files
from civitas_assets.store.layout import tenant_folder_key
from civitas_assets.store.step_reports import LONGEST, DataTestReport, SourceReport, StepReport
from civitas_assets.store.stored_record import read_stored_record

_KEPT = 60
_IS_ENTRY = re.compile(r"(s\d{10}|\d)[^/]*\.json").fullmatch  # older ones begin with a time
_ERRORS = ("fetch_error", "read_error")
_FETCHED, _READ = ("requests", "bytes", "seconds"), ("new", "changed", "rejected")


class SourceNight(msgspec.Struct, frozen=True, omit_defaults=True):
    """One source in one run: what fetching and reading it brought, and why either failed."""

    fetch_error: Problem | None = None
    read_error: Problem | None = None
    requests: int = 0
    bytes: int = 0
    seconds: float = 0.0
    new: int = 0
    changed: int = 0
    rejected: int = 0
    remarks: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it answered, and every answer could be read."""
        return not self.fetch_error and not self.read_error


class StepFailure(msgspec.Struct, frozen=True):
    """A step that failed, or a test that was broken: its name, and what it says."""

    name: str
    message: str


class Night(msgspec.Struct, frozen=True, omit_defaults=True, dict=True):
    """One run: what its steps have said, and, worked out from that, what became of it."""

    run_id: str
    started_at: datetime
    ended_at: datetime
    steps: tuple[StepReport, ...] = ()

    @classmethod
    def from_summary(  # noqa: PLR0917 - as they were kept before there were reports of steps
        cls,
        run_id: str,
        started_at: datetime,
        ended_at: datetime,
        sources: Mapping[str, SourceNight] = MappingProxyType({}),
        failures: Iterable[StepFailure] = (),
        warnings: Iterable[StepFailure] = (),
        *,
        published: bool = False,
        days: int = 0,
        unfilled: Sequence[str] = (),
    ) -> Night:
        """A run of which no more is known than what became of it."""
        fetched = [
            SourceReport(name, one.fetch_error is None, one.fetch_error, numbers=_numbers(one, _FETCHED))
            for name, one in sources.items()
        ]
        read = [
            SourceReport(
                name, one.read_error is None, one.read_error, one.remarks, numbers=_numbers(one, _READ)
            )
            for name, one in sources.items()
        ]
        tests = tuple(DataTestReport(one.name, is_error=False, said=one.message) for one in warnings)
        steps = [
            StepReport("fetch", "landing", sources=tuple(fetched)),
            StepReport("read_landing", "records", sources=tuple(read)),
            StepReport("harmonise", "shared", tests=tests),
            *(StepReport(one.name, problem=Problem(one.message)) for one in failures),
        ]
        if published or unfilled:
            counts = {"days": days}
            steps.append(
                StepReport("publish", "published", was_made=published, counts=counts, unfilled=(*unfilled,))
            )
        return cls(run_id, started_at, ended_at, tuple(steps))

    @cached_property
    def sources(self) -> Mapping[str, SourceNight]:
        """The sources that it asked or read, by name."""
        found: dict[str, SourceNight] = {}
        for step in self.steps:
            for report in step.sources:
                before = found.get(report.source, SourceNight())
                found[report.source] = (
                    _fetched(before, report) if step.layer == "landing" else _read(before, report)
                )
        return found

    @property
    def failures(self) -> tuple[StepFailure, ...]:
        """Blocking tests that were broken, and the steps that failed: one that failed by its tests says no more."""
        tested = {step.step for step in self.steps if any(test.is_error for test in step.tests)}
        failed = (step for step in self.steps if step.step not in tested)
        return self._broken_tests(blocking=True) + tuple(
            StepFailure(step.step, _said_of(step.problem)) for step in failed if step.problem is not None
        )

    @property
    def warnings(self) -> tuple[StepFailure, ...]:
        """Broken tests that only warn."""
        return self._broken_tests(blocking=False)

    @property
    def published(self) -> bool:
        """Whether readers got something new."""
        return any(step.was_made for step in self.steps if step.layer == "published")

    @property
    def days(self) -> int:
        """How many days were published."""
        days = (int(step.counts.get("days", 0)) for step in self.steps if step.layer == "published")
        return max(days, default=0)  # of several destinations, which get the same

    @property
    def unfilled(self) -> tuple[str, ...]:
        """Models and columns that have no values on the days before they came."""
        return tuple(name for step in self.steps for name in step.unfilled)

    @property
    def errors(self) -> list[str]:
        """What went wrong, with where it did."""
        return [line for step in self.steps for line in step.list_errors()]

    @property
    def ok(self) -> bool:
        """Whether nothing failed; rejected rows and warnings are no failure."""
        return not self.failures and all(source.ok for source in self.sources.values())

    def _broken_tests(self, *, blocking: bool) -> tuple[StepFailure, ...]:
        tests = (test for step in self.steps for test in step.tests if test.is_error is blocking)
        return tuple(StepFailure(test.test, test.said[:LONGEST]) for test in tests)


class NightBook:
    """The last runs of one tenant, the newest of which are kept.

    Runs between nights that tell nothing new are no entries of their own; the last of them stand beside the entries,
    for messages about a run may be late.
    """

    def __init__(self, files: Files, tenant: str) -> None:
        self._files = files
        self._root = f"{tenant_folder_key('nights', tenant)}/"
        self._repeated = f"{self._root}repeated/"

    def write(self, night: Night) -> None:
        """Keep what became of a run, and forget what is long past."""
        self._write(self._root, night)

    def write_repeated(self, night: Night) -> None:
        """Keep a run that went wrong just as an entry tells already."""
        self._write(self._repeated, night)

    def read_last(self, count: int) -> list[Night]:
        """The last runs, the newest first."""
        return [*filter(None, map(self._read, reversed(self._list_keys(self._root)[-count:])))]

    def find(self, run_id: str) -> Night | None:
        """What became of a run; None where it has left nothing, or is long past."""
        known = [*self._list_keys(self._repeated), *self._list_keys(self._root)]
        keys = [key for key in known if key.endswith(f"-{run_id}.json")]
        return self._read(keys[-1]) if keys else None

    def _write(self, folder: str, night: Night) -> None:
        known = self._list_keys(folder)
        # Those of older versions are named by a clock, and sort before numbers.
        last = known[-1].removeprefix(folder) if known else ""
        number = int(last[1:11]) + 1 if last.startswith("s") else 1
        self._files.write(f"{folder}s{number:010d}-{night.run_id}.json", msgspec.json.encode(night))
        self._files.delete_all(known[: -_KEPT + 1])

    def _read(self, key: str) -> Night | None:
        return read_stored_record(self._files, key, decode_night, "entry of a night book")

    def _list_keys(self, folder: str) -> list[str]:
        return [key for key in self._files.list_keys(folder) if _IS_ENTRY(key.removeprefix(folder))]


def _numbers(source: SourceNight, names: Iterable[str]) -> Mapping[str, float]:
    return {name: getattr(source, name) for name in names}


def _fetched(before: SourceNight, report: SourceReport) -> SourceNight:
    return msgspec.structs.replace(
        before,
        fetch_error=report.problem or before.fetch_error,
        requests=before.requests + int(report.numbers.get("requests", 0)),
        bytes=before.bytes + int(report.numbers.get("bytes", 0)),
        seconds=before.seconds + report.numbers.get("seconds", 0.0),
    )


def _read(before: SourceNight, report: SourceReport) -> SourceNight:
    error, remarks = report.problem, before.remarks
    if error is not None:
        error = error.with_text(report.said)
    elif report.said:
        remarks = tuple(dict.fromkeys([*remarks, report.said]))
    return msgspec.structs.replace(
        before,
        read_error=error or before.read_error,
        remarks=remarks,
        **{name: getattr(before, name) + int(report.numbers.get(name, 0)) for name in _READ},
    )


def _said_of(problem: Problem) -> str:
    """What a page tells of a step that failed; of what nobody foresaw its kind, for its text may say too much."""
    if problem.code == UNFORESEEN:
        return f"{UNFORESEEN} {problem.params['kind']}; the log of the run has more"
    return problem.text[:LONGEST]


def decode_night(body: bytes | msgspec.Raw) -> Night:
    """The run that was kept so, by this version or the one before it.

    Raises:
        msgspec.MsgspecError: it is no such thing.
    """
    found = msgspec.json.decode(body, type=dict[str, Any])
    if found.keys() <= {*Night.__struct_fields__}:
        return msgspec.convert(found, Night)
    # Of a version that kept what became of a run, of errors the texts alone, and no reports of steps.
    sources = msgspec.convert(found.get("sources", {}), dict[str, dict[str, Any]])
    for source in sources.values():
        said = {name: source[name] for name in _ERRORS if isinstance(source.get(name), str)}
        source |= {name: {"text": text} if text else None for name, text in said.items()}
    return Night.from_summary(
        msgspec.convert(found.get("run_id"), str),
        msgspec.convert(found.get("started_at"), datetime),
        msgspec.convert(found.get("ended_at"), datetime),
        msgspec.convert(sources, dict[str, SourceNight]),
        msgspec.convert(found.get("failures", []), list[StepFailure]),
        msgspec.convert(found.get("warnings", []), list[StepFailure]),
        published=msgspec.convert(found.get("published", False), bool),
        days=msgspec.convert(found.get("days", 0), int),
        unfilled=msgspec.convert(found.get("unfilled", []), list[str]),
    )

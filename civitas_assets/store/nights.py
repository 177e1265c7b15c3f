"""What became of a tenant's last runs, source by source and step by step, for those who ask in the morning.

Written by the run itself, which alone knows; a run that was killed leaves nothing, and its absence is what tells. They
are in the order in which they were written, whatever the clock said.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from civitas_assets.errors import Problem
from civitas_assets.store.files import Files
from civitas_assets.store.layout import tenant_folder_key

_KEPT = 60
_ERRORS = ("fetch_error", "read_error")


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


class Night(msgspec.Struct, frozen=True, omit_defaults=True):
    """One run: the sources that it asked, what failed beyond them, and whether readers got something new.

    `failures` are steps and blocking tests, `warnings` tests that only warn. `unfilled` are models and columns that
    have no values on the days before they came.
    """

    run_id: str
    started_at: datetime
    ended_at: datetime
    sources: Mapping[str, SourceNight] = {}
    failures: tuple[StepFailure, ...] = ()
    warnings: tuple[StepFailure, ...] = ()
    published: bool = False
    days: int = 0
    unfilled: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing failed; rejected rows and warnings are no failure."""
        return not self.failures and all(source.ok for source in self.sources.values())


class NightBook:
    """The last runs of one tenant, the newest of which are kept."""

    def __init__(self, files: Files, tenant: str) -> None:
        self._files = files
        self._root = tenant_folder_key("nights", tenant)

    def write(self, night: Night) -> None:
        """Keep what became of a run, and forget what is long past."""
        known = self._keys()
        # Those of older versions are named by a clock, and sort before numbers.
        last = known[-1].rpartition("/")[2] if known else ""
        number = int(last[1:11]) + 1 if last.startswith("s") else 1
        self._files.write(f"{self._root}/s{number:010d}-{night.run_id}.json", msgspec.json.encode(night))
        self._files.delete_all(known[: -_KEPT + 1])

    def read_last(self, count: int) -> list[Night]:
        """The last runs, the newest first."""
        bodies = (self._files.read(key) for key in reversed(self._keys()[-count:]))
        return [_decoded(body) for body in bodies if body is not None]

    def _keys(self) -> list[str]:
        return [key for key in self._files.list_keys(f"{self._root}/") if key.endswith(".json")]


def _decoded(body: bytes) -> Night:
    try:
        return msgspec.json.decode(body, type=Night)
    except msgspec.ValidationError:  # of a version that kept of errors the texts alone
        older = msgspec.json.decode(body)
        for source in older.get("sources", {}).values():
            said = {name: source[name] for name in _ERRORS if isinstance(source.get(name), str)}
            source |= {name: {"text": text} if text else None for name, text in said.items()}
        return msgspec.convert(older, Night)

"""What fetching and reading one source brought: counts, errors, and notes.

How they are shown is decided by whoever shows them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime

from civitas_assets.errors import Problem
from civitas_assets.records import Note


@dataclass(frozen=True)
class FetchReport:
    """What fetching one source brought; `contents` is a hash of all that is landed of it.

    Of the answers that were stored, `changed` have taken the place of another one; `rejected` were none, or not as
    declared. `notes` are what people should know of it, and `new_notes` those that they were not told the last time.
    """

    source: str
    contents: str = ""
    requests: int = 0
    stored: int = 0
    unchanged: int = 0
    not_modified: int = 0
    not_found: int = 0
    changed: int = 0
    rejected: int = 0
    bytes: int = 0
    landed: int = 0
    seconds: float = 0.0
    problem: Problem | None = None
    notes: tuple[Note, ...] = ()
    new_notes: tuple[Note, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything that was asked for was answered."""
        return self.problem is None

    @property
    def error(self) -> str:
        """What is said of the problem; nothing where there is none."""
        return str(self.problem or "")


@dataclass
class Counts:
    """What reading did for one record type; what was deleted is among what was changed."""

    read: int = 0
    new: int = 0
    changed: int = 0
    deleted: int = 0
    rejected: int = 0
    days: set[date] = field(default_factory=set)

    @property
    def has_news(self) -> bool:
        """Whether anything was kept that was not there before."""
        return bool(self.new or self.changed or self.rejected or self.days)


@dataclass
class ReadReport:
    """What reading one source brought, by record type; `problems` name payloads that could not be read.

    `newest_at` is when the last of the payloads that were new came.
    `notes` are all that people should know of what the source has now, `new_notes` those that they were not told yet.
    """

    source: str
    payloads: int = 0
    bytes: int = 0
    seconds: float = 0.0
    newest_at: datetime | None = None
    counts: dict[str, Counts] = field(default_factory=lambda: defaultdict(Counts))
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: tuple[Note, ...] = ()
    new_notes: tuple[Note, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every payload could be read; rejected rows are no error of the source."""
        return not self.problems

    @property
    def errors(self) -> list[str]:
        """What is said of the problems."""
        return [problem.text for problem in self.problems]

    @property
    def problem(self) -> Problem | None:
        """All of them as one, which is of the kind of the first."""
        if not self.problems:
            return None
        return self.problems[0].with_text("; ".join(self.errors))

    def __str__(self) -> str:
        counts = self.counts.values()
        read, new, changed = (sum(getattr(c, name) for c in counts) for name in ("read", "new", "changed"))
        deleted, rejected = sum(c.deleted for c in counts), sum(c.rejected for c in counts)
        return f"{read} rows, {new} new, {changed} changed ({deleted} deleted), {rejected} rejected"

"""Payloads whose reading has ended a process, or took more than it may: one is left out after two times.

What may end a process is read in a child (`apart.py`), which costs its neighbours nothing. What ends this process all
the same cannot be noted by it: what is about to be read is noted before, and that it was read after.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from msgspec.structs import replace

from civitas_assets import __version__
from civitas_assets.ingest.backlog import split_into_batches
from civitas_assets.store.addresses import Line
from civitas_assets.store.journal import Journal, Progress

_MOST = 2


class Attempts:
    """How often reading each payload of a source was begun and stopped, under the same settings, bounds and version."""

    def __init__(self, journal: Journal, source: str, progress: Progress, settings: str) -> None:
        self._journal, self._source, self._progress = journal, source, progress
        self.under = f"{__version__} {settings}"
        self._counts = dict(progress.attempts) if progress.attempts_under == self.under else {}
        self._stopped: set[str] = set()

    def of(self, lines: Iterable[Line]) -> Mapping[str, int]:
        """By hash, for those of the lines whose reading was stopped."""
        return {line.sha256: self._counts[line.sha256] for line in lines if line.sha256 in self._counts}

    def count_stopped(self, line: Line) -> None:
        """Count that a child could not read what is being read."""
        self._stopped.add(line.sha256)

    @property
    def counts(self) -> Mapping[str, int]:
        """By hash, of those that are left out."""
        return {digest: count for digest, count in self._counts.items() if count >= _MOST}

    def split_batches(self, lines: Sequence[Line]) -> Iterator[list[Line]]:
        """The lines that are read, a batch at a time; one that has ended a process is a batch of its own."""
        together = list[Line]()
        for line in lines:
            if not self._counts.get(line.sha256):
                together.append(line)
                continue
            yield from split_into_batches(together)
            together = []
            if line.sha256 not in self.counts:
                yield [line]
        yield from split_into_batches(together)

    @contextmanager
    def note_batch(self, batch: Sequence[Line]) -> Iterator[None]:
        """Read the batch within: what ends the process stays noted, and what is raised does not."""
        digests = {line.sha256 for line in batch}
        self._note(self._counts | {digest: self._counts.get(digest, 0) + 1 for digest in digests})
        is_read = False
        try:
            yield
            is_read = True
        finally:
            stopped = {digest: self._counts.get(digest, 0) + 1 for digest in self._stopped}
            self._counts = {
                digest: n for digest, n in self._counts.items() if digest not in digests
            } | stopped
            self._stopped.clear()
            if not is_read:  # else what follows is noted
                self._note(self._counts)

    def _note(self, counts: Mapping[str, int]) -> None:
        self._journal.advance(
            self._source, replace(self._progress, attempts=counts, attempts_under=self.under)
        )


def describe_ended_process(line: Line) -> str:
    """What is said of a payload that is left out."""
    return (
        f"{line.url} ({line.bytes:,} bytes) has ended the process that read it {_MOST} times, out of memory or time or "
        "in native code, and is left out: it is read again with other settings of the source, other bounds "
        "(CIVITAS_MAX_MEMORY, CIVITAS_MAX_READ_TIME) or another version of this program, or when a newer answer comes"
    )

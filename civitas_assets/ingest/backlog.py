"""What is still to be read of a source: landed answers in their order, a batch at a time, without superseded ones.

How they are read is in `read.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from civitas_assets.store.addresses import Line
from civitas_assets.store.journal import Progress
from civitas_assets.store.landing import Manifest

# What is decoded and typed in one go: enough to make work per payload small, little for a small machine.
_BATCH_BYTES = 72 * 1024 * 1024


@dataclass(frozen=True)
class Backlog:
    """Answers of a source in their order: those that are `tried`, and those that wait for newer ones to fail.

    What could not be read is tried again, because the source's settings may have been mended since; where there is a
    newer answer, only after that could not be read either. `fresh` are those that nobody has tried yet.
    """

    fresh: Sequence[Line]
    tried: Sequence[Line]
    waiting: Sequence[Line]

    @classmethod
    def of(cls, manifests: Iterable[Manifest], before: Progress, erased: Collection[str]) -> Backlog:
        """What the manifests add to what could not be read before; of erased bodies, nothing is there to be read."""
        stored = (line for manifest in manifests for line in manifest.lines if line.state == "stored")
        fresh = [line for line in stored if line.sha256 not in erased]
        newer = {line.url for line in fresh}
        again = [line for line in before.failed if line.url not in newer]
        return cls(fresh, [*again, *fresh], [line for line in before.failed if line.url in newer])


def select_unsuperseded(waiting: Sequence[Line], tried: Sequence[Line], failed: Sequence[Line]) -> list[Line]:
    """The lines that are still to be read: those without a later answer of the same address that was read."""
    unread = {(line.url, line.sha256, line.fetched_at) for line in failed}
    open_by_url: dict[str, list[Line]] = defaultdict(list)
    for line in waiting:
        open_by_url[line.url].append(line)
    for line in tried:
        if (line.url, line.sha256, line.fetched_at) in unread:
            open_by_url[line.url].append(line)
        else:
            open_by_url[line.url].clear()
    return [line for lines in open_by_url.values() for line in lines]


def split_into_batches(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """The lines in order, cut so that a batch's bodies stay small; a large body is a batch of its own."""
    batch: list[Line] = []
    size = 0
    for line in lines:
        if batch and size + line.bytes > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += line.bytes
    if batch:
        yield batch

"""What is still to be read of a source: landed answers in their order, a batch at a time, without superseded ones.

How they are read is in `read.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from civitas_assets.store.addresses import Line

# What is decoded and typed in one go: enough to make work per payload small, little for a small machine.
_BATCH_BYTES = 72 * 1024 * 1024


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

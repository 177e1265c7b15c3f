"""The manifest of a fetch while that goes on: in parts every few answers, so that a kill costs no more than those.

What is in the lines is decided in `session.py`.
"""

from __future__ import annotations

import threading
import time

from civitas_assets.store.addresses import Line
from civitas_assets.store.landing import Answered, SourceLanding

# So many answers, or those of so many seconds, may be asked for once more where a fetch is killed.
_PART_LINES, _PART_SECONDS = 16, 1.0


class ManifestWriter:
    """Lines in the order in which they came, first in parts and at last in one manifest.

    Before the first body and part, a mark says that a fetch has begun. All but `announce` is for one thread.
    """

    def __init__(self, landing: SourceLanding) -> None:
        self.lines: list[Line] = []
        self.through = ""  # the last manifest that stays
        self._landing = landing
        self._kept, self._in_parts = 0, 0  # lines in manifests that stay, and in those or parts
        self._parts: list[str] = []
        self._last_part = time.monotonic()
        self._mark: Answered | None = None
        self._marking = threading.Lock()
        self.is_announced = False

    def begin(self, mark: Answered) -> None:
        """What is to be noted before anything lands."""
        self._mark = mark

    def announce(self) -> None:
        """Note that a fetch has begun, once."""
        with self._marking:
            if self._mark is not None and not self.is_announced:
                self._landing.write_answered(self._mark)
            self.is_announced = True

    def add(self, line: Line) -> None:
        """Remember a line, and write a part where it is time for one."""
        self.lines.append(line)
        waiting = len(self.lines) - self._in_parts
        if waiting >= _PART_LINES or time.monotonic() - self._last_part > _PART_SECONDS:
            self.announce()
            self._parts.append(self._landing.write_manifest(self.lines[self._in_parts :]))
            self._in_parts, self._last_part = len(self.lines), time.monotonic()

    def keep(self) -> None:
        """Write the lines that are in no manifest that stays, in the place of the parts."""
        if not self.lines[self._kept :]:
            return
        self.through = self._landing.write_manifest(self.lines[self._kept :])
        self._landing.remove_manifests(self._parts)
        self._parts.clear()
        self._kept = self._in_parts = len(self.lines)

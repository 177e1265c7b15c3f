"""What reading one answer may take of memory and time, how a process is held to it, and what is said of more.

Both are of the operating system, because native code asks nobody else.
"""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import ByteSize

from civitas_assets.catalog.frame import Frame

_CONTAINER = Path("/sys/fs/cgroup/memory.max")
_TIME_UP = signal.SIGALRM


@dataclass(frozen=True)
class ReadLimits:
    """Bytes of memory beyond what the program takes itself, and seconds."""

    memory: int
    seconds: float

    @classmethod
    def from_frame(cls, frame: Frame) -> Self:
        """What the operator lets an answer have."""
        return cls(frame.max_memory or find_memory_limit(), frame.max_read_time.total_seconds())

    @property
    def memory_is_short(self) -> str:
        """What is said of an answer that needs more."""
        return (
            f"needs more than {ByteSize(self.memory).human_readable()} of memory to be read: publish it in parts, or "
            "raise CIVITAS_MAX_MEMORY"
        )


def find_memory_limit() -> int:
    """Three quarters of what the machine has, or the container that this is in."""
    most = resource.getpagesize() * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):  # no container, or one without a bound
        most = min(most, int(_CONTAINER.read_text()))
    return most * 3 // 4


@contextmanager
def limit_process(bounds: ReadLimits) -> Iterator[ReadLimits]:
    """Hold this process to the bounds within; it ends where it goes beyond its time.

    Of memory what may be written to counts: libraries reserve much that they never use.
    """
    with suppress(OSError):  # where memory of the machine itself runs out, this process goes before others
        Path("/proc/self/oom_score_adj").write_text("1000")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = _held() + bounds.memory
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard < 0 else min(wanted, hard), hard))
    signal.signal(_TIME_UP, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, bounds.seconds)
    try:
        yield bounds
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _held() -> int:
    """Bytes that this process may write to already."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    return 0


def describe_exit(status: int, bounds: ReadLimits) -> str:
    """What is said of an answer whose reading has ended its process with this exit code, or minus a signal."""
    if status == -_TIME_UP:
        return (
            f"took longer than {bounds.seconds:g} s to read and was given up: publish it in parts, or raise "
            "CIVITAS_MAX_READ_TIME"
        )
    if status == -signal.SIGKILL:
        return (
            "ended the process that read it: it was killed, most likely because memory of the machine ran out"
        )
    name = signal.Signals(-status).name if status < 0 else f"exit code {status}"
    return (
        f"ended the process that read it ({name}), in native code or because it needs more than "
        f"{ByteSize(bounds.memory).human_readable()} of memory (CIVITAS_MAX_MEMORY): publish it in parts, or in "
        "another format"
    )

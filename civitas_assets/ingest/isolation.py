"""The one place that catches everything, so that a fault of one source stays a fault of one source.

What went wrong is returned as a value; the traceback of something unforeseen goes to the log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from civitas_assets.errors import UNFORESEEN, CivitasError, Problem

T = TypeVar("T")

_PANIC = "PanicException"  # each library in Rust has one of its own

log = logging.getLogger("civitas_assets.ingest")


def capture_errors(
    what: str, work: Callable[[], T], *, level: int = logging.ERROR
) -> tuple[T | None, Problem | None]:
    """The work's result and None, or None and what went wrong; the log has it at that level."""
    try:
        return work(), None
    except CivitasError as error:
        log.log(level, "%s: %s", what, error)
        return None, error.to_problem()
    except MemoryError:
        told = "memory ran out: ask for less at a time, or allow a turn more (CIVITAS_TURN_MEMORY)"
        log.log(level, "%s: %s", what, told, exc_info=True)
        return None, Problem(told, "memory_ran_out")
    except BaseException as error:
        # What ends a program, or cancels a run, is nobody's fault; what native code panics with is no Exception either.
        if not isinstance(error, Exception) and type(error).__name__ != _PANIC:
            raise
        kind = type(error).__name__
        log.log(level, "%s: unforeseen %s", what, kind, exc_info=True)
        return None, Problem(f"unforeseen {kind}: {error}", UNFORESEEN, {"kind": kind})

"""Processes that finish tenants' turns: each turn in a process of its own, forked from one that has all loaded.

A turn that ends its process, out of memory or in native code, takes only its tenant with it; what it has used is given
back with its end. A process that has run Polars, DuckDB or an object store must not be forked, as their threads are not
in the copy: what is forked here has only imported.
"""

from __future__ import annotations

import gc
import importlib
import logging
import os
import pickle
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from queue import LifoQueue
from typing import IO, Any

from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.dictionary.contracts import read_contracts
from civitas_assets.errors import Problem
from civitas_assets.inert import guard_log_entries
from civitas_assets.ingest.apart import fork_reader, stop_reader
from civitas_assets.ingest.isolation import capture_errors
from civitas_assets.pipeline.deployment import Deployment
from civitas_assets.pipeline.turn import Turn
from civitas_assets.pipeline.work import Work
from civitas_assets.report.page import prepare_pages
from civitas_assets.settings import make_environment

log = logging.getLogger("civitas_assets.batch")

# Used by every turn, and imported where they are used: once here, and not in each child.
_USED = (
    "duckdb",
    "polars",
    "polars._utils.parquet",
    "pyarrow.dataset",  # DuckDB reads frames by it
    "pyarrow.parquet",
    "stringprep",  # of names of hosts
    "civitas_assets.publish.duckdb.duckdb",
)
ENDED = "process_ended"
_LENGTH = 8  # bytes that say how long a message is


class Workers:
    """So many tenants at the same time, each in a process of its own; none: in this one."""

    def __init__(self, deployment: Deployment, count: int) -> None:
        self._deployment = deployment
        self._all = [_Worker(deployment, max(1, (os.cpu_count() or 1) // count)) for _ in range(count)]
        # Whoever was busy last comes first: where one is enough, the others are never started.
        self._idle: LifoQueue[_Worker] = LifoQueue()
        for worker in self._all:
            self._idle.put(worker)

    def finish(self, turn: Turn) -> None:
        """Take the steps after fetching, and the page; what they say is added to the turn."""
        if not self._all:
            for _ in turn.finish():
                pass
            return
        worker = self._idle.get()
        try:
            worker.finish(turn)
        finally:
            self._idle.put(worker)

    def stop(self) -> None:
        """End the processes, and what they work on."""
        for worker in self._all:
            worker.stop()


@contextmanager
def start_workers(deployment: Deployment) -> Iterator[Workers]:
    """The processes that the settings ask for, until the end."""
    found = Workers(deployment, deployment.settings.workers)
    try:
        yield found
    finally:
        found.stop()


class _Worker:
    """The parent's end of one process."""

    def __init__(self, deployment: Deployment, threads: int) -> None:
        self._deployment, self._threads = deployment, threads
        self._process: subprocess.Popen[bytes] | None = None

    def finish(self, turn: Turn) -> None:
        work = turn.work
        asked = (work.tenant.slug, work.scope, work.run_id, work.lock_timeout, turn.said, turn.begun)
        try:
            process = self._started()
            _send(process.stdin, asked)
            said, records, error = _receive(process.stdout)
        except (OSError, EOFError) as ended:  # the process itself is gone, as where memory has run out
            self.stop()
            error = Problem(f"the process that worked for the tenant ended: {ended}", ENDED)
            said, records = None, ()
        for name, level, text in records:
            logging.getLogger(name).log(level, "%s", text)
        if said is None:
            log.error("%s · %s", work.tenant.slug, error)
            for _ in turn.fail("turn", error):
                pass
        else:
            turn.said = said

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603 - this very program
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
                env=make_environment(self._threads),
            )
            settings = self._deployment.settings
            limited = settings.model_copy(update={"threads": settings.threads or self._threads})
            deployment = replace(self._deployment, settings=limited)
            _send(self._process.stdin, (deployment, logging.getLogger("civitas_assets").level))
        return self._process


def serve() -> None:
    """The process: load everything once, then fork a child for each turn that is asked for, until the input closes."""
    asked = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    deployment, level = _receive(asked)
    guard_log_entries()
    logging.basicConfig(level=level or logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    _load(deployment)
    settings = deployment.settings
    gc.freeze()  # so that collecting garbage does not copy what children share
    while True:
        try:
            take = partial(_taken, deployment, *_receive(asked))
        except EOFError:
            return
        answers.write(_answer(take, settings.turn_timeout, settings.turn_memory))
        answers.flush()


def _load(deployment: Deployment) -> None:
    names = [*_USED]
    if "postgres" in deployment.kinds:
        names.append("civitas_assets.publish.postgres.postgres")
    for name in names:
        importlib.import_module(name)
    for connector in deployment.catalog.connectors:
        CONNECTORS[connector]
    project = deployment.project
    _ = project.plan, project.models, project.tests
    prepare_pages(read_contracts(project), {tenant.zone for tenant in deployment.catalog.tenants.values()})


def _answer(take: Callable[[], bytes], limit: float, memory: int = 0) -> bytes:
    """What a child sends, or what became of it, with so many seconds and bytes."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        fork_reader()  # while nothing has run here
        if memory:  # what it writes to counts: libraries reserve much that they never use
            resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
        code = 1
        try:
            sent, error = capture_errors("turn", take)
            stop_reader()
            with os.fdopen(writing, "wb") as out:
                out.write(sent if sent is not None else pickle.dumps((None, (), error)))
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    body, deadline = bytearray(), time.monotonic() + limit
    in_time = True
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        while in_time := bool(select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]):
            part = pipe.read(1 << 20)
            if not part:
                break
            body += part
    if not in_time:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code == 0 and in_time:
        return _framed(body)
    if not in_time:
        why = f"took longer than {limit:.0f} s and was ended; CIVITAS_TURN_TIMEOUT sets how long a turn may take"
    elif code == -signal.SIGKILL:
        why = "the process that worked for the tenant was killed, most likely because memory ran out"
    else:
        why = f"the process that worked for the tenant ended with {signal.Signals(-code).name if code < 0 else code}"
    return _framed(pickle.dumps((None, (), Problem(why, ENDED))))


def _taken(deployment: Deployment, slug: str, *given: Any) -> bytes:
    """In the child: the turn, and the warnings that the run's own log is to show."""
    scope, run_id, lock_timeout, said, begun = given
    warnings = _Warnings()
    logging.getLogger("civitas_assets").addHandler(warnings)
    turn = Turn(
        Work(deployment, deployment.catalog.get_tenant(slug), scope, run_id, lock_timeout=lock_timeout),
        said,
        gives_way=True,
        begun=begun,
    )
    for _ in turn.finish():
        pass
    return pickle.dumps((turn.said, tuple(warnings.records), None))


class _Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[tuple[str, int, str]] = []
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append((record.name, record.levelno, self.format(record)))


def _framed(body: bytes | bytearray) -> bytes:
    return len(body).to_bytes(_LENGTH, "big") + body


def _send(pipe: IO[bytes] | None, message: object) -> None:
    if pipe is not None:
        pipe.write(_framed(pickle.dumps(message)))
        pipe.flush()


def _receive(pipe: IO[bytes] | None) -> Any:
    size = pipe.read(_LENGTH) if pipe is not None else b""
    length = int.from_bytes(size, "big")
    body = pipe.read(length) if pipe is not None else b""
    if not body or len(body) < length:
        raise EOFError("it sent no answer")
    return pickle.loads(body)  # noqa: S301 - of a process of this run, by a pipe that nobody else has


if __name__ == "__main__":
    serve()

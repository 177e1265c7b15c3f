"""Reading in a process of its own, within bounds of memory and time: what would end a process ends that one.

Native readers may abort, take more memory than there is, or never come back, whatever an answer looks like. So what is
in a container, is markup or is large is read by a child; its tables come back through a file. The child is forked from
a process that has only imported, because threads of Polars and others are not in a copy, and reads on until it has had
much. How an answer that ended it is told and left out is in `read.py` and `attempts.py`.
"""

from __future__ import annotations

import atexit
import importlib
import os
import pickle
import re
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any

from civitas_assets.catalog import Source
from civitas_assets.connectors.base import Connector, Payload
from civitas_assets.connectors.content.unescaped import read_unescaped, redact_unescaped
from civitas_assets.connectors.mapping.described_file import DESCRIPTION
from civitas_assets.connectors.mapping.mapping import SelectiveSource
from civitas_assets.errors import ReadError, ReadStopped, ReadWithdrawn
from civitas_assets.inert import guard_log_entries
from civitas_assets.ingest.bounds import ReadLimits, describe_exit, limit_process
from civitas_assets.ingest.handing_over import (
    MOST_BODIES,
    is_read_apart,
    load_question,
    open_handed,
    write_question,
)
from civitas_assets.ingest.isolation import capture_errors
from civitas_assets.ingest.portions import split_tables
from civitas_assets.records import RawTable, Roster
from civitas_assets.spool import Body, read_whole

_ENOUGH = 64 * 1024 * 1024  # bytes after which a child ends, so that what it holds is given back
_POOLS = re.compile(r"polars-\d|tokio")  # of Polars, whose engine begins with the first query
_STATUS = struct.Struct("<i")
_SERVE = f"import sys; from {__name__} import _serve_until_closed as s; s(int(sys.argv[1]), sys.argv[2:])"


def read_apart(connector: Connector, source: Source, payload: Payload) -> Iterator[RawTable | Roster]:
    """What the connector reads in the payload.

    Raises:
        ReadError: the payload as a whole is not what the source declares.
        ReadStopped: reading it ended its process, or took more than the operator lets it have.
    """
    if _reader.is_child or not is_read_apart(payload.landed):
        yield from _read(connector, source, payload)
    else:
        yield from _reader.call(ReadLimits.from_frame(source.frame), _read, connector, source, payload)


def redact_body_apart(source: Source, role: str, body: Body) -> Body:
    """What of an answer may be kept, as `Source.redact_answer` says.

    Raises:
        ReadError: the answer is not what the source declares, so that nothing of it may be kept.
        ReadStopped: looking ended its process, or took more than the operator lets it have.
    """
    if not isinstance(body, bytes):
        if source.keeps_answers_whole and role != DESCRIPTION:
            return body
        body = read_whole(body)
    is_looked_into = isinstance(source, SelectiveSource) and source.store == "mapped"
    if _reader.is_child or not is_looked_into or not is_read_apart(body):
        return redact_unescaped(source, role, body)
    (kept,) = _reader.call(ReadLimits.from_frame(source.frame), _storable, source, role, body)
    return bytes(kept)


def call_apart(bounds: ReadLimits, function: Callable[..., Any], *given: Any) -> Any:
    """What a function of a module returns, which reads something that somebody has given.

    Raises:
        ReadError: the function has raised it.
        ReadStopped: it ended its process, or took more than the operator lets it have.
    """
    (made,) = _reader.call(bounds, _called, function, *given)
    return made


def fork_reader() -> None:
    """Have a child at hand, forked from this process, if it has imported and run nothing yet.

    Without one, a process is started as soon as something is to be read apart, which imports once more.
    """
    if _has_only_imported():
        _reader.fork()


def stop_reader() -> None:
    """End what this process has at hand."""
    _reader.stop()


def _read(connector: Connector, source: Source, payload: Payload) -> Iterator[Any]:
    return split_tables(source, read_unescaped(connector, source, payload))


def _storable(source: Source, role: str, body: bytes) -> Iterator[Any]:
    yield redact_unescaped(source, role, body)


def _called(function: Callable[..., Any], *given: Any) -> Iterator[Any]:
    yield function(*given)


def _has_only_imported() -> bool:
    """Whether no threads work here that a copy would lack and wait for; those that an import starts are none."""
    names = list[str]()
    for task in Path("/proc/self/task").glob("*/comm"):
        with suppress(OSError):  # it has ended just now
            names.append(task.read_text())
    return bool(names) and threading.active_count() == 1 and not any(map(_POOLS.match, names))


class _Reader:
    """This process's end of the line: one question at a time, in the order in which they come."""

    def __init__(self) -> None:
        self.is_child = False
        self._lock = threading.Lock()
        self._line: socket.socket | None = None
        self._ends: Callable[[], Any] = int

    def fork(self) -> None:
        self._lock, self._line = threading.Lock(), None
        ours, theirs = socket.socketpair()
        child = os.fork()
        if child == 0:
            try:
                ours.close()
                signal.signal(
                    signal.SIGINT, signal.SIG_IGN
                )  # of a shell: its parent ends it by closing the line
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                _close_lines(theirs.fileno())
                _serve(theirs)
            finally:
                os._exit(0)
        theirs.close()
        self._line, self._ends = ours, lambda: os.waitpid(child, 0)

    def _started(self) -> socket.socket:
        """A process that imports what this one has imported of connectors."""
        if self._line is None:
            ours, theirs = socket.socketpair()
            names = [name for name in [*sys.modules] if name.startswith("civitas_assets.connectors.")]
            started = subprocess.Popen(  # noqa: S603 - this very program
                [sys.executable, "-c", _SERVE, str(theirs.fileno()), *names],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
            theirs.close()
            self._line, self._ends = ours, started.wait
        return self._line

    def stop(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()
            with suppress(OSError):
                self._ends()

    def call(self, bounds: ReadLimits, function: Callable[..., Iterable[Any]], *given: Any) -> Iterator[Any]:
        with tempfile.TemporaryFile() as question, tempfile.TemporaryFile() as answer:
            modules = {function.__module__, *(type(each).__module__ for each in given)}
            pickle.dump((bounds, modules), question)
            bodies = write_question((function, given), question)
            question.flush()
            question.seek(0)
            with self._lock:
                status = self._asked([question, answer, *bodies])
            answer.seek(0)
            if status:
                raise ReadStopped(describe_exit(status, bounds))
            while (item := pickle.load(answer)) is not None:  # noqa: S301 - of a process of this run
                kind, made = item
                if kind == "made":
                    yield made
                else:
                    raise ReadStopped(made) if kind == "stopped" else ReadError(made)

    def _asked(self, files: Sequence[IO[bytes]]) -> int:
        line = self._started()
        try:
            socket.send_fds(line, [b"?"], [file.fileno() for file in files])
            told = line.recv(_STATUS.size, socket.MSG_WAITALL)
        except OSError:
            told = b""
        if len(told) < _STATUS.size:  # the one that forks is gone itself; the next question starts another
            self.stop()
            return -signal.SIGKILL
        (status,) = _STATUS.unpack(told)
        return int(status)


def _close_lines(own: int) -> None:
    """Close pipes and sockets, whose end somebody waits for, but for the own one.

    Files stay open under their numbers: libraries such as PROJ, which opens its database as it is imported, close
    those in a copy of their process themselves, and would close what has got the number since.
    """
    for number in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
        if number > 2 and number != own:
            with suppress(OSError):
                mode = os.fstat(number).st_mode
                if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
                    os.close(number)


_reader = _Reader()
atexit.register(stop_reader)


def _serve_until_closed(line: int, modules: list[str]) -> None:
    """In a process that was started: import, and serve."""
    guard_log_entries()
    for name in modules:
        importlib.import_module(name)
    _serve(socket.socket(fileno=line))


def _serve(line: socket.socket) -> None:
    """In the process that has only imported: a child for the next questions, until the line is closed."""
    while line.recv(1, socket.MSG_PEEK):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                _answer(line)
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        if code := os.waitstatus_to_exitcode(status):
            line.sendall(_STATUS.pack(code))


def _answer(line: socket.socket) -> None:
    """In the child: answer until it has had enough, or the line is closed."""
    _reader.is_child, had = True, 0
    while had < _ENOUGH:
        asked, fds, _, _ = socket.recv_fds(line, 1, 2 + MOST_BODIES)
        if not asked:
            return
        with ExitStack() as files:
            question, *bodies = [files.enter_context(open_handed(fd)) for fd in (fds[0], *fds[2:])]
            answer = files.enter_context(os.fdopen(fds[1], "wb"))
            had += sum(os.fstat(file.fileno()).st_size for file in (question, *bodies))
            bounds, modules = pickle.load(question)  # noqa: S301 - of the process that has started this one
            for name in modules:  # which takes memory that is none of the payload's
                importlib.import_module(name)
            ask = partial(load_question, question, bodies)
            with limit_process(bounds):
                _, error = capture_errors("reading apart", partial(_write_answers, bounds, ask, answer))
                if error:
                    _forget(answer)  # which may be half of a file
                    what = " ".join([error.code, *map(str, error.params.values())])
                    pickle.dump(("failed", f"cannot be read: {what}; the log of the run has more"), answer)
                pickle.dump(None, answer)
        line.sendall(_STATUS.pack(0))


def _write_answers(bounds: ReadLimits, ask: Callable[[], Any], answer: IO[bytes]) -> None:
    try:
        function, given = ask()
        for made in function(*given):
            pickle.dump(("made", made), answer, protocol=5)
    except ReadError as error:
        if isinstance(error, ReadWithdrawn):
            _forget(answer)
        pickle.dump(("failed", str(error)), answer)
    except MemoryError:
        _forget(answer)  # as where the process is ended
        pickle.dump(("stopped", bounds.memory_is_short), answer)


def _forget(answer: IO[bytes]) -> None:
    """Take back what was answered so far."""
    answer.seek(0)
    answer.truncate()

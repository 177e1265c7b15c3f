"""What is done to runs, each by dice that can be thrown again: kills, stops, faults of servers, full disks, crashes."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.storm.homes import SLUG, Home
from tests.storm.town import FAULTS, Publisher, now_of
from tests.storm.wire import Blow

# Where a run is hit: before what is written there comes into being, or is removed.
POINTS = (
    *(
        "/bodies/",
        "/manifests/",
        "/addresses.json",
        "/answered.json",
        "/summary",
        "/pending/",
        "/journal/read/",
    ),
    *(
        "/observation/",
        "/parking_status/",
        "/parking_site/",
        "/place/",
        "/quarantine/",
        "/seen/",
        "/commons/",
    ),
    *("/nights/", "/workspaces/", "task.json", "/published/", "_db.duckdb", "/reports/"),
)
_LOCAL = POINTS[-5:]
_SAID = (b"commit", b"copy", b"delete", b"_publication", b"begin", b"insert", b"advisory", b"create", b"role")
STEPS_OF_A_RUN = 5  # each of which takes the tenant's lock
_ROOM = (0, 16_000, 64_000, 300_000, 1_000_000, 3_000_000, 6_000_000)
_DISK = "48m"
_KILLED = frozenset({-signal.SIGKILL, -signal.SIGPROF})


class Snare:
    """Sends a run a signal when it changes something in object storage, before that is done or just after it."""

    def __init__(self, pid: Future[int], how: signal.Signals, moment: str, text: str, nth: int) -> None:
        self._pid, self._how, self._moment, self._text, self._nth = pid, how, moment, text.encode(), nth
        self._lock = threading.Lock()

    def __call__(self, moment: str, asked: str, body: bytes) -> bool:
        if moment != self._moment or asked.startswith(("GET", "HEAD")):
            return True
        said = asked.encode() + (body if asked.startswith("POST") or "/locks/" in asked else b"")
        if not all(part in said for part in self._text.split(b" ")):
            return True
        with self._lock:
            self._nth -= 1
            if self._nth:
                return True
        os.kill(self._pid.result(60), self._how)
        return False


@dataclass(frozen=True)
class Standing:
    """A run that stands still: between two steps, or asleep with its lease."""

    pid: int
    is_asleep: bool


@dataclass
class Weather:
    """What befalls a home; `fallen` counts it by kind."""

    home: Home
    publisher: Publisher
    dice: random.Random
    has_disk: bool = False
    fallen: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)

    @property
    def kinds(self) -> tuple[Callable[[int], None], ...]:
        """What may be done to a run here."""
        kinds: list[Callable[[int], None]] = [self.killed_at_a_point, self.killed_at_a_point]
        kinds += [self.killed_anywhere, self.killed_after_a_time, self.badly_served, self.read_anew]
        if self.has_disk:
            kinds.append(self.disk_full)
        if self.home.objects:
            kinds += [self.storage_faulty]
        if self.home.database:
            kinds += [self.cut_off_from_database, self.cut_off_from_database, self.database_crashed]
        return tuple(kinds)

    def _fell(self, step: int, kind: str, *, happened: bool = True) -> None:
        if happened:
            self.fallen[kind] += 1
            self.told.append(f"step {step}: {kind}")

    def killed_at_a_point(self, step: int) -> None:
        """Before or after a write of a named kind."""
        point, nth = self.dice.choice(POINTS), self.dice.choice((1, 1, 2, 3))
        self._kill(step, point, nth)

    def killed_anywhere(self, step: int) -> None:
        """Before or after any write."""
        is_local = self.dice.random() < 0.5
        self._kill(step, "", self.dice.randrange(1, 160), is_local=is_local)

    def killed_after_a_time(self, step: int) -> None:
        """After some time of work, also where that is native."""
        code = self.home.run(now_of(step), {"cpu": self.dice.uniform(0.02, 2.5)})
        self._fell(step, "killed after a time", happened=code in _KILLED)

    def _kill(self, step: int, point: str, nth: int, *, is_local: bool = False) -> None:
        moment = self.dice.choice(("before", "after"))
        rebuild = self.dice.random() < 0.15
        name = f"killed at {point.strip('/_') or 'any write'}"
        if self.home.objects and point not in _LOCAL and not is_local:
            with self._watched(signal.SIGKILL, moment, point, nth):
                code = self.home.run(now_of(step), rebuild=rebuild)
        else:
            hit = {"signal": "SIGKILL", "at": point, "nth": nth}
            code = self.home.run(now_of(step), hit, rebuild=rebuild)
        self._fell(step, name, happened=code in _KILLED)

    @contextmanager
    def _watched(self, how: signal.Signals, moment: str, text: str, nth: int) -> Iterator[None]:
        """A snare in object storage for the run that begins next."""
        assert self.home.objects
        pid = Future[int]()
        self.home.on_begin.append(pid.set_result)
        self.home.objects.watch = Snare(pid, how, moment, text, nth)
        yield
        self.home.objects.watch = lambda moment, asked, body: True

    def badly_served(self, step: int) -> None:
        """By the publisher."""
        kinds = {number: self.dice.choice(FAULTS) for number in range(1, 9) if self.dice.random() < 0.4}
        self.publisher.asked, self.publisher.fault = 0, kinds.get
        self.home.run(now_of(step))
        self.publisher.fault = lambda number: None
        for number, kind in kinds.items():
            self._fell(step, f"publisher: {kind}", happened=number <= self.publisher.asked)

    def read_anew(self, step: int) -> None:
        """All of landing is read again, and as often as not that is cut short."""
        hit = {"cpu": self.dice.uniform(0.02, 2.5)} if self.dice.random() < 0.5 else None
        code = self.home.run(now_of(step), hit, anew=True)
        self._fell(step, "killed while reading all anew" if code in _KILLED else "all read anew")

    def storage_faulty(self, step: int) -> None:
        """It answers with faults for a while, or does what it is asked and does not say so."""
        assert self.home.objects
        if self.dice.random() < 0.5:
            self.home.objects.answer_lost += ["PUT"] * self.dice.randrange(1, 30)
            self._fell(step, "storage: answers lost")
        else:
            at, size = self.dice.randrange(1, 120), self.dice.choice((1, 3, 12, 40))
            self.home.objects.watch = _Outage(at, size)
            self._fell(step, "storage: outage")
        self.home.run(now_of(step))
        self.home.objects.watch = lambda moment, asked, body: True
        self.home.objects.answer_lost.clear()

    def disk_full(self, step: int) -> None:
        """That of the home, but for some room."""
        folder = self.home.folder / "home"
        ballast = folder / "ballast"
        size = max(0, shutil.disk_usage(folder).free - self.dice.choice(_ROOM))
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(size, 1))
        code = self.home.run(now_of(step))
        ballast.unlink()
        self._fell(step, "disk full", happened=code != 0)

    def cut_off_from_database(self, step: int) -> None:
        """At something that is said to it, carried out or not; sometimes the run is killed there."""
        pid = Future[int]()
        self.home.on_begin.append(pid.set_result)
        kind = self.dice.choice(("cut off from", "cut off from", "killed at"))
        do = (lambda: None) if kind == "cut off from" else (lambda: os.kill(pid.result(60), signal.SIGKILL))
        self._blow(step, kind, do)

    def database_crashed(self, step: int) -> None:
        """The server ends at once, or one of its backends is, and it starts again."""
        assert self.home.database
        server = self.home.database.server
        kind = self.dice.choice(("crash of", "backends ended in"))
        self._blow(
            step,
            kind,
            partial(_crash, server.crash, server.start) if kind == "crash of" else self._end_backends,
        )

    def _end_backends(self) -> None:
        assert self.home.database
        self.home.database.ask(
            "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
            " and datname = current_database()"
        )

    def _blow(self, step: int, kind: str, do: Callable[[], None]) -> None:
        assert self.home.database
        text = self.dice.choice((*_SAID, b"", b""))
        nth = self.dice.randrange(1, 6) if text else self.dice.randrange(1, 250)
        over = threading.Event()

        def strike() -> None:
            do()
            over.set()

        blow = Blow(text, nth, strike, after=self.dice.random() < 0.5)
        self.home.database.wire.blow = blow
        self.home.run(now_of(step))
        self.home.database.wire.blow = None
        if blow.has_fallen:
            assert over.wait(60)
            when = "after" if blow.after else "before"
            self._fell(step, f"{kind} PostgreSQL {when} {text.decode() or 'anything'}")

    def held_up(self, step: int) -> Standing | None:
        """A run that stands still while others work; None if it was through before it came to that."""
        is_asleep = self.home.objects is not None and self.dice.random() < 0.5
        pid = self._asleep(step) if is_asleep else self._stopped(step)
        if not self.home.is_stopped(pid):
            self.home.wait(pid)
            return None
        self._fell(step, "stopped with its lease" if is_asleep else "stopped between two steps")
        self.home.let_leases_expire()
        return Standing(pid, is_asleep)

    def let_go(self, run: Standing) -> None:
        """It goes on, and nothing fails by that; one that has lost its lease may say so."""
        slept = self.home.folder / "home" / "slept"
        if run.is_asleep:
            slept.write_text("900")
        code = self.home.go_on(run.pid)
        slept.unlink(missing_ok=True)
        assert code == 0 or run.is_asleep, code

    def _stopped(self, step: int) -> int:
        """Between two of its steps, once it has fetched."""
        rebuild, nth = self.dice.random() < 0.3, self.dice.randrange(2, STEPS_OF_A_RUN + 1)
        if self.home.objects:
            with self._watched(signal.SIGSTOP, "after", f'/locks/{SLUG}.json "free":true', nth - 1):
                return self._settled(self.home.begin(now_of(step), rebuild=rebuild))
        lock = {"at": f"/locks/{SLUG}.lock", "opens": True, "nth": nth}
        return self.home.begin(now_of(step), {"signal": "SIGSTOP", **lock}, rebuild=rebuild)

    def _asleep(self, step: int) -> int:
        """While it holds the lease, which others get meanwhile."""
        point = self.dice.choice((*POINTS[:-5], f'/locks/{SLUG}.json "free":false'))
        moment, nth = self.dice.choice(("before", "after")), self.dice.choice((1, 2, 3, 4, 5))
        with self._watched(signal.SIGSTOP, moment, point, nth):
            return self._settled(self.home.begin(now_of(step)))

    def _settled(self, pid: int) -> int:
        self.home.is_stopped(pid)
        return pid


class _Outage:
    """Some requests, from the n-th on, are not done."""

    def __init__(self, at: int, size: int) -> None:
        self._at, self._size, self._asked = at, size, 0

    def __call__(self, moment: str, asked: str, body: bytes) -> bool:
        self._asked += moment == "before"
        return not (moment == "before" and self._at <= self._asked < self._at + self._size)


def _crash(end: Callable[[], None], start: Callable[[], None]) -> None:
    end()
    start()


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """A file system of its own for a folder, of a size that can be filled; False where none may be mounted."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={_DISK}", "tmpfs", str(folder)]
    try:
        is_there = subprocess.run(command, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        is_there = False
    try:
        yield is_there
    finally:
        if is_there:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)

"""Dagster's processes as they are deployed on a machine without containers: the code location, and the daemon.

Each is a process of its own, started by the commands of `deploy/systemd`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import dagster as dg

from civitas_assets.endpoint import find_free_port
from civitas_assets.settings import PROJECT_DIR
from testbed.history import History

LOCATION = ("--workspace", str(PROJECT_DIR / "deploy" / "workspace.yaml"))
_PATIENCE = 120.0  # seconds until the code location answers


@dataclass(frozen=True)
class CodeServer:
    """The code location: where it answers, and the process that was started; its children belong to it."""

    port: int
    pid: int
    environment: Mapping[str, str]

    def used(self) -> tuple[float, float]:
        """CPU seconds of its processes so far, and the megabytes of the one that had most, at its peak."""
        pids = _family(self.pid)
        return sum(map(_cpu_seconds, pids)), max(map(_peak_megabytes, pids))

    def wait_for_runs(self) -> None:
        """Until its runs have ended and been reaped: what they used is counted by then."""
        while any("multiprocessing.spawn" in _command(pid) for pid in _family(self.pid)):
            time.sleep(0.2)


@contextmanager
def code_server(environment: Mapping[str, str]) -> Iterator[CodeServer]:
    """The code location of the deployment that the environment describes, once it answers."""
    port = str(find_free_port())
    environment = {**environment, "CIVITAS_CODE_HOST": "127.0.0.1", "CIVITAS_CODE_PORT": port}
    at = ["--host", "127.0.0.1", "--port", port]
    start = ["dagster", "code-server", "start", *at, "--module-name", "civitas_assets.definitions"]
    with process(start, environment) as pid:
        health = [sys.executable, "-m", "dagster", "api", "grpc-health-check", *at]
        deadline = time.monotonic() + _PATIENCE
        while subprocess.run(health, env=environment, capture_output=True, check=False).returncode:
            assert time.monotonic() < deadline, log_of(environment).read_text()[-3000:]
        yield CodeServer(int(port), pid, environment)


@contextmanager
def deployed(environment: Mapping[str, str]) -> Iterator[CodeServer]:
    """The code location, and the daemon with the queue, schedules and sensors."""
    with (
        code_server(environment) as server,
        process(["dagster._daemon", "run", *LOCATION], server.environment),
    ):
        yield server


@contextmanager
def process(command: list[str], environment: Mapping[str, str]) -> Iterator[int]:
    """A module's process, ended with its turn; its id."""
    with log_of(environment).open("ab") as log:
        started = subprocess.Popen([sys.executable, "-m", *command], env=environment, stdout=log, stderr=log)
        try:
            yield started.pid
        finally:
            started.terminate()
            started.wait(60)


def launch(job: str, environment: Mapping[str, str]) -> None:
    """Put a run of the job into the queue."""
    command = [sys.executable, "-m", "dagster", "job", "launch", *LOCATION, "-j", job]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]


def run_ended(kept: History, job: str, after: datetime, patience: float) -> dg.RunRecord:
    """The job's run that was created after that time, once it has succeeded; at most so many seconds from now."""
    wanted = dg.RunsFilter(job_name=job, created_after=after)
    ended = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        for run in kept.instance.get_run_records(wanted):
            if run.dagster_run.status in ended:
                entries = kept.instance.all_logs(run.dagster_run.run_id)
                said = "\n".join(entry.user_message for entry in entries)
                assert run.dagster_run.is_success, said[-3000:]
                return run
        time.sleep(0.5)
    raise TimeoutError(log_of({"DAGSTER_HOME": str(kept.home)}).read_text()[-3000:])


def log_of(environment: Mapping[str, str]) -> Path:
    """What the processes say."""
    return Path(environment["DAGSTER_HOME"], "processes.log")


def _family(pid: int) -> list[int]:
    children = [
        child for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()
    ]
    return [pid, *(below for child in children for below in _family(int(child)))]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:  # it has ended
        return ""


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(fields[at]) for at in (11, 12, 13, 14)) / os.sysconf("SC_CLK_TCK")


def _peak_megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1000

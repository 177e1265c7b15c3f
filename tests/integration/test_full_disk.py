"""No room left: the error says what is full and how much was needed, readers see the old state, the next run goes on.

The disks are file systems in memory of a few kilobytes, which only root may mount.
"""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.conftest import Server, Workplace

Enlarge = Callable[[], None]


@pytest.fixture
def disk() -> Iterator[Callable[[Path, str], Enlarge]]:
    """Puts a disk of a size at a folder; what it gives makes the disk large."""
    with ExitStack() as stack:

        def mount(folder: Path, size: str) -> Enlarge:
            folder.mkdir(parents=True, exist_ok=True)
            done = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
                check=False,
                capture_output=True,
            )
            if done.returncode:
                pytest.skip(f"no file system may be mounted here: {done.stderr.decode().strip()}")
            stack.callback(subprocess.run, ["umount", "--lazy", str(folder)], check=True)
            return lambda: (
                subprocess.run(["mount", "-o", "remount,size=200m", str(folder)], check=True),
                None,
            )[1]

        yield mount


@pytest.mark.parametrize(
    ("place", "step"),
    [
        (("home/landing", "64k"), "kB were needed and 0.0 kB are free"),
        (("home/records", "16k"), "read"),
        (("home/workspaces", "1m"), "no workspace could be made"),
        (("home/workspaces", "4500k"), " be made: the disk"),
        (("home/published", "1m"), "was left as it was"),
        (("home/reports", "16k"), "no page can be written"),
    ],
)
def test_run_on_a_full_disk_says_so_and_the_next_one_goes_on(
    kleinstadt: Workplace,
    town: Server,
    disk: Callable[[Path, str], Enlarge],
    place: tuple[str, str],
    step: str,
) -> None:
    folder, size = kleinstadt.folder / place[0], place[1]
    noise = random.Random(1).randbytes(50_000).hex().encode()  # noqa: S311 - what no packing makes smaller
    town.pages["/counter.csv"] = town.pages["/counter.csv"] + b"\n#" + noise
    enlarge = disk(folder, size)
    outcome = kleinstadt.run("kleinstadt")
    told = "; ".join([*outcome.errors, *outcome.warnings])  # a page is no part of what was asked for
    assert f"the disk or quota of {folder}" in told
    assert "is full" in told
    assert step in told
    assert "unforeseen" not in told
    assert {path.name for path in folder.rglob(".*")} <= {".rebuild"}  # which the next run goes on with
    assert not [*kleinstadt.settings.workspaces.glob("*-kleinstadt/*")]

    enlarge()
    assert not [error for error in kleinstadt.run("kleinstadt").errors if "payload" not in error]
    assert kleinstadt.ask("kleinstadt", "select sum(value)::int from observation") == [(12,)]

"""Workspaces of runs that are over go with the next run; those of processes that live, and of broken tests, stay."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from civitas_assets.harmonise.kept_runs import remove_stale_workspaces
from civitas_assets.harmonise.workspace import Workspace
from civitas_assets.harmonise.workspace_tables import WORKSPACE_FILE
from civitas_assets.store.locks import claim_folder, release_folder

NOW = datetime.now(UTC)
_RUN = """
import sys
from pathlib import Path
from civitas_assets.store.locks import claim_folder
claim_folder(Path(sys.argv[1]))
Path(sys.argv[1], sys.argv[2]).touch()
print("made", flush=True)
sys.stdin.read()
"""


def made(folder: Path) -> Workspace:
    """A workspace of a run in this process."""
    claim_folder(folder)
    (folder / WORKSPACE_FILE).touch()
    return Workspace(folder)


def test_a_workspace_stays_as_long_as_the_process_of_its_run_lives(tmp_path: Path) -> None:
    folder = tmp_path / "run-town"
    with subprocess.Popen(
        [sys.executable, "-c", _RUN, str(folder), WORKSPACE_FILE],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as run:  # fmt: skip
        assert run.stdout is not None
        assert run.stdout.readline() == b"made\n"
        os.utime(folder, (0, 0))  # however old it is
        remove_stale_workspaces(tmp_path, NOW)
        assert folder.exists()
        run.kill()
    remove_stale_workspaces(tmp_path, NOW)
    assert not folder.exists()


def test_one_that_broke_a_test_stays_some_days_to_be_looked_at(tmp_path: Path) -> None:
    workspace = made(tmp_path / "run-town")
    workspace.keep()
    release_folder(workspace.folder)
    remove_stale_workspaces(tmp_path, NOW)
    assert workspace.folder.exists()
    os.utime(workspace.folder, (0, 0))
    remove_stale_workspaces(tmp_path, NOW)
    assert not workspace.folder.exists()


def test_what_others_keep_there_for_a_while_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "rehearsal").mkdir()
    remove_stale_workspaces(tmp_path, NOW)
    assert (tmp_path / "rehearsal").exists()


def test_a_workspace_that_is_removed_can_be_made_again(tmp_path: Path) -> None:
    for _ in range(2):
        workspace = made(tmp_path / "run-town")
        remove_stale_workspaces(tmp_path, NOW)
        assert workspace.folder.exists()
        workspace.remove()

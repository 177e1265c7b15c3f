"""What the documentation tells readers to type does what it says, on the demo towns with their sample servers up."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from civitas_assets.harmonise.project import Project
from civitas_assets.settings import PROJECT_DIR

PAGES = [
    path.relative_to(PROJECT_DIR).as_posix()
    for path in (
        PROJECT_DIR / "README.md",
        PROJECT_DIR / "CONTRIBUTING.md",
        *sorted((PROJECT_DIR / "docs").rglob("*.md")),
    )
]
_PATIENCE = 300  # seconds
_READY = "Ctrl-C ends the servers."


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, project: Project) -> Iterator[Path]:
    """A folder in which `civitas demo --serve` has run, and serves; the prepared project is that of all tests."""
    folder = tmp_path_factory.mktemp("reader")
    command = [sys.executable, "-m", "civitas_assets.cli", "demo", "--serve"]
    output: list[str] = []
    ready = threading.Event()
    with subprocess.Popen(
        command,
        env={
            **os.environ,
            "CIVITAS_HOME": str(folder / "data"),
            "CIVITAS_PREPARED_DIR": str(project.prepared.parent),
            "NO_COLOR": "1",
            "PYTHONUNBUFFERED": "1",
        },
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None

        def listen(lines: Iterator[str]) -> None:
            for line in lines:
                output.append(line)
                if _READY in line:
                    ready.set()
            ready.set()

        listener = threading.Thread(target=listen, args=(process.stdout,))
        listener.start()
        try:
            ready.wait(420)
            assert any(_READY in line for line in output), "".join(output)
            assert process.poll() is None, "".join(output)
            yield folder
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            finally:
                process.kill()  # else leaving would wait for one that Ctrl-C does not end
            listener.join(30)


@pytest.fixture
def reader(demo: Path, project: Project, tmp_path: Path) -> Path:
    """A copy of the demo's folder, which a page may change."""
    shutil.copytree(demo / "data" / "demo", tmp_path / "data" / "demo")
    shutil.copytree(project.prepared.parent, tmp_path / "data" / "demo" / "dbt")
    return tmp_path


def environment_of(reader: Path) -> dict[str, str]:
    """What the first page tells a reader to set, and the programs of this installation."""
    programs = str(Path(sys.executable).parent)
    home = reader / "data" / "demo"
    return {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "CIVITAS_HOME": str(home),
        "CIVITAS_TENANTS_DIR": str(home / "tenants"),
        "CIVITAS_DBT_PROJECT_DIR": str(PROJECT_DIR / "dbt_project"),
        "HOME": str(reader),
        "NO_COLOR": "1",
    }


def blocks(page: str, language: str) -> list[str]:
    """The page's blocks of code in a language."""
    text = (PROJECT_DIR / page).read_text(encoding="utf-8")
    return [found[1] for found in re.finditer(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)]


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "console")])
def test_commands_of_a_page_succeed_one_after_the_other(page: str, reader: Path) -> None:
    script = "\n".join(["set -euo pipefail", *blocks(page, "console")])
    done = subprocess.run(
        ["bash", "-xc", script],
        check=False,
        cwd=reader,
        env=environment_of(reader),
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "shell")])
def test_commands_for_another_machine_are_valid_shell(page: str) -> None:
    for block in blocks(page, "shell"):
        done = subprocess.run(["bash", "-n"], check=False, input=block, capture_output=True, text=True)
        assert not done.stderr, done.stderr


# Modules of a package, which have nothing to print, are run by test_extend.py.
@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page, "python") and page != "docs/extend.md"]
)
def test_python_of_a_page_runs(page: str, reader: Path) -> None:
    for block in blocks(page, "python"):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", block],
            check=False,
            cwd=reader,
            env=environment_of(reader),
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout


def test_every_question_of_analysts_has_an_answer_in_musterstadt(demo: Path) -> None:
    file = demo / "data/demo/published/musterstadt/musterstadt_db.duckdb"
    with duckdb.connect(str(file), read_only=True) as tables:
        for question in blocks("docs/analysts.md", "sql"):
            assert tables.execute(question).fetchall(), question

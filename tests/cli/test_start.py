"""The command answers at once: what it imports for its help, and that all of it has help."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from civitas_assets.cli import app

HEAVY = {"pydantic", "polars", "duckdb", "dagster", "httpx2", "yaml", "sqlalchemy", "msgspec", "pyproj"}


def modules_after(*arguments: str) -> set[str]:
    """Top-level packages, and modules of this one, that a process has imported when the command is through."""
    code = (
        "import sys\n"
        f"sys.argv = ['civitas', *{list(arguments)!r}]\n"
        "from civitas_assets.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('@', *{name if 'civitas_' in name else name.partition('.')[0] for name in sys.modules})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {*done.stdout.rpartition("@")[2].split()}


def test_help_imports_nothing_that_takes_long() -> None:
    assert not modules_after("--help") & HEAVY


def test_only_what_is_asked_for_is_made_out() -> None:
    every = get_command(app)
    assert {*every.commands} > {"run", "tenant"}  # type: ignore[attr-defined]
    for name in every.commands:  # type: ignore[attr-defined]
        assert [*get_command(app.select_command(name)).commands] == [name]  # type: ignore[attr-defined]
    for word in ("", "--help", "runs", "list"):
        assert app.select_command(word) is app


def test_status_needs_neither_tables_nor_models_while_no_file_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home" / "last_good").mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "home" / "last_good"):
        (folder / "town.yaml").write_text("name: Town\nsources: {s: {connector: csv}}\n", encoding="utf-8")
    monkeypatch.setenv("CIVITAS_TENANTS_DIR", str(tmp_path))
    monkeypatch.setenv("CIVITAS_HOME", str(tmp_path / "home"))
    assert not modules_after("status") & {"polars", "duckdb", "dagster", "httpx2", "sqlalchemy", "pyproj"}


def test_a_query_of_a_file_needs_no_models_records_or_drivers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIVITAS_HOME", str(tmp_path))
    loaded = modules_after("query", "town", "select 1")
    assert "duckdb" in loaded
    assert "civitas_assets.catalog.model" not in loaded
    assert not loaded & {"polars", "numpy", "pyarrow", "dagster", "httpx2", "sqlalchemy", "pyproj", "psycopg"}


def test_a_run_loads_nothing_of_dagster_and_looks_for_garbage_again() -> None:
    code = (
        "import gc, sys\n"
        "from civitas_assets.cli import runs\n"
        "with runs._loading():\n    import civitas_assets.pipeline.runner\n"
        "print(gc.isenabled(), *(sys.modules.keys() & {'dagster', 'sqlalchemy', 'alembic', 'pygments.lexers'}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"]


def test_ctrl_c_ends_a_run_that_waits() -> None:
    code = (
        "import signal, threading\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from civitas_assets.cli import runs\n"
        "with runs._loading():\n    import polars\n"
        "print('waits', flush=True)\n"
        "threading.Event().wait()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waits\n"
        process.send_signal(signal.SIGINT)
        try:
            _, said = process.communicate(timeout=30)
        finally:
            process.kill()
    assert "KeyboardInterrupt" in said


def test_every_command_and_option_says_what_it_does() -> None:
    def silent(command: Any, path: str) -> list[str]:
        inner = [
            name for n, c in getattr(command, "commands", {}).items() for name in silent(c, f"{path} {n}")
        ]
        options = [
            f"{path} {option.name}"
            for option in command.params
            if option.param_type_name == "option" and not getattr(option, "help", None)
        ]
        return [*inner, *options, *([] if command.help else [path])]

    assert silent(get_command(app), "civitas") == []


def test_arguments_are_explained() -> None:
    shown = CliRunner().invoke(app, ["query", "--help"], env={"COLUMNS": "200"}).output
    assert "The tenant's key" in shown
    assert "A query, such as" in shown
    assert "as show names them" in CliRunner().invoke(app, ["quarantine", "show", "--help"]).output

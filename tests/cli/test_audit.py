"""What is done on the command line is recorded with who, what and how it ended, and `civitas audit` shows it."""

from __future__ import annotations

import json
import os
import pwd
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from civitas_assets import __version__, cli
from civitas_assets.audit.log import AuditLog
from civitas_assets.audit.record import find_account

Call = Callable[..., tuple[int, str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "home").mkdir()
    (tmp_path / "tenants").mkdir()
    monkeypatch.setenv("CIVITAS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CIVITAS_TENANTS_DIR", str(tmp_path / "tenants"))
    monkeypatch.delenv("SUDO_USER", raising=False)
    return tmp_path / "home"


@pytest.fixture
def call(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    del home

    def called(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["civitas", *words])
        code: Any = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
        return code, capsys.readouterr().out

    return called


def _entries(home: Path) -> list[dict[str, Any]]:
    return list(AuditLog(home / "audit").read_entries())


def test_a_command_is_recorded_before_and_after_with_its_outcome(call: Call, home: Path) -> None:
    assert call("status", "--check")[0] == 0
    assert call("tenant", "remove", "nobody", "--yes", "--token", "geheim")[0] != 0
    first, last, begin, end = _entries(home)
    assert [first["event"], last["event"], last["outcome"]] == ["begin", "end", "ok"]
    assert (first["where"], first["user"], first["account"]) == ("cli", find_account(), find_account())
    assert (first["action"], first["arguments"]) == ("status", ["--check"])
    assert begin["action"] == "tenant remove"
    assert begin["arguments"][0] == "nobody"
    assert end["outcome"].startswith("exit ")
    assert "geheim" not in json.dumps([begin, end])


def test_the_one_who_came_by_sudo_is_the_user(
    call: Call, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "anna")
    call("status")
    assert {(entry["user"], entry["account"]) for entry in _entries(home)} == {("anna", find_account())}


@pytest.mark.parametrize("words", [[], ["--help"], ["status", "--help"], ["nonsense"]], ids=str)
def test_help_and_what_is_no_command_are_not_recorded(call: Call, home: Path, words: list[str]) -> None:
    call(*words)
    assert _entries(home) == []


def test_nothing_is_made_where_there_is_no_deployment(call: Call, home: Path) -> None:
    home.rmdir()
    call("status")
    assert not home.exists()


def test_who_may_not_write_reads_without_a_line(
    call: Call, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as an analyst with an account of their own."""
    monkeypatch.setattr(os, "access", lambda place, mode: not mode & os.W_OK)
    assert call("status")[0] == 0
    assert _entries(home) == []


def test_the_log_is_shown_selected_and_verified(call: Call, home: Path) -> None:
    call("status")
    assert "status" in call("audit")[1]
    assert "status" not in call("audit", "--user", "somebody")[1]
    assert call("audit", "--since", "2999-01-01", "--json")[1] == ""
    assert json.loads(call("audit", "--json")[1].splitlines()[0])["action"] == "status"
    code, shown = call("audit", "--verify")
    assert code == 0
    assert find_account() in shown
    (file,) = AuditLog(home / "audit").list_files()
    file.write_text(file.read_text(encoding="utf-8").replace("status", "stasis"), encoding="utf-8")
    assert call("audit", "--verify")[0] == 1


def test_root_does_nothing_in_the_home_of_another_account(
    call: Call, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    owner = pwd.struct_passwd(("betrieb", "x", 4711, 4711, "", "/", "/bin/false"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwuid", lambda _: owner)
    stat = Path.stat

    def of_another(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        found = stat(path, follow_symlinks=follow_symlinks)
        return os.stat_result((*found[:4], 4711, *found[5:10])) if path == home else found

    monkeypatch.setattr(Path, "stat", of_another)
    monkeypatch.setattr(sys, "argv", ["civitas", "status"])
    with pytest.raises(SystemExit):
        cli.main()
    assert "belongs to betrieb" in capsys.readouterr().err
    assert not (home / "audit").exists()
    assert call("--version") == (0, f"civitas {__version__}\n"), "which concerns no home"

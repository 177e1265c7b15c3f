"""The log of who did what: appended, flushed, sealed line by line, a file per account and month."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from civitas_assets.audit.log import AuditLog

NOW = datetime(2026, 8, 22, 5, 11, tzinfo=UTC)
OCTOBER, LATER = datetime(2026, 10, 1, tzinfo=UTC), datetime(2027, 12, 1, tzinfo=UTC)


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "audit")


def _actions(log: AuditLog) -> list[str]:
    return [entry["action"] for entry in log.read_entries()]


def _append(log: AuditLog, *actions: str, account: str = "civitas", now: datetime = NOW) -> Path:
    for action in actions:
        log.append({"action": action}, account, now)
    return log.folder / f"{account}.{now:%Y-%m}.jsonl"


def test_entries_are_appended_in_order_and_nothing_is_broken(log: AuditLog) -> None:
    file = _append(log, "one", "two", "drei ü\n")
    assert _actions(log) == ["one", "two", "drei ü\n"]
    assert log.find_breaks() == []
    assert file.stat().st_mode & 0o777 == 0o640
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [line["before"] for line in lines[1:]] == [line["hash"] for line in lines[:-1]]
    assert log.read_heads() == {"civitas": lines[-1]["hash"]}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda lines: [lines[0], lines[1].replace("two", "six"), lines[2]], "was changed"),
        (lambda lines: [lines[0], lines[2]], "does not follow"),
        (lambda lines: [lines[0], lines[2], lines[1]], "does not follow"),
        (lambda lines: [lines[0], lines[1][:40], lines[2]], "is no entry"),
        (lambda lines: [lines[0], "{}", *lines[1:]], "was changed"),
    ],
    ids=["changed", "left out", "in another order", "torn", "put in"],
)
def test_whoever_reads_finds_what_was_changed(log: AuditLog, change: object, reason: str) -> None:
    file = _append(log, "one", "two", "three")
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(change(lines)) + "\n", encoding="utf-8")  # type: ignore[operator]
    breaks = log.find_breaks()
    assert breaks
    assert reason in breaks[0].reason
    assert (breaks[0].file, breaks[0].line) == (file.name, 2)


def test_an_end_that_was_cut_off_is_found_with_a_hash_that_was_kept(log: AuditLog) -> None:
    file = _append(log, "one", "two")
    kept = log.read_heads()
    file.write_text(file.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    assert log.find_breaks() == []
    assert log.read_heads() != kept


def test_a_line_that_was_torn_spoils_itself_alone(log: AuditLog) -> None:
    file = _append(log, "one")
    with file.open("a", encoding="utf-8") as opened:
        opened.write('{"action": "tor')
    _append(log, "two")
    assert _actions(log) == ["one", "two"]
    assert [str(found) for found in log.find_breaks()] == [f"{file.name}:2: is no entry: torn or changed"]


def test_months_follow_each_other_and_go_after_their_time(log: AuditLog) -> None:
    files = [_append(log, "summer"), _append(log, "autumn", now=OCTOBER)]
    assert log.find_breaks() == []
    assert log.list_files() == sorted(files)
    _append(log, "others", account="web")
    _append(log, "winter", now=LATER)
    assert _actions(log) == ["others", "winter"], "of this account, what is older than a year went"
    assert log.find_breaks() == []


def test_only_the_one_who_writes_removes_what_is_its_own(log: AuditLog) -> None:
    mine, other = _append(log, "mine"), _append(log, "other", account="web")
    _append(log, "new", now=LATER)
    assert (mine.exists(), other.exists()) == (False, True)


def test_processes_that_write_at_once_leave_one_chain(log: AuditLog) -> None:
    code = (
        "import sys; from pathlib import Path; from civitas_assets.audit.log import AuditLog\n"
        "for n in range(40): AuditLog(Path(sys.argv[1])).append({'action': f'{sys.argv[2]}-{n}'}, 'civitas')"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(log.folder), name]) for name in ("a", "b", "c")
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert log.find_breaks() == []
    assert len(_actions(log)) == 120


def test_files_are_opened_for_appending_and_flushed(log: AuditLog, monkeypatch: pytest.MonkeyPatch) -> None:
    flags, synced, opened, sync = list[int](), list[int](), os.open, os.fsync

    def opening(path: object, flag: int, *more: int) -> int:
        flags.append(flag)
        return opened(path, flag, *more)  # type: ignore[call-overload, no-any-return]

    def syncing(descriptor: int) -> None:
        synced.append(descriptor)
        sync(descriptor)

    monkeypatch.setattr(os, "open", opening)
    monkeypatch.setattr(os, "fsync", syncing)
    _append(log, "one")
    assert flags[0] & os.O_APPEND
    assert not flags[0] & os.O_TRUNC
    assert len(synced) == 2, "the file, and the folder that has got a new one"

"""The files of the log: a line of JSON for each beginning and end of what somebody did, appended and flushed to disk.

Each operating-system account writes files of its own, one per month, so that none needs rights to another's. A line
holds the hash of the line before, across months: what was changed, or left out in between, is found by whoever reads.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

_NAME = re.compile(r"(?P<account>.+)\.(?P<month>\d{4}-\d{2})\.jsonl")
_TAIL = 256 * 1024  # bytes; longer than any line
_FIRST = "0" * 64  # what the first line of all says of the line before


@dataclass(frozen=True)
class Break:
    """A place at which the log is not what was written: file, line, and what is wrong there."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


class AuditLog:
    """The log in a folder. Files that are older than `days` days go when a new month begins."""

    def __init__(self, folder: Path, days: int = 365) -> None:
        self.folder = folder
        self._days = days

    def append(self, entry: Mapping[str, Any], account: str, now: datetime | None = None) -> str:
        """Append an entry under the account that writes, wait until it is on disk, and return its line.

        Raises:
            OSError: it cannot be written.
        """
        now = now or datetime.now(UTC)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        file = self.folder / f"{account}.{now:%Y-%m}.jsonl"
        is_new = not file.exists()
        descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            with suppress(OSError):  # a file system over a network may know no such locks
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            size = os.fstat(descriptor).st_size
            tail = os.pread(descriptor, _TAIL, max(0, size - _TAIL))
            before = _last_hash(tail) or (self._hash_of_earlier(account, file.name) if is_new else _FIRST)
            line = _sealed({**entry, "time": now.isoformat(timespec="milliseconds")}, before)
            # Where a line was torn, as by a lack of power, the next one does not continue it.
            torn = b"\n" if tail and not tail.endswith(b"\n") else b""
            _write(descriptor, torn + line.encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            self._flush_folder()
            self._forget(account, now.date())
        return line

    def read_entries(self, since: datetime | None = None) -> Iterator[dict[str, Any]]:
        """All entries that can be read, of all accounts, the oldest first."""
        found = [entry for file in self.list_files() for _, entry in _lines(file) if entry is not None]
        found.sort(key=lambda entry: str(entry.get("time", "")))
        for entry in found:
            if since is None or str(entry.get("time", "")) >= since.isoformat():
                yield entry

    def list_files(self) -> list[Path]:
        """The files, by account and month."""
        if not self.folder.is_dir():
            return []
        return sorted(file for file in self.folder.iterdir() if _NAME.fullmatch(file.name))

    def find_breaks(self) -> list[Break]:
        """Where lines are torn, changed, missing or in another order. What is missing at an end cannot be seen."""
        found, last = [], dict[str, str]()
        for file in self.list_files():
            name = _NAME.fullmatch(file.name)
            account = name["account"] if name else ""
            for number, entry in _lines(file):
                if entry is None:
                    found.append(Break(file.name, number, "is no entry: torn or changed"))
                    continue
                if entry.get("hash") != _hash(entry):
                    found.append(Break(file.name, number, "was changed after it was written"))
                elif account in last and entry.get("before") != last[account]:
                    found.append(
                        Break(
                            file.name,
                            number,
                            "does not follow the line before: one is missing or was changed",
                        )
                    )
                last[account] = str(entry.get("hash"))
        return found

    def read_heads(self) -> dict[str, str]:
        """The last hash of each account's: kept elsewhere, it shows later whether the end was cut off."""
        heads = dict[str, str]()
        for file in self.list_files():
            name = _NAME.fullmatch(file.name)
            for _, entry in _lines(file):
                if name and entry is not None:
                    heads[name["account"]] = str(entry.get("hash", ""))
        return heads

    def _hash_of_earlier(self, account: str, name: str) -> str:
        """The last hash of the month before, where there is one."""
        for file in reversed(self.list_files()):
            match = _NAME.fullmatch(file.name)
            if match and match["account"] == account and file.name < name:
                size = file.stat().st_size
                with file.open("rb") as opened:
                    opened.seek(max(0, size - _TAIL))
                    return _last_hash(opened.read()) or _FIRST
        return _FIRST

    def _forget(self, account: str, today: date) -> None:
        """Remove months of this account whose last day is longer ago than is kept."""
        for file in self.list_files():
            name = _NAME.fullmatch(file.name)
            if name and name["account"] == account:
                year, month = map(int, name["month"].split("-"))
                end = date(year + month // 12, month % 12 + 1, 1)
                if (today - end).days > self._days:
                    file.unlink(missing_ok=True)

    def _flush_folder(self) -> None:
        with suppress(OSError):
            descriptor = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _sealed(entry: Mapping[str, Any], before: str) -> str:
    whole = {**entry, "before": before}
    return json.dumps({**whole, "hash": _hash(whole)}, ensure_ascii=False, default=str)


def _hash(entry: Mapping[str, Any]) -> str:
    """Of all members but the hash, in one order."""
    rest = {name: value for name, value in entry.items() if name != "hash"}
    text = json.dumps(rest, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _last_hash(tail: bytes) -> str:
    for line in reversed(tail.splitlines()):
        with suppress(ValueError, AttributeError):
            if found := json.loads(line).get("hash"):
                return str(found)
    return ""


def _lines(file: Path) -> Iterator[tuple[int, dict[str, Any] | None]]:
    with file.open("rb") as opened:
        for number, line in enumerate(opened, 1):
            try:
                entry = json.loads(line)
            except ValueError:
                entry = None
            yield number, entry if isinstance(entry, dict) else None


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]

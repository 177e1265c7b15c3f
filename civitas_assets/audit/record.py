"""Recording one deed: that it began, by whom, and how it ended."""

from __future__ import annotations

import logging
import os
import pwd
import secrets
import sys
import time
from typing import Any, Literal

from civitas_assets.audit.log import AuditLog
from civitas_assets.settings import Settings

log = logging.getLogger(__name__)
Where = Literal["cli", "ui"]


def find_account() -> str:
    """The account of the operating system that this process works under."""
    uid = os.geteuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # as in a container that is told a number only
        return f"uid-{uid}"


class Record:
    """Something that somebody does. What cannot be recorded is told, and stops nobody: a full disk needs a command.

    Args:
        settings: Where the log is, and whether it is written to standard error, too.
        where: Through what it is done.
        user: Who does it, as far as is known: the account, or the login that the proxy has handed over.
        action: What is done: the words of a command, or the names of mutations.
        arguments: With what, without secrets.
    """

    def __init__(self, settings: Settings, where: Where, user: str, action: str, arguments: Any) -> None:
        self._settings = settings
        self._log = AuditLog(settings.audit, settings.audit_days)
        self._same = {"id": secrets.token_hex(6), "where": where, "user": user, "account": find_account()}
        self._done = {"action": action, "arguments": arguments}
        self._began = time.monotonic()

    @property
    def is_wanted(self) -> bool:
        """Whether there is a deployment, and this account may change something of it: else there is nothing to tell."""
        folder, given = self._settings.audit, self._settings.audit_dir
        place = folder if folder.exists() else (given.parent if given else self._settings.home)
        return os.access(place, os.W_OK)

    def begin(self) -> bool:
        """Say that it begins, before it does; whether that is on disk."""
        return self._append({**self._same, "event": "begin", **self._done})

    def end(self, outcome: str) -> bool:
        """Say how it ended: `ok`, or why not."""
        took = round(time.monotonic() - self._began, 3)
        ended = {**self._same, "event": "end", "action": self._done["action"]}
        return self._append({**ended, "outcome": outcome[:500], "seconds": took})

    def _append(self, entry: dict[str, Any]) -> bool:
        try:
            line = self._log.append(entry, find_account())
        except OSError as error:
            log.warning(
                "the audit log in %s cannot be written: %s", self._settings.audit, error.strerror or error
            )
            return False
        if self._settings.audit_echo:
            sys.stderr.write(line + "\n")
            sys.stderr.flush()
        return True

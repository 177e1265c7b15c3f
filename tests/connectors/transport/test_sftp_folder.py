"""SFTP: what is offered to a server is what is thought safe; real ones are in `tests/ingest/test_server_files.py`."""

from __future__ import annotations

import socket

import paramiko

from civitas_assets.connectors.transport.sftp_folder import WEAK


def test_weak_ciphers_and_checksums_are_not_offered() -> None:
    """Of the version that is installed, which offers some by itself; a name that it has no more would go unnoticed."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        offered = paramiko.Transport(ours, disabled_algorithms=WEAK)
        names = [*offered.preferred_ciphers, *offered.preferred_macs]
    assert {"aes256-gcm@openssh.com", "hmac-sha2-256-etm@openssh.com"} <= {*names}
    assert not [name for name in names if any(weak in name for weak in ("cbc", "3des", "md5", "sha1", "rc4"))]

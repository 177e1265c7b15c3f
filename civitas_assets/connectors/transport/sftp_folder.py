"""A folder of a server of SFTP: over a connection that may be made, with a host key that is known, read only.

The protocol is that of draft-ietf-secsh-filexfer-02, as OpenSSH speaks it.
"""

from __future__ import annotations

import logging
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import paramiko

from civitas_assets.catalog.access import HttpPolicy, SecretRef
from civitas_assets.catalog.file_server import FileAddress, SftpAccess
from civitas_assets.connectors.reachable import Reachable
from civitas_assets.connectors.transport.http_deadline import Deadline
from civitas_assets.connectors.transport.remote_folder import RemoteFile, check_count
from civitas_assets.errors import FetchError, FetchTimeUp
from civitas_assets.spool import Body, Spool

_STEP = 256 * 1024
# Requests for parts of a file that are under way. With 64, as OpenSSH's sftp has, paramiko 5.1 sleeps between looks
# whether it may send the next one: 100 MB took 27 s from a server on loopback, with 1024 3 s.
_AT_ONCE = 1024
# What paramiko 5.1 offers beside the rest, and no server needs that is looked after.
WEAK = {
    "ciphers": ["3des-cbc", "aes128-cbc", "aes192-cbc", "aes256-cbc"],
    "macs": ["hmac-sha1", "hmac-md5", "hmac-sha1-96", "hmac-md5-96"],
}
_FAULTS = (paramiko.SSHException, OSError, EOFError)
# It writes tracebacks of its thread there, also of what is told as an error of ours.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


@contextmanager
def open_sftp_folder(
    address: FileAddress,
    access: SftpAccess,
    policy: HttpPolicy,
    *,
    reachable: Reachable,
    read_secret: Callable[[str], str],
    read_clock: Callable[[], float],
    until: Deadline,
) -> Iterator[SftpFolder]:
    """The folder, until the end of the block; `read_clock` is the clock of `until`, in seconds.

    Raises:
        FetchError: the server is not reached, is another one than is known, or lets nobody in.
        SecretMissing: the password or key is not set.
    """

    def resolve(secret: SecretRef | None) -> str | None:
        return read_secret(secret.secret) if secret is not None else None

    password, key_file, passphrase = map(resolve, (access.password, access.private_key, access.passphrase))
    where, seconds = f"sftp://{address.site}", policy.timeout.total_seconds()
    key = _read_key(key_file, passphrase, access) if key_file is not None else None
    try:
        sock = reachable.connect(address.host, address.ssh_port, seconds)
        transport = paramiko.Transport(sock, disabled_algorithms=WEAK)
    except _FAULTS as error:
        raise FetchError(f"{where} is not reached: {error}") from None
    transport.banner_timeout = transport.auth_timeout = seconds
    try:
        try:
            transport.start_client(timeout=seconds)
        except _FAULTS as error:
            raise FetchError(f"{where} does not speak SSH as we do: {_name_fault(error)}") from None
        _check_host_key(transport.get_remote_server_key(), access, where)
        try:
            if key is not None:
                transport.auth_publickey(address.username, key)
            else:
                transport.auth_password(address.username, password or "")
            client = paramiko.SFTPClient.from_transport(transport)
        except paramiko.AuthenticationException:
            raise FetchError(
                f"{where} does not let {address.username} in: check the user of url: and the secrets of sftp:"
            ) from None
        except _FAULTS as error:
            raise FetchError(f"{where} gives no access to files: {_name_fault(error)}") from None
        if client is None:
            raise FetchError(f"{where} gives no access to files: it opens no channel")
        if (channel := client.get_channel()) is not None:
            channel.settimeout(seconds)
        yield SftpFolder(client, address, policy, read_clock, until)
    finally:
        transport.close()


def _read_key(file: str, passphrase: str | None, access: SftpAccess) -> paramiko.PKey:
    """Our private key; `file` and its passphrase stay unsaid."""
    named = access.private_key.secret if access.private_key else ""
    try:
        return paramiko.PKey.from_path(file, passphrase)
    except OSError as error:
        reason = error.strerror or type(error).__name__
    except (paramiko.SSHException, ValueError, TypeError):
        reason = "no private key that can be read, or another passphrase"
    raise FetchError(f"the private key that {named} names cannot be used: {reason}")


def _check_host_key(key: paramiko.PKey, access: SftpAccess, where: str) -> None:
    shown = key.fingerprint
    if shown not in access.host_keys:
        raise FetchError(
            f"{where} is not the server that is known: it shows {key.get_name()} {shown}, which is none of "
            "sftp.host_keys; nothing was sent to it. Ask its operator, and add the key only if it is theirs"
        )


def _name_fault(error: BaseException) -> str:
    return str(error) or type(error).__name__


class SftpFolder:
    """See `RemoteFolder`."""

    def __init__(
        self,
        client: paramiko.SFTPClient,
        address: FileAddress,
        policy: HttpPolicy,
        read_clock: Callable[[], float],
        until: Deadline,
    ) -> None:
        self._client, self._address, self._policy = client, address, policy
        self._clock, self._until = read_clock, until
        home, _, below = address.folder.partition("/")
        self._path = (below or ".") if home == "~" else f"/{address.folder}"

    def list_files(self) -> Sequence[RemoteFile]:
        """See `RemoteFolder`; links are no plain files."""
        found = list[RemoteFile]()
        try:
            for entry in self._client.listdir_iter(self._path):
                if entry.st_mode is None or stat.S_ISREG(entry.st_mode):
                    found.append(_describe(entry.filename, entry))
                check_count(len(found), self._address.locate())
                self._check_time(self._address.locate(), self._until)
        except UnicodeDecodeError as error:  # paramiko 5.1 gives up the whole list
            raise FetchError(
                f"{self._address.locate()} has a file whose name is no UTF-8, {error.object!r}: have it renamed, or "
                "moved to another folder"
            ) from None
        except _FAULTS as error:
            raise FetchError(
                f"{self._address.locate()} cannot be listed: {_name_fault(error)}; check the folder of url:"
            ) from None
        return found

    def read_file(self, file: RemoteFile, most: int) -> Body | None:
        """See `RemoteFolder`."""
        shown, body = self._address.locate(file.name), Spool()
        own = self._clock() + self._policy.total_time.total_seconds()
        until = min(self._until, Deadline(own, "http.total_time", "raise it if the server is so slow"))
        self._check_time(shown, until)  # a server that has fallen silent costs its timeout once per file
        try:
            with self._client.open(f"{self._path}/{file.name}") as remote:
                remote.prefetch(min(file.size, most), max_concurrent_requests=_AT_ONCE)
                while part := remote.read(_STEP):
                    body.write(part)
                    if body.size > most:
                        raise FetchError(f"{shown} has over {most} bytes: raise http.max_bytes if right")
                    self._check_time(shown, until)
                now = _describe(file.name, remote.stat())
        except _FAULTS as error:
            raise FetchError(f"{shown} cannot be read: {_name_fault(error)}") from None
        return body.close() if now == file and body.size == file.size else None

    def _check_time(self, what: str, until: Deadline) -> None:
        if self._clock() > until.moment:
            kind = FetchTimeUp if until is self._until else FetchError
            raise kind(f"{what} was not answered within {until.limit}: {until.advice}")


def _describe(name: str, entry: paramiko.SFTPAttributes) -> RemoteFile:
    changed = None if entry.st_mtime is None else datetime.fromtimestamp(entry.st_mtime, UTC)
    return RemoteFile(name, entry.st_size or 0, changed, f"{entry.st_size}-{entry.st_mtime}")

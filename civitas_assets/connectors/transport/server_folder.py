"""The folder on a server that a source names, opened by its protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from civitas_assets.catalog.file_server import FileAddress
from civitas_assets.catalog.model import Source
from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.connectors.transport.http_deadline import Deadline
from civitas_assets.connectors.transport.remote_folder import RemoteFolder


@contextmanager
def open_server_folder(
    address: FileAddress,
    source: Source,
    *,
    client: HttpClient,
    until: Deadline,
    read_secret: Callable[[str], str],
    now: Callable[[], datetime],
) -> Iterator[RemoteFolder]:
    """The folder, until the end of the block.

    Raises:
        FetchError: the server is not reached, or lets nobody in.
        SecretMissing: a secret that the source names is not set.
    """
    if source.sftp is not None:
        from civitas_assets.connectors.transport.sftp_folder import open_sftp_folder  # noqa: PLC0415 - slow to import

        with open_sftp_folder(
            address,
            source.sftp,
            source.http,
            reachable=client.reachable,
            read_secret=read_secret,
            read_clock=client.read_clock,
            until=until,
        ) as folder:
            yield folder
    elif source.s3 is not None:
        from civitas_assets.connectors.transport.s3_folder import S3Folder  # noqa: PLC0415 - as rarely needed

        yield S3Folder(address, source, source.s3, client, until, read_secret=read_secret, now=now)
    else:
        from civitas_assets.connectors.transport.webdav_folder import WebdavFolder  # noqa: PLC0415 - with an XML parser

        yield WebdavFolder(address, source, client, until)

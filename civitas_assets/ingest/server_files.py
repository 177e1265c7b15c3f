"""Files on a server of others: those wait whose version is not known; which server it is, transport knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from civitas_assets.catalog import Source
from civitas_assets.catalog.file_server import FileAddress
from civitas_assets.connectors.transport.remote_folder import RemoteFile, RemoteFolder
from civitas_assets.ingest.drop import DropFolder, WaitingFile, WaitingFolder, is_complete
from civitas_assets.spool import Body
from civitas_assets.store.addresses import Address
from civitas_assets.store.files import Files, Stamp


@dataclass(frozen=True)
class ServerFolder:
    """A folder on a server of others, whose files stay there: `known` are addresses with what has landed of them."""

    remote: RemoteFolder
    address: FileAddress
    known: Mapping[str, Address]
    listed: dict[str, RemoteFile] = field(default_factory=dict)

    @property
    def pattern(self) -> str:
        """See `WaitingFolder`."""
        return self.address.pattern

    @property
    def location(self) -> str:
        """See `WaitingFolder`."""
        return self.address.locate()

    def locate(self, name: str) -> str:
        """See `WaitingFolder`."""
        return self.address.locate(name)

    def list_waiting(self, now: datetime) -> Iterator[WaitingFile]:
        """See `WaitingFolder`; what has landed is known by its version, also where its body is gone meanwhile."""
        self.listed.update((file.name, file) for file in self.remote.list_files())
        for name, file in sorted(self.listed.items()):
            changed_at = file.changed_at.timestamp() if file.changed_at else 0.0
            landed = self.known.get(self.locate(name))
            if (landed is None or landed.etag != file.version) and is_complete(
                name, self.pattern, changed_at, now
            ):
                yield WaitingFile(name, Stamp(file.size, file.version))

    def read_file(self, file: WaitingFile, most: int) -> Body | None:
        """See `WaitingFolder`."""
        return self.remote.read_file(self.listed[file.name], most)

    def archive_file(self, file: WaitingFile, now: datetime) -> None:
        """Nothing: what lies there is not ours."""


@contextmanager
def open_waiting_folder(
    tenant: str,
    source: Source,
    drop: Files | None,
    known: tuple[Mapping[str, Address], set[str]],
    open_server: Callable[[FileAddress, Source], AbstractContextManager[RemoteFolder]],
) -> Iterator[WaitingFolder | None]:
    """The folder of the source's files until the end of the block; None where it has none.

    `known` is the index of addresses, and a set that is told which files are on the server still.

    Raises:
        FetchError: the server is not reached, or lets nobody in.
    """
    address, (index, standing) = source.file_address, known
    if address is not None:
        with open_server(address, source) as remote:
            folder = ServerFolder(remote, address, index)
            try:
                yield folder
            finally:
                standing.update(map(folder.locate, folder.listed))
    elif drop is not None and source.dropped is not None:
        yield DropFolder(drop, tenant, source.name, source.dropped)
    else:
        yield None

"""Which files of a tenant's open tables a catalogue announces, and at which addresses.

They are brought to where they lie by the tenant, or made each night in the deployment's own folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from civitas_assets.catalog import Tenant
from civitas_assets.catalog.open_data import DownloadFormat, FolderFormat
from civitas_assets.dcat.controlled_terms import FILE_KINDS, FileKind
from civitas_assets.dcat.open_tables import OpenTable
from civitas_assets.settings import Settings
from civitas_assets.store.open_folder import FolderIndex, OpenFolder
from civitas_assets.store.storage import make_storage


class KnownFile(NamedTuple):
    """A file that was looked at: bytes, and SHA-256 as hexadecimal digits where somebody has worked it out."""

    size: int
    digest: str = ""


@dataclass(frozen=True)
class Offer:
    """Files by name below an address; without `known`, all of these formats are taken to be there."""

    url: str = ""
    formats: tuple[DownloadFormat | FolderFormat, ...] = ()
    known: Mapping[str, KnownFile] | None = None

    @classmethod
    def from_index(cls, url: str, tenant: Tenant, index: FolderIndex | None) -> Offer:
        """What is in the folder that the deployment makes; nothing where not everybody may fetch it."""
        said = tenant.open_data.folder
        if said is None or index is None or said.access != "everybody" or index.access != "everybody":
            return cls()
        known = {name: KnownFile(file.size, file.digest) for name, file in index.files.items()}
        return cls(url, said.formats, known)

    def list_files(self, table: OpenTable) -> Iterator[tuple[FileKind, str, KnownFile | None]]:
        """The files of a table: what they are, their addresses, and what is known of them."""
        for form in self.formats:
            kind = FILE_KINDS[form]
            name = f"{table.model}.{kind.ending}"
            if self.known is not None:
                if name not in self.known:
                    continue
            elif form in {"geojson", "geoparquet"} and not table.has_position:
                continue
            yield kind, f"{self.url.rstrip('/')}/{name}", self.known[name] if self.known is not None else None


def find_offer(settings: Settings, tenant: Tenant, files: Path | None = None) -> Offer:
    """What the tenant's file says of its files; with a folder of those that were uploaded, only these, with sizes."""
    said = tenant.open_data
    if said.downloads is None:
        index = OpenFolder(make_storage(settings).files, tenant.slug).read_index() if said.folder else None
        return Offer.from_index(make_open_url(settings, tenant.slug), tenant, index)
    known = None
    if files is not None:
        found = files.iterdir() if files.is_dir() else ()
        known = {file.name: KnownFile(file.stat().st_size) for file in found if file.is_file()}
    return Offer(said.downloads.url, said.downloads.formats, known)


def make_open_url(settings: Settings, tenant: str) -> str:
    """The address of a tenant's folder of open data: the webserver's own, unless the deployment says another one."""
    return f"{settings.open_url.rstrip('/') or settings.ui_url.rstrip('/') + '/open'}/{tenant}"

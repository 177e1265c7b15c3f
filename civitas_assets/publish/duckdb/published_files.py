"""The published DuckDB files of a deployment: in a folder of this machine, or in object storage that machines share.

Who reads or writes one knows nothing of the difference.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from civitas_assets.publish.duckdb.published_file import (
    LocalPublishedFile,
    PublishedFile,
    find_published_file,
)
from civitas_assets.settings import Settings
from civitas_assets.store.layout import PUBLISHED
from civitas_assets.store.storage import open_objects

if TYPE_CHECKING:
    from civitas_assets.store.objects import ObjectFiles


class PublishedFiles:
    """All of them; with `objects`, the folder holds copies of what is there."""

    def __init__(self, folder: Path, objects: ObjectFiles | None = None) -> None:
        self.folder, self._objects = folder, objects

    @classmethod
    def from_settings(cls, settings: Settings) -> PublishedFiles:
        """Those of the deployment: where landing and records are in object storage, they are there as well."""
        return cls(settings.published, open_objects(settings))

    @property
    def place(self) -> str:
        """Where people find them."""
        return self._objects.locate(PUBLISHED) if self._objects is not None else str(self.folder)

    def find(self, name: str) -> PublishedFile:
        """That of a tenant, or of the commons, whether or not it is there.

        Raises:
            PublishError: that cannot be a tenant's key.
        """
        path = find_published_file(self.folder, name)
        if self._objects is None:
            return LocalPublishedFile(path)
        from civitas_assets.publish.duckdb.shared_file import SharedPublishedFile  # noqa: PLC0415 - obstore is loaded where it is used

        return SharedPublishedFile(path, self._objects, name)

    def list_names(self) -> list[str]:
        """Of whom there may be one."""
        if self._objects is not None:
            return self._objects.list_folders(f"{PUBLISHED}/")
        return sorted(folder.name for folder in self.folder.glob("*") if folder.is_dir())

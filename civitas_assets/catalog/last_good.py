"""The tenants' files as they were last without faults: copies, which a tenant stays at while its file has some.

They are no backup: one is replaced with the next good state, and removed with its tenant.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class LastGood:
    """A folder with the copies, `<slug>.yaml` each."""

    folder: Path

    def file(self, slug: str) -> Path:
        """Where the copy of a tenant is, if there is one."""
        return self.folder / f"{slug}.yaml"

    def holds(self, file: Path) -> bool:
        """Whether a tenant's file is as it was last without faults."""
        try:
            return file.stat().st_size == self.file(file.stem).stat().st_size and (
                file.read_bytes() == self.file(file.stem).read_bytes()
            )
        except OSError:
            return False

    def changed(self, folder: Path) -> set[str]:
        """The tenants whose files in the folder are not so."""
        return {file.stem for file in folder.glob("*.y*ml") if not self.holds(file)}

    def note(self, slug: str, body: bytes) -> None:
        """Keep that body; where nothing can be written, such as for somebody who only reads, nothing is kept."""
        file = self.file(slug)
        with suppress(OSError):
            if file.is_file() and file.read_bytes() == body:
                return
            self.folder.mkdir(parents=True, exist_ok=True)
            new = file.with_name(f".{slug}.{os.getpid()}.new")
            new.write_bytes(body)
            new.replace(file)

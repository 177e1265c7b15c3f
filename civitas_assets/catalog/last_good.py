"""The tenants' files as they were last without faults: copies, which a tenant stays at while its file has some.

They are no backup: one is replaced with the next good state, and removed with its tenant.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from civitas_assets.catalog.basis import DEFAULTS
from civitas_assets.catalog.defaults import Defaults, make_mark


@dataclass(frozen=True)
class LastGood:
    """A folder with the copies, `<slug>.yaml` each."""

    folder: Path

    def find_file(self, slug: str) -> Path:
        """Where the copy of a tenant is, if there is one."""
        return self.folder / f"{slug}.yaml"

    def holds(self, file: Path, defaults: bytes = b"") -> bool:
        """Whether a tenant's file, with the defaults that it takes over, is as it was last without faults."""
        try:
            held, body = self.find_file(file.stem).read_bytes(), file.read_bytes()
        except OSError:
            return False
        return held == body or held.startswith(make_mark(body, defaults))

    def list_changed(self, folder: Path) -> set[str]:
        """The tenants whose files in the folder are not so."""
        defaults = Defaults(folder).body
        files = (file for file in folder.glob("*.y*ml") if file.stem != DEFAULTS)
        return {file.stem for file in files if not self.holds(file, defaults)}

    def note(self, slug: str, body: bytes) -> None:
        """Keep that body; where nothing can be written, such as for somebody who only reads, nothing is kept."""
        file = self.find_file(slug)
        with suppress(OSError):
            if file.is_file() and file.read_bytes() == body:
                return
            self.folder.mkdir(parents=True, exist_ok=True)
            new = file.with_name(f".{slug}.{os.getpid()}.new")
            new.write_bytes(body)
            new.replace(file)

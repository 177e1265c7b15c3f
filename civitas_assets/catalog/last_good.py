"""The tenants' files as they were last without faults: copies, which a tenant stays at while its file has some.

They are no backup: one is replaced with the next good state, and removed with its tenant.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from civitas_assets.catalog.basis import DEFAULTS, SLUG
from civitas_assets.catalog.defaults import Defaults, make_mark
from civitas_assets.catalog.yaml_document import YamlDocument
from civitas_assets.catalog.yaml_text import locate_file
from civitas_assets.errors import CatalogError
from civitas_assets.settings import Settings

if TYPE_CHECKING:
    from civitas_assets.catalog.model import Destination


@dataclass(frozen=True)
class LastGood:
    """A folder with the copies, `<slug>.yaml` each."""

    folder: Path

    def find_file(self, slug: str) -> Path:
        """Where the copy of a tenant is, if there is one."""
        return self.folder / f"{slug}.yaml"

    def holds(self, slug: str, body: bytes, defaults: bytes = b"") -> bool:
        """Whether that content of a tenant's file, with the defaults that it takes over, was last without faults."""
        try:
            held = self.find_file(slug).read_bytes()
        except OSError:
            return False
        return held == body or held.startswith(make_mark(body, defaults))

    def list_changed(self, folder: Path) -> set[str]:
        """The tenants whose files in the folder are not so."""
        defaults = Defaults(folder).body
        changed = set[str]()
        for file in folder.glob("*.y*ml"):
            with suppress(OSError):
                if file.stem == DEFAULTS or self.holds(file.stem, file.read_bytes(), defaults):
                    continue
            changed.add(file.stem)
        return changed

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


def read_declared_destination(settings: Settings, slug: str) -> Destination:
    """Where the tenant's file says that it is published, of several the first; the rest of it is not checked."""
    if re.fullmatch(SLUG, slug):
        for file in (locate_file(settings.tenants_dir, slug), LastGood(settings.last_good).find_file(slug)):
            with suppress(CatalogError):
                written = YamlDocument(file).content.get("destination")
                first = next(iter(written), None) if isinstance(written, list) else written
                return "postgres" if first == "postgres" else "duckdb"
    return "duckdb"

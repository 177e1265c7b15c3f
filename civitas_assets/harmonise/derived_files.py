"""Files in the repository that follow from something else there, such as a contract: compared with it, and renewed.

What they say is decided by whoever derives them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DerivedFiles:
    """What files of a folder should say, by their path in it.

    `patterns` are those of all files of the kind: one that nothing is derived for is left over.
    """

    folder: Path
    texts: Mapping[str, str]
    patterns: tuple[str, ...]

    def list_outdated(self) -> tuple[str, ...]:
        """Files that say something else than they should, are missing, or are left over."""
        found = (file for pattern in self.patterns for file in self.folder.glob(pattern))
        there = {file.relative_to(self.folder).as_posix(): file.read_text(encoding="utf-8") for file in found}
        names = self.texts.keys() | there.keys()
        return tuple(sorted(name for name in names if self.texts.get(name) != there.get(name)))

    def renew(self) -> tuple[str, ...]:
        """Bring the folder up to it; the files that were changed or removed."""
        outdated = self.list_outdated()
        for name in outdated:
            file = self.folder / name
            if name in self.texts:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(self.texts[name], encoding="utf-8")
            else:
                file.unlink()
        return outdated

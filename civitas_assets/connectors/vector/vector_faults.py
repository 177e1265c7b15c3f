"""What a file of features lacks, told apart by whoever can do without it: a proposal tries again with more settings."""

from __future__ import annotations

from collections.abc import Sequence

from civitas_assets.errors import ReadError


class WithoutReferenceSystem(ReadError):
    """Nothing says which reference system coordinates are in, and they are no degrees."""


class WithoutIds(ReadError):
    """Features have no ids of their own, although the source maps them."""


class ManyParts(ReadError):
    """A file has several layers, or an archive several files, all of which could be meant; `setting` chooses one."""

    def __init__(self, text: str, names: Sequence[str], setting: str) -> None:
        super().__init__(text)
        self.names, self.setting = tuple(names), setting

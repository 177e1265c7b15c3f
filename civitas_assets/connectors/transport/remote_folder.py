"""A folder of files on a server of others, whichever protocol it speaks: what is there, and what a file holds.

Which files are taken is not decided here; nothing is changed on the server.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from civitas_assets.errors import FetchError
from civitas_assets.spool import Body

MOST_FILES = 100_000  # in one folder; more are hardly meant to be looked through each time


@dataclass(frozen=True)
class RemoteFile:
    """A plain file: size in bytes, when it was last changed by the server's clock, and what tells its versions apart.

    What the server does not say is 0 or None.
    """

    name: str
    size: int
    changed_at: datetime | None
    version: str


class RemoteFolder(Protocol):
    """A folder that is open for reading."""

    def list_files(self) -> Sequence[RemoteFile]:
        """The plain files right in it, in no particular order.

        Raises:
            FetchError: the server does not say.
        """
        ...

    def read_file(self, file: RemoteFile, most: int) -> Body | None:
        """What it holds; None where it is no longer the file that was listed, so that it may be half of two.

        Raises:
            FetchError: it has more than so many bytes, or cannot be read.
        """
        ...


def check_count(count: int, location: str) -> None:
    """Nothing, unless a folder has more files than anybody means to look through.

    Raises:
        FetchError: so it is.
    """
    if count > MOST_FILES:
        raise FetchError(
            f"{location} has more than {MOST_FILES:,} files: let them be put into a smaller folder"
        )

"""The operator's frame: ceilings that no tenant's file lifts, and the secrets that tenants may name.

It is held against tenants in `checks.py`. What may be reached is in `connectors/reachable.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from civitas_assets.settings import Settings


@dataclass(frozen=True)
class Frame:
    """Most bytes of an answer, answers and time of a fetch, days of a look-back, and bytes on disk; of a payload rows,
    columns and cells, and what the process may take that reads it: 0 bytes of memory are most of what there is.

    `secrets` are names that tenants may name beside those that begin with their own key: `NAME`, `BEGINNING_*`, or
    `tenant:NAME` for one of them. 0 bytes on disk are as many as there are.
    """

    max_bytes: int = 2 * 1024**3
    max_pages: int = 100_000
    max_time: timedelta = timedelta(days=1)
    max_look_back: timedelta = timedelta(days=3660)
    max_rows: int = 50_000_000
    max_disk: int = 0
    max_columns: int = 10_000
    max_cells: int = 500_000_000
    max_memory: int = 0
    max_read_time: timedelta = timedelta(minutes=30)
    secrets: tuple[str, ...] = ()

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """What the deployment's settings say."""
        return cls(
            settings.max_bytes,
            settings.max_pages,
            timedelta(seconds=settings.max_time),
            timedelta(days=settings.max_look_back),
            settings.max_rows,
            settings.max_disk,
            settings.max_columns,
            settings.max_cells,
            settings.max_memory,
            timedelta(seconds=settings.max_read_time),
            tuple(settings.secrets.replace(",", " ").split()),
        )

    def lists(self, tenant: str, secret: str) -> bool:
        """Whether the operator lets the tenant name the secret."""
        for entry in self.secrets:
            whose, _, name = entry.rpartition(":")
            fits = secret.startswith(name[:-1]) if name.endswith("*") else secret == name
            if fits and whose in {"", tenant}:
                return True
        return False


DEFAULT_FRAME = Frame()

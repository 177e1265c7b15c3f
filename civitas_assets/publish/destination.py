"""What a destination is: it knows whether it is up to date with the contracts, and takes a workspace in one step.

Readers see the state before or the state after, never a mixture, and are never blocked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from civitas_assets.harmonise.project import Project
from civitas_assets.harmonise.workspace import Workspace


@dataclass(frozen=True)
class Publication:
    """What was published: rows by model, bytes of the destination, and seconds that it took."""

    rows: Mapping[str, int]
    bytes: int
    seconds: float


class Destination(Protocol):
    """Where the shared models of one tenant land."""

    @property
    def address(self) -> str:
        """Where an analyst finds it; without any secret."""
        ...

    def is_current(self, project: Project) -> bool:
        """Whether it exists and has the shape that the project's contracts ask for."""
        ...

    def publish(self, project: Project, workspace: Workspace, run_id: str) -> Publication:
        """Replace the task's days of fact models and the whole of dimension models.

        Raises:
            PublishError: nothing was changed.
        """
        ...

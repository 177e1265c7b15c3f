"""A rebuild: a tenant's days made anew in portions that no reader sees, and published as one with the last of them.

What an interrupted rebuild has collected is gone on with as long as it fits; else it is forgotten before anything is
added to it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from civitas_assets.publish.destination import Destination

if TYPE_CHECKING:
    from civitas_assets.harmonise.project import Project
    from civitas_assets.harmonise.task import Portion
    from civitas_assets.harmonise.workspace import Workspace


@dataclass(frozen=True)
class Rebuild:
    """One that has begun: `made` are days that are collected already, with the versions of what they were made of."""

    made: Mapping[date, str]
    _destination: Destination
    _project: Project

    @classmethod
    def start(cls, destination: Destination, project: Project, days: Collection[date]) -> Rebuild:
        """Go on with the rebuild that was interrupted, or begin anew where it cannot be used or has other days."""
        made = destination.read_collected(project)
        if made is None or {*made} - {*days}:
            destination.discard_rebuild()
            made = {}
        return cls(made, destination, project)

    def add(self, workspace: Workspace, portion: Portion) -> None:
        """Keep the rows of a portion, where no reader sees them.

        Raises:
            PublishError: what was collected before is still there.
        """
        self._destination.collect(self._project, workspace, portion)

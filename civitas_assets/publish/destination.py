"""What a destination is: it knows what its tables lack by the contracts, and takes a workspace in one step.

Readers see the state before or the state after, never a mixture, and are never blocked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Protocol

from civitas_assets.catalog.basis import SLUG, is_key
from civitas_assets.errors import OutdatedError, PublishError

if TYPE_CHECKING:
    from civitas_assets.dictionary.evolution import Evolution
    from civitas_assets.harmonise.project import Project
    from civitas_assets.harmonise.task import Portion, Task
    from civitas_assets.harmonise.workspace import Workspace


@dataclass(frozen=True)
class Publication:
    """What was published: rows by model, bytes of the destination, and seconds that it took.

    `unfilled` are models, or columns as `model.column`, that came to a destination after its other days: they are
    empty there until a rebuild fills them. `unmapped` are the values of each source that nobody can map, None where
    nobody has counted them yet.
    """

    rows: Mapping[str, int]
    bytes: int
    seconds: float
    unfilled: tuple[str, ...] = ()
    unmapped: Mapping[str, int] | None = None


UNMAPPED_SQL = (
    "select source, sum(unmapped_count)::bigint as unmapped from coverage"
    " group by source having sum(unmapped_count) > 0"
)


def check_key(tenant: str) -> None:
    """Let nothing but a tenant's key become a path or a name.

    Raises:
        PublishError: it cannot be one.
    """
    if not is_key(tenant):
        raise PublishError(f"{tenant!r} cannot be a tenant's key: it must match {SLUG}")


def ensure_current(destination: Destination, task: Task, held: str, run_id: str) -> None:
    """Let nobody publish over what others have published since their rows were made.

    What a run has published itself counts as its basis: an attempt of which nobody heard may have been one.

    Raises:
        OutdatedError: `held` is neither of the two.
    """
    if task.basis is not None and held != task.basis[destination.kind] and not held.startswith(f"{run_id} "):
        raise OutdatedError(f"{destination.address}: another run has published since the rows were made")


def ensure_collected(address: str, task: Task, collected: Mapping[date, str]) -> None:
    """Let no rebuild be published of which others have collected days that were made of something else.

    Raises:
        OutdatedError: they have.
    """
    if (
        task.basis is not None
        and {d: v for d, v in collected.items() if d not in {*task.days}} != task.collected
    ):
        raise OutdatedError(f"{address}: another rebuild has made other days since")


class Destination(Protocol):
    """Where the shared models of one tenant land."""

    @property
    def kind(self) -> str:
        """What tenants' files call it."""
        ...

    @property
    def address(self) -> str:
        """Where an analyst finds it; without any secret."""
        ...

    def plan_migration(self, project: Project) -> Evolution:
        """What leads its tables to the project's contracts; nothing where they fit, reasons where there are none."""
        ...

    def read_publication(self) -> str:
        """The publication that readers see, by a name that no other one has; empty where there is none."""
        ...

    def read_collected(self, project: Project) -> Mapping[date, str] | None:
        """The days that an interrupted rebuild has collected, with their versions; None if they cannot be used."""
        ...

    def discard_rebuild(self) -> None:
        """Forget what an interrupted rebuild has collected."""
        ...

    def collect(self, project: Project, workspace: Workspace, portion: Portion) -> None:
        """Keep the rows of a portion of a rebuild, where no reader sees them.

        Raises:
            PublishError: what was collected before is still there.
        """
        ...

    def publish(self, project: Project, workspace: Workspace, run_id: str) -> Publication:
        """Replace the task's days of fact models and the whole of dimension models.

        Tables that lack something get it first. A rebuild's last portion joins what was collected, and all of it takes
        the place of what was published.

        Raises:
            OutdatedError: readers see another publication than the task's basis, or a rebuild has collected other
                versions of its days: others have published since the rows were made.
            PublishError: nothing was changed for readers.
        """
        ...

    def clear(self) -> None:
        """Take away what readers see, and what a rebuild has collected; where there is nothing, nothing happens.

        Raises:
            PublishError: it is still there.
        """
        ...

"""What commons are: the union of what tenants agreed to share, and how each destination keeps it right.

Whoever is named here as a member shares something; how its rows get into the commons is the destinations' matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Protocol

from civitas_assets.catalog.basis import is_key
from civitas_assets.catalog.licence import LICENCES
from civitas_assets.catalog.share import Withheld
from civitas_assets.dictionary.contracts import Contract

if TYPE_CHECKING:
    from civitas_assets.catalog import Catalog
    from civitas_assets.harmonise.task import Task

COMMONS_SCHEMA = "commons"
TENANT_NAME = "tenant_name"
# What each row of the commons has beside its model's columns, unless the model has it itself.
ADDED_COLUMNS: Mapping[str, str] = {
    TENANT_NAME: "Name of the tenant that shares the row.",
    "licence": "Licence under which the row's source is published.",
    "attribution": "Whom the licence asks to be named with the row.",
    "licence_url": "Where that licence is stated.",
    "notice": "What has to be said beside the row: that it was changed, and what binds whoever passes it on.",
}


def list_source_columns() -> Mapping[str, str]:
    """The values of those columns that follow from a row's source, joined as `origin`: SQL of DuckDB and PostgreSQL."""
    addresses = {licence: terms.address for licence, terms in LICENCES.items() if terms.address}
    notices = {licence: terms.build_notice(licence) for licence, terms in LICENCES.items()}
    return {
        "licence": "origin.licence",
        "attribution": "origin.attribution",
        "licence_url": _by_licence(addresses),
        "notice": _by_licence(notices),
    }


def _by_licence(texts: Mapping[str, str]) -> str:
    cases = "".join(
        " when '{}' then '{}'".format(*(text.replace("'", "''") for text in pair)) for pair in texts.items()
    )
    return f"case origin.licence{cases} end"


@dataclass(frozen=True)
class Member:
    """A tenant that shares: its models, each with what it withholds.

    Of one that is `left_out` nobody knows what it shares now, as its file has faults: what is there of it stays.
    """

    slug: str
    name: str
    shared: Mapping[str, Withheld]
    left_out: bool = False


Members = Mapping[str, Member]


def merge_held_members(members: Members, held: Mapping[tuple[str, str], Withheld]) -> Members:
    """The same, in which those that are left out share what the commons hold of them."""

    def shared(slug: str) -> Mapping[str, Withheld]:
        return {model: withheld for (whose, model), withheld in held.items() if whose == slug}

    return {
        slug: replace(member, shared=shared(slug)) if member.left_out else member
        for slug, member in members.items()
    }


@dataclass(frozen=True)
class CommonsReport:
    """What bringing the commons up to date did: rows that came by model, rows that were taken out, and how long.

    `failed` are what could not be done, by the other tenant for which it could not; their own next run tries again.
    """

    rows: Mapping[str, int] = field(default_factory=dict)
    withdrawn: int = 0
    bytes: int = 0
    seconds: float = 0.0
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def problems(self) -> list[str]:
        """What could not be done, with whom it is about."""
        return [f"{tenant}: {said}" for tenant, said in self.failed.items()]


class Commons(Protocol):
    """The commons of one destination."""

    @property
    def address(self) -> str:
        """Where an analyst finds them; without any secret."""
        ...

    def announce(
        self,
        tenant: str,
        run_id: str,
        days: Iterable[date],
        contracts: Mapping[str, Contract],
        *,
        whole: bool,
        forget: bool = False,
    ) -> None:
        """Note, before it is published, what of a tenant will have to be renewed: these days, or all of it.

        `contracts` are those that its tables will follow then. With `forget`, no block may hold what was there.
        """
        ...

    def confirm(self, tenant: str, run_id: str) -> None:
        """What was announced is published."""
        ...

    def is_current(self, tenant: str, members: Members) -> bool:
        """Whether the commons hold of the tenant what they should, and nothing of anybody who does not share it."""
        ...

    def unshare(self, members: Members) -> int:
        """Take out what nobody shares any more, as `refresh` does first; the number of rows.

        A turn begins with it, so that nothing that fails in between keeps what is not shared any more.

        Raises:
            PublishError: it is still there.
        """
        ...

    def refresh(self, tenant: str, members: Members, contracts: Mapping[str, Contract]) -> CommonsReport:
        """Take out what nobody shares any more, and then bring in what the tenant has published since.

        Raises:
            PublishError: nothing was changed for readers; what was announced stays noted.
        """
        ...

    def count_rows_of(self, tenant: str) -> int:
        """How many rows the commons hold of a tenant."""
        ...

    def forget(self, tenant: str) -> int:
        """Take out everything of a tenant, and all notes of it; the number of rows."""
        ...


@contextmanager
def announce_publication(
    commons: Commons, tenant: str, run_id: str, task: Task, contracts: Mapping[str, Contract]
) -> Iterator[None]:
    """Note what of a tenant will have to be renewed before it is published within, and that it is after that.

    Where that fails, it stays announced: whoever brings the commons up to date then looks at what is published.
    """
    commons.announce(tenant, run_id, task.days, contracts, whole=task.rebuild, forget=task.forget)
    yield
    commons.confirm(tenant, run_id)


def list_members(catalog: Catalog, destination: str) -> Members:
    """The tenants with that kind of destination that share something, and those that are left out for now."""
    left_out = {slug: Member(slug, slug, {}, left_out=True) for slug in catalog.left_out if is_key(slug)}
    return left_out | {
        slug: Member(slug, tenant.name, tenant.shared)
        for slug, tenant in catalog.tenants.items()
        if tenant.share and destination in tenant.destinations
    }

"""Towns with published files, made by hand, and what they share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

import duckdb
import msgspec
import pytest

from civitas_assets.catalog.basis import COMMONS
from civitas_assets.catalog.share import Withheld
from civitas_assets.dictionary.contracts import Contract, ModelColumn
from civitas_assets.publish.commons import CommonsReport, Member
from civitas_assets.publish.duckdb.commons_duckdb import DuckDBCommons
from civitas_assets.publish.duckdb.published_file import find_published_file
from civitas_assets.publish.duckdb.published_files import PublishedFiles
from civitas_assets.store.files import LocalFiles
from civitas_assets.store.locks import hold_shared_lock


def contract(name: str, replaced: str, key: tuple[str, ...], **columns: str) -> Contract:
    """A contract with these columns and types."""
    return Contract(
        name=name,
        version="1.0.0",
        grain=f"One row per {' and '.join(key)}.",
        description=f"Rows of {name}.",
        standard="none",
        example="select 1",
        replaced=replaced,
        key=key,
        columns={column: ModelColumn(kind, f"The {column}.") for column, kind in columns.items()},
    )


CONTRACTS = {
    "source": contract(
        "source", "replace_all", ("source",),
        tenant="varchar", source="varchar", licence="varchar", attribution="varchar",
    ),
    "site": contract(
        "site", "replace_all", ("site_key",),
        tenant="varchar", source="varchar", site_key="varchar", operator="varchar",
    ),
    "status": contract(
        "status", "replace_days", ("site_key", "day"),
        tenant="varchar", source="varchar", site_key="varchar", day="date", free="integer",
    ),
}  # fmt: skip


def by_slug(members: Iterable[Member]) -> dict[str, Member]:
    """The members as a catalogue has them."""
    return {member.slug: member for member in members}


@dataclass
class Towns:
    """A folder of published files, and the commons beside them."""

    folder: Path
    commons: DuckDBCommons
    contracts = CONTRACTS

    @property
    def file(self) -> Path:
        return find_published_file(self.folder / "published", COMMONS)

    def publish(
        self,
        slug: str,
        free: dict[date, int],
        *,
        operator: str = "Stadtwerke",
        licence: str = "CC0-1.0",
        contracts: dict[str, Contract] | None = None,
    ) -> None:
        """Publish a town with one site and its free spaces by day."""
        contracts = contracts or CONTRACTS
        file = self.folder / "published" / slug / f"{slug}_db.duckdb"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        with duckdb.connect(str(file)) as connection:
            run = connection.execute
            for made in contracts.values():
                columns = ", ".join(f'"{name}" {column.type}' for name, column in made.columns.items())
                run(f"create table {made.name} ({columns})")
            run("insert into source values (?, 's', ?, 'Town ' || ?)", [slug, licence, slug])
            run("insert into site by name select ? as tenant, 's' as source, 'P1' as site_key", [slug])
            if "operator" in contracts["site"].columns:
                run("update site set operator = ?", [operator])
            for day, value in free.items():
                run("insert into status select ?, 's', 'P1', ?, ?", [slug, day, value])
            run("create schema meta")
            run("create table meta.publication (contracts varchar)")
            run("insert into meta.publication values (?)", [msgspec.json.encode(contracts).decode()])

    def night(
        self, member: Member, free: dict[date, int], days: Sequence[date], run_id: str = "r", **more: object
    ) -> None:
        """What a run does for the commons: announce, publish, confirm."""
        self.commons.announce(member.slug, run_id, days, CONTRACTS, whole=False)
        self.publish(member.slug, free, **more)  # type: ignore[arg-type]
        self.commons.confirm(member.slug, run_id)

    def refresh(
        self, slug: str, *members: Member, contracts: dict[str, Contract] | None = None
    ) -> CommonsReport:
        """What the step after publishing does."""
        return self.commons.refresh(slug, by_slug(members), contracts or CONTRACTS)

    def unshare(self, *members: Member) -> int:
        """What every run does first."""
        return self.commons.unshare(by_slug(members))

    def is_current(self, slug: str, *members: Member) -> bool:
        """Whether a run has anything to do for the commons."""
        return self.commons.is_current(slug, by_slug(members))

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        """What an analyst gets."""
        with duckdb.connect(str(self.file), read_only=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture
def contracts() -> dict[str, Contract]:
    """The contracts that the towns follow."""
    return CONTRACTS


@pytest.fixture
def towns(tmp_path: Path) -> Towns:
    """No town yet."""
    files = LocalFiles(tmp_path / "home")
    return Towns(
        tmp_path,
        DuckDBCommons(
            PublishedFiles(tmp_path / "published"),
            partial(hold_shared_lock, tmp_path / "locks", COMMONS),
            files,
        ),
    )


@pytest.fixture
def member() -> Callable[..., Member]:
    """Makes what a town shares: models, or models with the columns that are withheld."""

    def made(slug: str, *models: str, **withheld: set[str]) -> Member:
        shared = {name: Withheld() for name in models} | {
            name: Withheld.from_entries(columns) for name, columns in withheld.items()
        }
        return Member(slug, slug.title(), shared)

    return made


@pytest.fixture
def widened() -> dict[str, Contract]:
    """The contracts of the next version: a column renamed, one more, and one wider."""
    site = CONTRACTS["site"].columns
    status = CONTRACTS["status"].columns
    return {
        **CONTRACTS,
        "site": replace(
            CONTRACTS["site"],
            columns={
                **{name: column for name, column in site.items() if name != "operator"},
                "run_by": ModelColumn("varchar", "Who runs it.", renamed_from="operator"),
                "level_count": ModelColumn("integer", "Levels."),
            },
        ),
        "status": replace(
            CONTRACTS["status"], columns={**status, "free": ModelColumn("bigint", "Free spaces.")}
        ),
    }

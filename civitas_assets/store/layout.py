"""Where what is kept of a tenant lies: keys of objects are built and taken apart here, whoever keeps something there.

What is in them is decided by the stores. A tenant's key holds neither slash nor hyphen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, get_args

from civitas_assets.store.files import Files

# Below each of these, a tenant has a folder of its own.
TenantFolder: TypeAlias = Literal[
    "landing", "records", "quarantine", "nights", "retention", "keys", "sinks", "turns"
]
TENANT_FOLDERS: Sequence[TenantFolder] = get_args(TenantFolder)
_ARCHIVES = "aside"
PUBLISHED = "published"


@dataclass(frozen=True)
class RecordKeys:
    """Where records and quarantine are that belong together: a tenant's own, or those of an archive."""

    records: str
    quarantine: str

    @classmethod
    def for_tenant(cls, tenant: str) -> RecordKeys:
        """The tenant's own."""
        return cls(tenant_folder_key("records", tenant), tenant_folder_key("quarantine", tenant))

    @classmethod
    def for_archive(cls, archive: str) -> RecordKeys:
        """Those that were put aside below that key."""
        return cls(f"{archive}/records", f"{archive}/quarantine")

    @property
    def folders(self) -> tuple[str, str]:
        """Both of them."""
        return self.records, self.quarantine

    @property
    def journal(self) -> str:
        """Below it is what was read, what is to be published, and the summary."""
        return f"{self.records}/journal"

    @property
    def pending(self) -> str:
        """Below it is what is to be published."""
        return f"{self.journal}/pending"

    @property
    def progress(self) -> str:
        """Below it is how far landing was read."""
        return f"{self.journal}/read"

    @property
    def seen(self) -> str:
        """Below it is what sources were last seen to have."""
        return f"{self.records}/seen"

    def record_type_key(self, name: str) -> str:
        """Below it are the records of a type."""
        return f"{self.records}/{name}"

    def progress_key(self, source: str) -> str:
        """How far the landing of a source was read."""
        return f"{self.progress}/{source}.json"

    def move_key(self, key: str, target: RecordKeys) -> str:
        """Where an object of these is among the others."""
        for own, other in zip(self.folders, target.folders, strict=True):
            if key.startswith(f"{own}/"):
                return other + key.removeprefix(own)
        raise ValueError(f"{key} is none of {self}")


def tenant_folder_key(folder: TenantFolder, tenant: str) -> str:
    """Below it is what the tenant has of a kind."""
    return f"{folder}/{tenant}"


def published_key(name: str) -> str:
    """Below it is the published DuckDB file of a tenant, or that of the commons, where machines share them."""
    return f"{PUBLISHED}/{name}"


def landing_key(tenant: str, source: str) -> str:
    """Below it is what a source has answered."""
    return f"{tenant_folder_key('landing', tenant)}/{source}"


def drop_key(tenant: str) -> str:
    """Below it are the drop folders of the tenant's sources."""
    return f"drop/{tenant}"


def horizon_key(tenant: str, source: str) -> str:
    """How far a source's landing has been let go."""
    return f"{landing_key(tenant, source)}/horizon.json"


def summary_key(tenant: str) -> str:
    """What the tenant's runs last did."""
    return f"{RecordKeys.for_tenant(tenant).journal}/summary.json"


def lease_key(tenant: str) -> str:
    """Who works for the tenant, in object storage."""
    return f"locks/{tenant}.json"


def lock_key(tenant: str) -> str:
    """Who works for the tenant, in a folder."""
    return f"locks/{tenant}.lock"


def archive_key(tenant: str, at: datetime) -> str:
    """Below it is what was put aside at that time."""
    return f"{_ARCHIVES}/{tenant}-{at:%Y%m%dT%H%M%S%f}"


def unfinished_archive_key(tenant: str) -> str:
    """Which archive is being made."""
    return f"{_ARCHIVES}/unfinished/{tenant}.txt"


def list_landed_sources(files: Files, tenant: str) -> list[str]:
    """The sources of which something has landed, those of former configurations included."""
    return files.list_folders(f"{tenant_folder_key('landing', tenant)}/")


def list_archives(files: Files, tenant: str) -> list[str]:
    """Below which keys records of the tenant were put aside."""
    found = {key.split("/")[1] for key in files.list_keys(f"{_ARCHIVES}/")}
    return sorted(f"{_ARCHIVES}/{name}" for name in found if name.rpartition("-")[0] == tenant)


def list_record_keys(files: Files, tenant: str) -> list[RecordKeys]:
    """The tenant's own records, and those of all archives."""
    return [RecordKeys.for_tenant(tenant), *map(RecordKeys.for_archive, list_archives(files, tenant))]


def parse_stem(key: str) -> str:
    """What an object is of, such as a source or a day: the last part of its key, without what says its form."""
    return key.rpartition("/")[2].partition(".")[0]

"""What there is of a tenant in landing and records, as far as names tell."""

from __future__ import annotations

from dataclasses import dataclass

from civitas_assets.records import RECORD_TYPES
from civitas_assets.store.files import Files
from civitas_assets.store.layout import RecordKeys, landing_key, list_landed_sources


@dataclass(frozen=True)
class Holdings:
    """Sources that have landed something, and files of records."""

    landing: int
    records: int

    def __bool__(self) -> bool:
        return bool(self.landing or self.records)

    def __str__(self) -> str:
        if not self:
            return "there is neither landing nor records: fetch again with `civitas run`, for days before with --from"
        if not self.records:
            return f"{self.landing:,} source(s) have landed and there are no records: all of landing is read again"
        found = f"{self.records:,} file(s) of records: the tables are made of them"
        if not self.landing:
            return f"{found}; landing is gone: what sources still have comes with the next run"
        return f"{self.landing:,} source(s) have landed; {found}"


def read_holdings(files: Files, tenant: str) -> Holdings:
    """What there is of the tenant."""
    landing = list_landed_sources(files, tenant)
    keys = RecordKeys.for_tenant(tenant)
    folders = RECORD_TYPES.keys() & {*files.list_folders(f"{keys.records}/")}
    return Holdings(
        sum(bool(files.list_folders(f"{landing_key(tenant, source)}/")) for source in landing),
        sum(len(files.list_keys(f"{keys.record_type_key(name)}/")) for name in folders),
    )

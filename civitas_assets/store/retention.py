"""What is older than a tenant keeps it goes: bodies from landing, and days from the record store and quarantine.

When that is done, and for whom, is decided elsewhere; the caller holds the tenant's lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import msgspec
import polars as pl

from civitas_assets.catalog import Tenant
from civitas_assets.records import RECORD_TYPES
from civitas_assets.store.files import Files
from civitas_assets.store.horizon import (
    Horizon,
    find_known_repeats,
    list_old_manifests,
    list_standing_bodies,
    read_horizon,
)
from civitas_assets.store.landing import SourceLanding
from civitas_assets.store.layout import (
    TENANT_FOLDERS,
    RecordKeys,
    drop_key,
    horizon_key,
    list_landed_sources,
    list_record_keys,
    parse_stem,
    tenant_folder_key,
)
from civitas_assets.store.past_things import find_things_without_events, remove_things
from civitas_assets.store.row_files import decode_rows, write_rows
from civitas_assets.store.stores import Stores

_PAGES = "reports/"
_BEING_WRITTEN = timedelta(hours=1)  # longer than any file takes
DONE_STAMP = "%Y%m%dT%H%M%S%f"  # what names of dropped files that have landed begin with, in UTC
_INTERRUPTED = timedelta(days=1)  # for so long, a fetch that was interrupted may still go on


class Expired(msgspec.Struct, frozen=True):
    """What has gone, or what would go: bodies and bytes of landing, and days, files and rows of records."""

    tenant: str
    bodies: int = 0
    body_bytes: int = 0
    days: tuple[date, ...] = ()
    record_files: int = 0
    record_bytes: int = 0
    rejected_rows: int = 0
    unfinished: int = 0
    unfinished_bytes: int = 0
    things: int = 0
    dropped: int = 0

    def __bool__(self) -> bool:
        counted = (
            self.bodies,
            self.record_files,
            self.rejected_rows,
            self.unfinished,
            self.things,
            self.dropped,
        )
        return any((*counted, self.days))

    def __str__(self) -> str:
        if not self:
            return "nothing is older than it is kept"
        return (
            f"{self.bodies:,} bodies of landing ({self.body_bytes:,} bytes), {len(self.days):,} days in "
            f"{self.record_files:,} files of records ({self.record_bytes:,} bytes), "
            f"{self.rejected_rows:,} rejected rows"
            + (
                f", {self.unfinished:,} unfinished files ({self.unfinished_bytes:,} bytes)"
                if self.unfinished
                else ""
            )
            + (f", {self.things:,} things without observations" if self.things else "")
            + (f", {self.dropped:,} dropped files" if self.dropped else "")
        )


def apply_retention(tenant: Tenant, stores: Stores, now: datetime, *, dry_run: bool = False) -> Expired:
    """Let go of what is older than the tenant keeps it, or only say what that would be.

    Bodies of which no manifest knows go whatever is kept: a fetch that was killed has left them. Days and things that
    go from the records are noted in the journal, so that the next run publishes them without rows, and forgets them.
    Dropped files that have landed go as bodies do.
    """
    today = now.astimezone(tenant.zone).date()
    expired = _unfinished(tenant.slug, stores.files, now, dry_run)
    sources = list_landed_sources(stores.files, tenant.slug)
    for source in sources:
        expired = _nameless(expired, source, stores, now, dry_run)
    if tenant.retention.landing:
        first = tenant.retention.landing.find_first_kept(today)
        limit = _beginning_of(first, tenant)
        for source in sources:
            expired = _landing(expired, source, stores, limit, dry_run)
        expired = _dropped(expired, stores.files, limit, dry_run)
    if tenant.retention.records:
        first = tenant.retention.records.find_first_kept(today)
        expired = _records(expired, stores, first, dry_run)
        limit = _beginning_of(first, tenant)
        things = find_things_without_events(tenant, stores, limit, first)
        expired = msgspec.structs.replace(expired, things=sum(ids.height for ids in things.values()))
        if things and not dry_run:
            stores.journal.note(f"retention-{first}", [], things=True, forget=True)
            remove_things(stores, things)
    elif not dry_run:
        stores.records.keep_from(None)
    return expired


def _beginning_of(day: date, tenant: Tenant) -> datetime:
    return datetime.combine(max(day, date(1970, 1, 2)), time(), tenant.zone)


def _landing(expired: Expired, source: str, stores: Stores, limit: datetime, dry_run: bool) -> Expired:
    """Bodies that only old manifests name, that have been read, and that are no address's last one.

    Manifests are read as far as they have become old, and no further: what came again later is noted, and the index
    says when the body before an address's last one was seen. The one before that stays until what followed is old.
    """
    files = stores.files
    landing = SourceLanding(files, expired.tenant, source)
    before = read_horizon(files, expired.tenant, source)
    progress = stores.journal.read_progress(source)
    latest, through, until = dict(before.latest), before.through, before.until
    candidates = {*before.latest.values(), *before.going}
    for manifest in list_old_manifests(landing, before.through, progress.manifest, limit):
        latest |= {line.url: line.sha256 for line in manifest.lines if line.sha256}
        candidates |= {line.sha256 for line in manifest.lines if line.sha256}
        through = manifest.name
        until = max([*filter(None, [until]), *(line.fetched_at for line in manifest.lines)], default=None)
    repeats = find_known_repeats(landing, through, candidates, dry_run=dry_run)
    candidates -= {
        *list_standing_bodies(landing, latest, through),
        *repeats.last,
        *(line.sha256 for line in progress.failed),
    }
    sizes = landing.measure_bodies(candidates)
    going = tuple(sorted(sizes))
    if not dry_run and (going or through != before.through):
        after = Horizon(through, until, latest, going)
        key = horizon_key(expired.tenant, source)
        files.write(key, msgspec.json.encode(after))
        landing.remove(going)
        files.write(key, msgspec.json.encode(msgspec.structs.replace(after, going=())))
    return msgspec.structs.replace(
        expired, bodies=expired.bodies + len(going), body_bytes=expired.body_bytes + sum(sizes.values())
    )


def _unfinished(tenant: str, files: Files, now: datetime, dry_run: bool) -> Expired:
    """Files that were being written when their process ended."""
    found = files.list_unfinished(_PAGES, now - _BEING_WRITTEN)  # also of the page of all tenants
    for place in TENANT_FOLDERS:
        key = tenant_folder_key(place, tenant)
        found = {**found, **files.list_unfinished(f"{key}/", now - _BEING_WRITTEN)}
    if found and not dry_run:
        files.delete_all(found)
    return Expired(tenant, unfinished=len(found), unfinished_bytes=sum(found.values()))


def _nameless(expired: Expired, source: str, stores: Stores, now: datetime, dry_run: bool) -> Expired:
    """Bodies without a line in any manifest; they are looked for once, and again after a fetch that was interrupted."""
    landing = SourceLanding(stores.files, expired.tenant, source)
    answered = landing.read_answered()
    goes_on = answered.begun_at is not None and now - answered.begun_at < _INTERRUPTED
    if answered.is_swept or goes_on:
        return expired
    named = {line.sha256 for manifest in landing.list_manifests() for line in manifest.lines}
    sizes = {digest: size for digest, size in landing.list_sizes().items() if digest not in named}
    if not dry_run:
        landing.remove(sizes)
        landing.write_answered(
            msgspec.structs.replace(answered, begun_at=None, begun_for="", begun_since=None, is_swept=True)
        )
    return msgspec.structs.replace(
        expired, bodies=expired.bodies + len(sizes), body_bytes=expired.body_bytes + sum(sizes.values())
    )


def _dropped(expired: Expired, files: Files, limit: datetime, dry_run: bool) -> Expired:
    """Dropped files that have landed before the limit: when, is what their names begin with."""
    old = [key for key in list_done(files, expired.tenant) if _landed_at(key.rpartition("/")[2]) < limit]
    if not dry_run:
        files.delete_all(old)
    return msgspec.structs.replace(expired, dropped=len(old))


def list_done(files: Files, tenant: str) -> list[str]:
    """The keys of the tenant's dropped files that were put aside."""
    found = files.list_keys(f"{drop_key(tenant)}/")
    return [key for key in found if key.split("/")[3:-1] == ["done"]]


def _landed_at(name: str) -> datetime:
    """When a dropped file was put aside; one that somebody else has put there has not landed."""
    try:
        return datetime.strptime(name.partition("-")[0], DONE_STAMP).replace(tzinfo=UTC)
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)


def _records(expired: Expired, stores: Stores, first: date, dry_run: bool) -> Expired:
    """Whole days before the first one; those of things, which have no day, stay."""
    files, tenant = stores.files, expired.tenant
    events = [name for name, kind in RECORD_TYPES.items() if kind.event_time is not None]
    places = list_record_keys(files, tenant)
    old = {
        key: day
        for place in places
        for name in events
        for key, day in _days(files, f"{place.record_type_key(name)}/", first)
    }
    sizes = {
        key: stamp.size
        for root in {key.rpartition("/")[0] for key in old}
        for key, stamp in files.list_stamps(f"{root}/").items()
    }
    rejected = {
        key: frame
        for place in places
        for key in files.list_keys(f"{place.quarantine}/")
        if (frame := decode_rows(files.read(key) or b"")).filter(pl.col("day") < first).height
    }
    gone = {key: frame.filter(pl.col("day") < first) for key, frame in rejected.items()}
    own = RecordKeys.for_tenant(tenant)
    days = {day for key, day in old.items() if key.startswith(f"{own.records}/")}
    days.update(
        day for key, rows in gone.items() if key.startswith(f"{own.quarantine}/") for day in rows["day"]
    )
    if not dry_run:
        stores.records.keep_from(first)
        if days:
            stores.journal.note(f"retention-{first}", days, forget=True)
        files.delete_all(old)
        for key, frame in rejected.items():
            write_rows(files, key, frame.filter(pl.col("day") >= first))
    return msgspec.structs.replace(
        expired,
        days=tuple(sorted(days)),
        record_files=len(old),
        record_bytes=sum(sizes[key] for key in old),
        rejected_rows=sum(rows.height for rows in gone.values()),
    )


def _days(files: Files, prefix: str, first: date) -> Iterator[tuple[str, date]]:
    for key in files.list_keys(prefix):
        day = date.fromisoformat(parse_stem(key))
        if day < first:
            yield key, day

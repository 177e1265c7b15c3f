"""Erasing one device or person from all that a tenant has, with a report of what was found where.

Marks of what is erased come first, so that nothing brings it back; the days concerned are noted before rows go, so that
a crash at any point costs a repetition. Publishing what is left is the caller's, and so is what Dagster remembers.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import msgspec
import polars as pl
from msgspec.structs import replace

from civitas_assets.catalog import Tenant
from civitas_assets.errors import StoreError
from civitas_assets.lifecycle.erasure_scope import Where, check_where, find_scope, order_record_types
from civitas_assets.lifecycle.needles import Needles
from civitas_assets.lifecycle.parts import Size, list_workspaces
from civitas_assets.records import RECORD_TYPES, RecordType
from civitas_assets.report.kept_pages import Pages
from civitas_assets.settings import Settings
from civitas_assets.store.addresses import Address, Line
from civitas_assets.store.files import remove_folder
from civitas_assets.store.horizon import read_horizon
from civitas_assets.store.landing import SourceLanding
from civitas_assets.store.layout import (
    drop_key,
    horizon_key,
    list_landed_sources,
    list_record_keys,
    parse_stem,
    tenant_folder_key,
)
from civitas_assets.store.retention import list_done
from civitas_assets.store.row_files import decode_rows, write_rows
from civitas_assets.store.stores import Stores
from civitas_assets.store.tombstones import Tombstones

log = logging.getLogger("civitas_assets.lifecycle")

_DAY = "day"


@dataclass
class Found:
    """What was found, by place: files or bodies, their bytes, and rows."""

    places: dict[str, Size] = field(default_factory=dict)

    def add(self, place: str, size: Size) -> None:
        """Further finds."""
        if size:
            self.places[place] = self.places.get(place, Size()) + size

    def __bool__(self) -> bool:
        return bool(self.places)


class Erasure:
    """One erasure: `where` are columns with values, `exports` folders of files that were exported."""

    def __init__(
        self, settings: Settings, stores: Stores, tenant: Tenant, where: Where, exports: Sequence[Path] = ()
    ) -> None:
        check_where(where)
        self._settings, self._stores, self._tenant = settings, stores, tenant
        self._where, self._exports, self._files = where, exports, stores.files
        self._sources = sorted({*tenant.sources, *list_landed_sources(self._files, tenant.slug)})
        self._places = [*reversed(list_record_keys(self._files, tenant.slug))]
        self.scope = find_scope(tenant, stores, where, self._sources)
        self.needles = Needles(self.scope.values)
        self._days, self._payloads = set[date](), dict[str, set[str]]()
        self._found: Found | None = None

    def find(self) -> Found:
        """What there is, and where; nothing is changed."""
        self._found = self._go(dry_run=True)
        return self._found

    def erase(self, now: datetime, beside: Callable[[], object] = lambda: None) -> Found:
        """Erase it; the caller holds the tenant's lock since it was looked for, and publishes what is left.

        `beside` lets go of what is told elsewhere: first, since records say what the values lead to.

        Raises:
            StoreError: something has landed, or waits in a drop folder, that was not read yet; nothing was changed.
        """
        self._ensure_read()
        found = self._found or self.find()
        Tombstones(self._files, self._tenant.slug).add(self.scope.pairs, now)
        self._stores.journal.note(f"erasure-{now:%Y%m%dT%H%M%S}", self._days, things=True, forget=True)
        beside()
        self._go(dry_run=False)
        return found

    def _go(self, *, dry_run: bool) -> Found:
        found = Found()
        slug = self._tenant.slug
        steps = [self._records, self._quarantine, self._landing, self._told, self._on_disk]
        # Which bodies go is known by their rows: rows are looked at first, and go last.
        for step in steps if dry_run else reversed(steps):
            for name, size in step(dry_run):
                found.add(name, size)
        left = list_workspaces(self._settings, slug)
        found.add("workspaces", Size(len(left)))
        for folder in left if not dry_run else ():
            remove_folder(folder)
        return found

    def _records(self, dry_run: bool) -> Iterator[tuple[str, Size]]:
        for name, key in [
            (kind, key)
            for kind in order_record_types()
            for place in self._places
            for key in self._files.list_keys(f"{place.record_type_key(kind)}/")
        ]:
            rows = decode_rows(self._files.read(key) or b"")
            gone, kept = self._divided(rows, RECORD_TYPES[name])
            if kept.equals(rows):
                continue
            self._days |= {day for day in rows[_DAY].unique() if day is not None}
            self._remember(gone)
            yield f"records/{name}", Size(1, 0, gone.height)
            if not dry_run:
                write_rows(self._files, key, kept)

    def _divided(self, rows: pl.DataFrame, kind: RecordType) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The rows that go, and the others, with empty cells where their texts tell of it."""
        texts = [name for name in kind.schema if rows.schema.get(name) == pl.String]
        bad = self.scope.matching(rows.columns)
        for name in set(texts) & {*kind.key}:
            bad = bad | self.needles.in_column(name)
        others = [name for name in texts if name not in kind.key]
        said = {name: self.needles.in_column(name) for name in others}
        cells = [
            pl.when(is_said).then(None).otherwise(pl.col(name)).alias(name) for name, is_said in said.items()
        ]
        return rows.filter(bad), rows.filter(~bad).with_columns(cells)

    def _quarantine(self, dry_run: bool) -> Iterator[tuple[str, Size]]:
        folders = [f"{place.quarantine}/" for place in self._places]
        for key in [key for folder in folders for key in self._files.list_keys(folder)]:
            rows = decode_rows(self._files.read(key) or b"")
            bad = self.needles.in_column("raw") | self.needles.in_column("detail")
            for column, value in self.scope.pairs:  # as rejected rows are written
                written = f'"{column}":{json.dumps(value, ensure_ascii=False)}'
                bad = bad | pl.col("raw").str.contains(written, literal=True).fill_null(value=False)
            gone = rows.filter(bad)
            if gone.is_empty():
                continue
            self._days |= {*gone[_DAY]}
            self._remember(gone)
            yield "quarantine", Size(1, 0, gone.height)
            if not dry_run:
                write_rows(self._files, key, rows.filter(~bad))

    def _remember(self, rows: pl.DataFrame) -> None:
        """Which payloads rows came in: their bodies hold what the rows do."""
        for source, payload in rows.select("source", "payload").unique().iter_rows():
            self._payloads.setdefault(source, set()).add(payload)

    def _landing(self, dry_run: bool) -> Iterator[tuple[str, Size]]:
        for source in self._sources:
            yield from self._landing_of(source, dry_run)

    def _landing_of(self, source: str, dry_run: bool) -> Iterator[tuple[str, Size]]:
        """Bodies are dropped as a whole; their lines stay and say so, unless the address itself is what is erased."""
        landing = SourceLanding(self._files, self._tenant.slug, source)
        sizes, named = landing.list_sizes(), self._payloads.get(source, set())
        gone = {d for d in sizes if d in named or self.needles.in_body(landing.read_body(d))}
        yield "landing/bodies", Size(len(gone), sum(sizes[digest] for digest in gone))
        lines = 0
        for manifest in landing.list_manifests():
            kept = [line for line in manifest.lines if not self._is_in(line.url, line)]
            marked = [replace(line, erased=True) if line.sha256 in gone else line for line in kept]
            lines += len(manifest.lines) - len(kept)
            if not dry_run and marked != [*manifest.lines]:
                landing.replace_manifest(manifest.name, marked)
        yield "landing/manifests", Size(0, 0, lines)
        if dry_run:
            return
        known = landing.read_addresses()
        addresses = {u: a for u, a in known.items() if not self._is_in(u, a)}
        if landing.through:
            landing.write_addresses(addresses, landing.through)
        far = read_horizon(self._files, self._tenant.slug, source)
        if far.through:
            latest = {url: digest for url, digest in far.latest.items() if not self.needles.in_text(url)}
            content = replace(far, latest=latest)
            self._files.write(horizon_key(self._tenant.slug, source), msgspec.json.encode(content))
        if gone:
            landing.erase(gone)

    def _is_in(self, url: str, answer: Line | Address) -> bool:
        """Whether one of them stands in what is kept of an answer beside its body."""
        validators = (answer.etag or "", answer.last_modified or "", answer.content_type)
        told = (url, *validators, *answer.headers.values(), *answer.variables.values())
        return any(map(self.needles.in_text, told))

    def _told(self, dry_run: bool) -> Iterator[tuple[str, Size]]:
        """What is noted beside records: what was seen of things, how far was read, and what became of runs."""
        for key in [key for place in self._places for key in self._files.list_keys(f"{place.seen}/")]:
            yield "seen", self._seen(key, dry_run)
        journals = [("journal", place.journal) for place in self._places]
        for name, folder in (*journals, ("nights", tenant_folder_key("nights", self._tenant.slug))):
            yield name, self._json(f"{folder}/", dry_run)

    def _seen(self, key: str, dry_run: bool) -> Size:
        rows = decode_rows(self._files.read(key) or b"")
        source = parse_stem(key)
        values = sorted({v for found in self.scope.wanted.get(source, {}).values() for v in found})
        bad = pl.col("id").is_in(values) | self.needles.in_column("id")
        gone = rows.filter(bad).height
        if gone and not dry_run:
            write_rows(self._files, key, rows.filter(~bad))
        return Size(0, 0, gone)

    def _json(self, prefix: str, dry_run: bool) -> Size:
        """What is told of runs, with another text in its place."""
        changed = 0
        for key in [key for key in self._files.list_keys(prefix) if key.endswith(".json")]:
            before = json.loads(self._files.read(key) or b"null")
            after = self.needles.redact(before)
            if after != before:
                changed += 1
                if not dry_run:
                    self._files.write(key, json.dumps(after, ensure_ascii=False).encode())
        return Size(changed)

    def _on_disk(self, dry_run: bool) -> Iterator[tuple[str, Size]]:
        """Files that are no stores: pages, those that were dropped and have landed, and exported ones."""
        slug = self._tenant.slug
        yield "reports", self._pages(dry_run)
        yield "drop", self._whole(list_done(self._files, slug), dry_run)
        exported = [file for folder in self._exports for file in folder.rglob("*")]
        bad = [file for file in exported if file.is_file() and self.needles.in_body(file.read_bytes())]
        yield "exports", Size(len(bad), sum(file.stat().st_size for file in bad))
        for file in bad if not dry_run else ():
            file.unlink(missing_ok=True)

    def _pages(self, dry_run: bool) -> Size:
        """Pages that tell of it, and the folder of open data, part of which is compressed; the next run makes both."""
        pages, offered = Pages(self._files).split_own(self._tenant.slug)
        found = self._whole((*pages, *Pages(self._files).overviews()), dry_run)
        self._files.delete_all(() if dry_run else offered)
        return found

    def _whole(self, keys: Iterable[str], dry_run: bool) -> Size:
        """Files that go as a whole where they tell of it."""
        sizes = {key: len(body) for key in keys if self.needles.in_body(body := self._files.read(key) or b"")}
        self._files.delete_all(() if dry_run else sizes)
        return Size(len(sizes), sum(sizes.values()))

    def _ensure_read(self) -> None:
        slug = self._tenant.slug
        for source in self._sources:
            landing, progress = (
                SourceLanding(self._files, slug, source),
                self._stores.journal.read_progress(source),
            )
            if next(landing.list_manifests(after=progress.manifest), None) is not None:
                raise StoreError(
                    f"{slug}: {source} has landed what was not read yet: civitas run --tenant {slug}"
                )
        dropped = f"{drop_key(slug)}/"
        put = {*self._files.list_keys(dropped), *self._files.list_unfinished(dropped)}
        for key in sorted(put - {*list_done(self._files, slug)}):
            if self.needles.in_body(self._files.read(key) or b""):
                where = self._files.locate(key)
                raise StoreError(
                    f"{where} waits and has it: take it away, or let a run read it first: civitas run"
                )


def write_report(
    stores: Stores, tenant: Tenant, now: datetime, found: Mapping[str, Size], left: Mapping[str, Size]
) -> None:
    """Keep how much was found where, and what is left; nothing of what it was."""
    content = {"erased_at": now, "found": dict(found), "left": dict(left)}
    key = f"{tenant_folder_key('retention', tenant.slug)}/erasures/{now:%Y%m%dT%H%M%S}.json"
    stores.files.write(key, msgspec.json.format(msgspec.json.encode(content), indent=2))

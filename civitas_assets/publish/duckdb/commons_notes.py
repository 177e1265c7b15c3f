"""Notes of what tenants have published and the commons do not hold yet.

A note is made before publishing and confirmed after it, so that a crash in between costs a repetition, never a row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import msgspec

from civitas_assets.store.files import Files
from civitas_assets.store.stored_record import read_state

_ROOT = "commons/pending"


class _Entry(msgspec.Struct, frozen=True):
    days: list[date] = []
    whole: bool = False
    published: bool = False
    forget: bool = False


@dataclass(frozen=True)
class WaitingChanges:
    """What has to be renewed of a tenant: days, or all of it; `entries` are the notes that say so."""

    days: frozenset[date]
    whole: bool
    entries: tuple[str, ...]
    forget: bool = False


class Notes:
    """The notes of all tenants."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def announce(
        self, tenant: str, run_id: str, days: Iterable[date], *, whole: bool, forget: bool = False
    ) -> None:
        """These days, or all of the tenant, are about to be published, and what was there is to be forgotten."""
        self._put(tenant, run_id, _Entry(sorted(days), whole, forget=forget))

    def confirm(self, tenant: str, run_id: str) -> None:
        """They are published."""
        entry = self._entry(self._key(tenant, run_id))
        if entry is not None:
            self._put(tenant, run_id, msgspec.structs.replace(entry, published=True))

    def read_waiting(self, tenant: str) -> WaitingChanges | None:
        """What is noted of a tenant for which nothing is being published right now; None if nothing is."""
        return self._gathered(tenant, only_published=False)

    def read_others(self, tenant: str) -> dict[str, WaitingChanges]:
        """What is published and noted of the other tenants, which may be publishing further days at this moment."""
        slugs = {key.split("/")[2] for key in self._files.list_keys(f"{_ROOT}/")} - {tenant}
        found = {slug: self._gathered(slug, only_published=True) for slug in sorted(slugs)}
        return {slug: waiting for slug, waiting in found.items() if waiting is not None}

    def acknowledge(self, entries: Iterable[str]) -> None:
        """Strike out notes that are settled."""
        for key in entries:
            self._files.delete(key)

    def forget(self, tenant: str) -> None:
        """Strike out all notes of a tenant."""
        self._files.clear(f"{_ROOT}/{tenant}/")

    def _gathered(self, tenant: str, *, only_published: bool) -> WaitingChanges | None:
        noted = {key: self._entry(key) for key in self._files.list_keys(f"{_ROOT}/{tenant}/")}
        entries = {
            key: e for key, e in noted.items() if e is not None and (e.published or not only_published)
        }
        if not entries:
            return None
        days = frozenset(day for entry in entries.values() for day in entry.days)
        whole, forget = (any(getattr(e, kind) for e in entries.values()) for kind in ("whole", "forget"))
        return WaitingChanges(days, whole, tuple(entries), forget)

    def _entry(self, key: str) -> _Entry | None:
        return read_state(self._files, key, _Entry)

    def _put(self, tenant: str, run_id: str, entry: _Entry) -> None:
        self._files.write(self._key(tenant, run_id), msgspec.json.encode(entry))

    def _key(self, tenant: str, run_id: str) -> str:
        return f"{_ROOT}/{tenant}/{run_id}.json"

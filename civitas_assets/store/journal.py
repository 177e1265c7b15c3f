"""The journal of a tenant: which manifests were read, and which days still have to be published.

Days are noted before records change and struck out after publishing, so a crash in between costs a
repetition, never data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import msgspec
from msgspec.structs import replace

from civitas_assets.errors import Note
from civitas_assets.store.addresses import Line
from civitas_assets.store.files import Files
from civitas_assets.store.layout import RecordKeys
from civitas_assets.store.stored_record import decode_state, read_state


class _Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A note; `settled` are the destinations that have been brought up to it, while others have not."""

    days: list[date] = []
    things: bool = False
    forget: bool = False
    settled: frozenset[str] = frozenset()


_ENTRIES = msgspec.json.Decoder(_Entry)


class StandingNote(msgspec.Struct, frozen=True):
    """A note, and the addresses whose last answer gave cause for it; of many addresses only some."""

    note: Note
    addresses: tuple[str, ...]


class Progress(msgspec.Struct, frozen=True):
    """How far a source's landing has been read.

    `manifest` is the last one that was read. `failed` are answers that could not be read, to be tried again
    until a newer answer of the same address can be. `had_rows` is whether there ever were any, `had_values` whether
    one of them was an observation, None where that was not noted yet; `ran_dry` is that
    the last answers had no row, although those before had; `unusable` names record types of which no row could be used.
    `notes` stand until the source gives no more cause for them. `attempts` count by hash how often reading an answer
    has begun and not ended, under the settings and version `attempts_under`.
    """

    manifest: str = ""
    failed: tuple[Line, ...] = ()
    had_rows: bool = False
    ran_dry: bool = False
    notes: tuple[StandingNote, ...] = ()
    unusable: frozenset[str] = frozenset()
    attempts: Mapping[str, int] = {}
    attempts_under: str = ""
    had_values: bool | None = None


@dataclass(frozen=True)
class Pending:
    """What is not yet published: days of events, and whether things changed.

    `entries` are all notes by key, each with a hash of what it says. `forget` is whether something was let go of, of
    which no block of what is published may hold anything afterwards.
    """

    days: frozenset[date]
    things: bool
    entries: Mapping[str, str]
    forget: bool = False

    def __bool__(self) -> bool:
        return bool(self.days) or self.things


class Journal:
    """What was read and what is pending, for one tenant."""

    def __init__(self, files: Files, tenant: str) -> None:
        self._files, self._keys = files, RecordKeys.for_tenant(tenant)

    def note(self, name: str, days: Iterable[date], *, things: bool = False, forget: bool = False) -> None:
        """Note that these days, or things, have to be published, and whether what they held is to be forgotten."""
        key = f"{self._keys.pending}/{name}.json"
        before = read_state(self._files, key, _Entry) or _Entry()
        entry = _Entry(sorted({*before.days, *days}), before.things or things, before.forget or forget)
        if entry != before:
            self._files.write(key, msgspec.json.encode(entry))

    def read_pending(self, destination: str = "") -> Pending:
        """Everything that is noted, or what of it a destination has not been brought up to."""
        keys = self._files.list_keys(f"{self._keys.pending}/")
        bodies = self._files.read_all(keys)
        noted = {
            key: decode_state(self._files, key, body, _ENTRIES.decode)
            for key, body in zip(keys, bodies, strict=True)
            if body is not None
        }
        entries = [entry for entry in noted.values() if destination not in entry.settled]
        days = frozenset(day for entry in entries for day in entry.days)
        things, forget = (any(getattr(entry, kind) for entry in entries) for kind in ("things", "forget"))
        return Pending(days, things, {key: _digest(entry) for key, entry in noted.items()}, forget)

    def acknowledge(self, entries: Mapping[str, str]) -> None:
        """Strike out the notes that have been settled by publishing; those made or added to since stay."""
        self.settle(entries, "", ())

    def settle(self, entries: Mapping[str, str], destination: str, destinations: Collection[str]) -> None:
        """A destination has been brought up to these notes; they are struck out once all destinations have been.

        Those made or added to since stay as they are: for all destinations.
        """
        struck = list[str]()
        for (key, said), body in zip(entries.items(), self._files.read_all([*entries]), strict=True):
            entry = _Entry() if body is None else decode_state(self._files, key, body, _ENTRIES.decode)
            if body is None or _digest(entry) != said:
                continue
            settled = entry.settled | {destination}
            if settled >= {*destinations}:
                struck.append(key)
            elif settled != entry.settled:
                self._files.write(key, msgspec.json.encode(replace(entry, settled=settled)))
        self._files.delete_all(struck)

    def read_progress(self, source: str) -> Progress:
        """How far the source's landing has been read."""
        return read_state(self._files, self._keys.progress_key(source), Progress) or Progress()

    def advance(self, source: str, progress: Progress) -> None:
        """The source's landing has been read this far."""
        self._files.write(self._keys.progress_key(source), msgspec.json.encode(progress))


def _digest(entry: _Entry) -> str:
    """Of what a note says, whoever has been brought up to it."""
    return hashlib.sha256(msgspec.json.encode(replace(entry, settled=frozenset()))).hexdigest()[:16]

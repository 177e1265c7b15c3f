"""Landing: bodies as received, each kept once under its content hash, and manifests of where they came from.

A manifest is one write-once file per fetch of a source, in parts while that is under way, named by its number: which
came later is never asked of a clock. What is known of each address is kept beside it as an index that can always be
rebuilt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec

from civitas_assets.store.addresses import Address, Line, decode_index, encode_index, update_addresses
from civitas_assets.store.bodies import Bodies
from civitas_assets.store.files import Files
from civitas_assets.store.journal import Progress
from civitas_assets.store.layout import RecordKeys
from civitas_assets.store.repeats import Repeats, note_repeats, read_repeats, write_repeats
from civitas_assets.store.stored_record import decode_state, read_state

_MANIFESTS_AT_A_TIME = 64


class Answered(msgspec.Struct, frozen=True):
    """When a source last answered all that was asked, and the last day on which that was its whole look-back.

    `is_whole` is whether nothing has been fetched since in part only: what is not in the answers is not there.
    `begun_at` is when a fetch began that has not ended, and `begun_for` what it asks. `is_swept` is whether every body
    has a line in a manifest: one that was stored last before a fetch was killed may have none. `since` is the last
    manifest before the fetch that was answered, `begun_since` that before the one under way; None as older versions
    wrote it. `missing` are spans of days, first and last, that nobody has asked for.
    """

    at: datetime | None = None
    whole_on: date | None = None
    is_whole: bool = False
    begun_at: datetime | None = None
    begun_for: str = ""
    is_swept: bool = False
    since: str | None = None
    begun_since: str | None = None
    missing: tuple[tuple[date, date], ...] = ()

    def has_seen(self, address: Address) -> bool:
        """Whether the address was asked for in the fetch that was answered."""
        if address.seen_at is None or self.at is None:
            return False
        return address.seen_in > self.since if self.since is not None else address.seen_at >= self.at


@dataclass(frozen=True)
class Manifest:
    """The manifest of one fetch; manifests of a source sort by name as they were written."""

    name: str
    lines: Sequence[Line]


class SourceLanding(Bodies):
    """The landing of one source of one tenant; with `sealed`, bodies are kept encrypted from now on."""

    def __init__(self, files: Files, tenant: str, source: str, *, sealed: bool = False) -> None:
        super().__init__(files, tenant, source, sealed=sealed)
        self._read = RecordKeys.for_tenant(tenant).progress_key(source)
        self._through: str | None = None  # the last manifest that the addresses were worked out of
        self._number = -1  # of the last manifest, as far as it was looked for

    def read_addresses(self) -> dict[str, Address]:
        """What is known of each address, from the index and the manifests that it does not know yet."""
        key = f"{self._root}/addresses.json"
        body = self._files.read(key)
        known, through = ({}, "") if body is None else decode_state(self._files, key, body, decode_index)
        for manifest in self.list_manifests(after=through):
            update_addresses(known, manifest.lines, manifest.name)
            through = manifest.name
        self._through = through
        return known

    @property
    def through(self) -> str:
        """The last manifest that the addresses were worked out of; empty where there is none, or nobody has asked."""
        return self._through or ""

    def write_addresses(self, known: Mapping[str, Address], through: str) -> None:
        """Replace the index: what is known by the manifests up to that one."""
        self._files.write(f"{self._root}/addresses.json", encode_index(known, through))

    def read_repeats(self) -> Repeats | None:
        """Which bodies came again; None where an older version has not noted it."""
        return read_repeats(self._files, self._root)

    def write_repeats(self, repeats: Repeats) -> None:
        """Replace what is noted of them."""
        write_repeats(self._files, self._root, repeats)

    def find_last_manifest(self) -> str:
        """The name of the last manifest that was written, read or put into the index; all later ones sort after it."""
        if self._number < 0:
            if self._through is None:
                self.read_addresses()
            # A landing that was restored from a copy may end before what has been read of it.
            was_read = (read_state(self._files, self._read, Progress) or Progress()).manifest
            known = max(self._through or "", was_read, _name(0))
            self._number = _number(max([known, *self._names(known)]))
        return _name(self._number)

    def name_next_manifest(self) -> str:
        """The least name that the next manifest will have."""
        self.find_last_manifest()
        return _name(self._number + 1)

    def remove_unfinished(self) -> None:
        """Let go of what a process that was killed was writing; the caller holds the tenant's lock."""
        self._files.delete_all(self._files.list_unfinished(f"{self._root}/"))

    def write_manifest(self, lines: Sequence[Line]) -> str:
        """Keep the manifest of one fetch; its name."""
        body = _encoded(lines)
        again = {line.sha256 for line in lines if line.state == "stored"}.intersection(self.again)
        self.find_last_manifest()
        while True:
            self._number += 1
            name = _name(self._number)
            if again:
                note_repeats(self._files, self._root, again, name)
            if not self._files.write_once(f"{self._root}/manifests/{name}", body):
                continue  # another machine's
            later = self._names(name)
            if not later:
                return name
            # Whoever has read those will not come back to this one.
            self.remove_manifests([name])
            self._number = _number(later[-1])

    def replace_manifest(self, name: str, lines: Sequence[Line]) -> None:
        """Put other lines in the place of a manifest's; the caller holds the tenant's lock."""
        body = _encoded(lines)
        self._files.write(f"{self._root}/manifests/{name}", body)

    def remove_manifests(self, names: Iterable[str]) -> None:
        """Let go of manifests whose lines are in another one."""
        self._files.delete_all(f"{self._root}/manifests/{name}" for name in names)

    def list_manifests(self, after: str = "") -> Iterator[Manifest]:
        """Manifests in the order in which they were written, from the one after the given name on."""
        decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)
        for names in _batched(self._names(after)):
            bodies = self._files.read_all([f"{self._root}/manifests/{name}" for name in names])
            for name, body in zip(names, bodies, strict=True):
                key = f"{self._root}/manifests/{name}"
                yield Manifest(name, decode_state(self._files, key, body or b"", decoder.decode_lines))

    def _names(self, after: str) -> Sequence[str]:
        """The manifests behind one; those of older versions, which a clock has named, come first."""
        root = f"{self._root}/manifests/"
        return [key.removeprefix(root) for key in self._files.list_keys(root, after=f"{root}{after}")]

    def read_answered(self) -> Answered:
        """When the source last answered all that was asked."""
        return read_state(self._files, f"{self._root}/answered.json", Answered) or Answered()

    def write_answered(self, answered: Answered) -> None:
        """Note that the source has answered all that was asked."""
        self._files.write(f"{self._root}/answered.json", msgspec.json.encode(answered))


def _encoded(lines: Sequence[Line]) -> bytes:
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def _name(number: int) -> str:
    return f"s{number:010d}.jsonl"


def _number(name: str) -> int:
    return int(name[1:11])


def _batched(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """The keys in portions, a small one first: often the first manifest says it all."""
    start, size = 0, 1
    while start < len(keys):
        yield keys[start : start + size]
        start, size = start + size, _MANIFESTS_AT_A_TIME


def hash_config(settings: Mapping[str, Any]) -> str:
    """A short hash of a source's settings, so that a manifest tells under which ones it was fetched."""
    return hashlib.sha256(msgspec.json.encode(settings, order="sorted")).hexdigest()[:16]

"""Keeping the temporal interface of a context broker up to date with what was observed, by what has changed.

Of each entity and day, a digest says what the broker was seen to have. Where it is another one, the entity is compared.
That it may have something is noted before it is given anything, so that this can be taken back, whatever comes between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from hashlib import md5
from typing import Any

import msgspec

from civitas_assets.catalog import Tenant, Window
from civitas_assets.catalog.tenant_sinks import NgsiLdSink
from civitas_assets.sinks.entity_history import EntityHistory, HistoryKeeper, SeenHistory
from civitas_assets.sinks.history_writing import TemporalInterface
from civitas_assets.sinks.sink_report import SinkReport
from civitas_assets.store.files import Files
from civitas_assets.store.layout import tenant_folder_key
from civitas_assets.store.stored_record import read_state

_NOTED = 500  # entities after which what was read back is noted
_HELD = 50_000  # rows of entities that wait, which are in memory


class HistoryState(msgspec.Struct):
    """Entities whose values a broker may have, by id; `first` is the day from which digests are kept, by model."""

    basis: str
    seen: dict[str, SeenHistory] = {}
    first: dict[str, date] = {}


class HistoryBringer:
    """The temporal interface of one broker of a tenant; attributes that it never was given are left alone."""

    def __init__(
        self,
        interface: TemporalInterface,
        files: Files,
        tenant: Tenant,
        name: str,
        said: NgsiLdSink,
    ) -> None:
        self._interface, self._files, self._zone = interface, files, tenant.zone
        self._keeper, self._parallel = HistoryKeeper(interface, tenant.zone), said.http.parallel
        self._key = f"{tenant_folder_key('sinks', tenant.slug)}/{name}-history.json"
        self._report, self._counts = SinkReport(), SinkReport("values")
        self.state = self._read_state(f"{said.url} {said.broker_tenant}")

    def report_to(self, report: SinkReport) -> None:
        """Let a report have what comes of values."""
        self._report, report.history = report, self._counts

    def bring(self, rows: Iterable[Mapping[str, Any]], model: str, days: tuple[date, date]) -> None:
        """Bring the entities of a model up to what is published of these days.

        Args:
            rows: As `export.ngsi_ld_format.build_history_query` has them, by id and day.
            model: The shared model that they are of.
            days: First and last day that is compared; what is there of others stays.

        Raises:
            ExportError: the broker does not answer, or has no temporal interface; what was read back stays noted.
        """
        left, held = self._list_given(model, days), 0
        waiting = dict[str, EntityHistory]()
        for row in rows:
            key, day = row["id"], row["day"]
            left.discard((key, day))
            digest = md5("\n".join(row["parts"]).encode(), usedforsecurity=False).hexdigest()
            known = self.state.seen.get(key)
            if known is not None and known.context != row["context"]:
                self.withdraw([key])  # its attributes were called otherwise
                known = self.state.seen.get(key)
            if known is not None and known.days.get(day) == digest:
                continue
            if key not in waiting and (len(waiting) >= _NOTED or held >= _HELD):
                self._settle([*waiting.values()], days[0])
                waiting.clear()
                held = 0
            held += len(row["parts"])
            if key not in waiting:
                names = known.names if known is not None else set[str]()
                seen = SeenHistory(row["type"], row["context"], model, row["source"], day, names)
                waiting[key] = EntityHistory(key, seen)
            waiting[key].days[day] = [msgspec.json.decode(part) for part in row["parts"]]
            waiting[key].seen.days[day] = digest
        for key, day in sorted(left):
            if key in self.state.seen:
                seen = msgspec.structs.replace(self.state.seen[key], days={})
                waiting.setdefault(key, EntityHistory(key, seen)).days[day] = ()
        self._settle([*waiting.values()], days[0])
        for seen in self.state.seen.values():
            if seen.model == model:
                seen.days = {day: digest for day, digest in seen.days.items() if day >= days[0]}
        self.state.first[model] = days[0]
        self.write()

    def _list_given(self, model: str, days: tuple[date, date]) -> set[tuple[str, date]]:
        """Entities of a model, each with the days of a span of which the broker may have something."""
        found, kept = set[tuple[str, date]](), self.state.first.get(model, days[0])
        for key, seen in self.state.seen.items():
            if seen.model == model:
                found |= {(key, day) for day in seen.days if days[0] <= day <= days[1]}
                first, end = max(seen.since, days[0]), min(kept, days[1] + timedelta(1))
                found |= {(key, first + timedelta(number)) for number in range((end - first).days)}
        return found

    def withdraw(self, identities: Iterable[str]) -> None:
        """Take away all that is known over time of entities which may not be given any more."""
        closed = sorted(identities)
        try:
            for key in closed:
                seen = self.state.seen[key]
                why = self._interface.remove_entity(key)
                start, end = Window(seen.since, max([seen.since, *seen.days])).to_instants(self._zone)
                if self._interface.read(seen.type, seen.context, key, start, end):
                    self._report.refuse(
                        f"{key} over time does not go: {why or 'whatever the broker answers'}"
                    )
                else:
                    del self.state.seen[key]
                    self._counts.entities += 1
        finally:
            if closed:
                self.write()

    def write(self) -> None:
        """Note what was read back."""
        self._files.write(self._key, msgspec.json.encode(self.state))

    def _settle(self, entities: Sequence[EntityHistory], first: date) -> None:
        if not entities:
            return
        for entity in entities:
            self._expect(entity)
        self.write()
        try:
            with ThreadPoolExecutor(self._parallel, "history") as pool:
                for outcome in pool.map(self._keeper.put, entities):
                    self._counts.created += outcome.created
                    self._counts.changed += outcome.changed
                    self._counts.deleted += outcome.deleted
                    for sentence in outcome.refused:
                        self._report.refuse(sentence)
                    if not outcome.refused:
                        self._note(outcome.entity, first)
        finally:
            self.write()

    def _expect(self, entity: EntityHistory) -> None:
        """Note that the broker may have anything of these days from now on."""
        given = msgspec.structs.replace(entity.seen, days={})
        known = self.state.seen.setdefault(entity.id, given)
        known.source, known.since = given.source, min(known.since, *entity.days)
        known.names |= {name for name, _ in entity.list_wanted()}
        known.days |= dict.fromkeys(entity.days, "")

    def _note(self, entity: EntityHistory, first: date) -> None:
        """Note what the broker was seen to have; an entity of which it had nothing before either is forgotten."""
        known = self.state.seen[entity.id]
        for day, parts in entity.days.items():
            if parts:
                known.days[day] = entity.seen.days[day]
            else:
                del known.days[day]
        if not known.days and known.since >= first:
            del self.state.seen[entity.id]

    def _read_state(self, basis: str) -> HistoryState:
        state = read_state(self._files, self._key, HistoryState)
        return state if state is not None and state.basis == basis else HistoryState(basis)

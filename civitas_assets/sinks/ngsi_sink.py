"""Keeping a context broker up to date with a tenant's entities of the Smart Data Models, by what has changed.

Of each entity, a digest says what the broker was seen to have. Where it is another one, the entity is put as a whole,
many at a time, and read again: what the answer says counts only as a reason why something is not there. What is gone,
or may not be given any more, is taken away by what is known here, since a broker has room for no mark.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec

from civitas_assets.catalog import Tenant
from civitas_assets.catalog.tenant_sinks import NgsiLdSink
from civitas_assets.errors import ExportError
from civitas_assets.export.export_vocabulary import ExportVocabulary
from civitas_assets.export.ngsi_ld_format import (
    build_entity_query,
    build_history_query,
    find_observed_models,
    list_exported_entities,
)
from civitas_assets.export.selection import DaySpan, Selection
from civitas_assets.export.terms import Conditions
from civitas_assets.publish.reading import PublishedTables
from civitas_assets.sinks.broker_writing import ContextBroker
from civitas_assets.sinks.entity_comparison import find_difference
from civitas_assets.sinks.entity_history import SeenHistory
from civitas_assets.sinks.ngsi_history import HistoryBringer
from civitas_assets.sinks.sink_report import SinkReport
from civitas_assets.store.files import Files
from civitas_assets.store.layout import tenant_folder_key
from civitas_assets.store.stored_record import read_state

_NOTED = 5000  # entities after which what was read back is noted


class SeenEntity(msgspec.Struct, array_like=True):
    """What the broker was seen to have, and where it comes from."""

    digest: str
    type: str
    context: str
    model: str
    source: str | None
    day: date | None


class BrokerState(msgspec.Struct):
    """Entities that a broker was seen to have, by id."""

    basis: str
    seen: dict[str, SeenEntity] = {}


@dataclass(frozen=True)
class _Given:
    """An entity as it is to be."""

    id: str
    body: bytes
    seen: SeenEntity


@dataclass
class _Outcome:
    """What came of some entities."""

    good: list[_Given] = field(default_factory=list)
    created: int = 0
    changed: int = 0
    refused: list[str] = field(default_factory=list)


class NgsiLdBringer:
    """One context broker of a tenant."""

    def __init__(
        self,
        broker: ContextBroker,
        files: Files,
        tenant: Tenant,
        name: str,
        said: NgsiLdSink,
        *,
        vocabulary: ExportVocabulary,
    ) -> None:
        self._broker, self._files, self._tenant, self._said = broker, files, tenant, said
        self._vocabulary = vocabulary
        self._basis = f"{said.url} {said.broker_tenant} {said.entities} {said.context}"
        self._key = f"{tenant_folder_key('sinks', tenant.slug)}/{name}.json"
        self.report = SinkReport("entities")
        self._history = HistoryBringer(broker.history, files, tenant, name, said)

    def bring(self, tables: PublishedTables, conditions: Conditions, first: date, last: date) -> SinkReport:
        """Bring the broker up to what is published of these days.

        Raises:
            ExportError: a model is no entity, or the broker does not answer; what was read back before stays noted.
            PublishError: what is published cannot be read.
        """
        self._check_models()
        state = self._read_state()
        try:
            for model in self._said.models:
                self._bring_model(tables, conditions, model, (first, last), state)
            left = {key for key, seen in state.seen.items() if seen.model not in self._said.models}
            self._withdraw(left | _find_closed(state.seen, conditions), state)
            self._bring_history(tables, conditions, (first, last))
        finally:
            self._files.write(self._key, msgspec.json.encode(state))
        return self.report

    def _bring_history(
        self, tables: PublishedTables, conditions: Conditions, days: tuple[date, date]
    ) -> None:
        """Bring what was observed to the temporal interface, and take back what it may not have any more."""
        seen, models = self._history.state.seen, {*self._said.models}
        if self._said.temporal or seen:
            self._history.report_to(self.report)
        others = {key for key, each in seen.items() if each.model not in models}
        self._history.withdraw(others | _find_closed(seen, conditions))
        for model in self._find_observed() if self._said.temporal else ():
            span = DaySpan(*days, self._tenant.zone)
            selection = Selection.from_models(tables.list_columns(), model, span, conditions)
            query = build_history_query(self._vocabulary, selection, context=self._said.context)
            rows = tables.stream(query.sql, query.parameters, 2_000)
            self._history.bring((row for batch in rows for row in batch.to_pylist()), model, days)

    def _find_observed(self) -> Sequence[str]:
        if found := find_observed_models(self._vocabulary, self._said.models):
            return found
        raise ExportError("models: nothing of them has a time, so leave temporal: out")

    def _check_models(self) -> None:
        known, made = list_exported_entities(self._vocabulary), dict[str, str]()
        for model in self._said.models:
            if model not in known:
                raise ExportError(
                    f"models: {model} is in no Smart Data Model; these are: {', '.join(sorted(known))}"
                )
            for kind in {entity.type for entity in known[model]}:
                if other := made.get(kind):
                    raise ExportError(
                        f"models: {other} and {model} are the same entities, {kind}; name the one with the state"
                    )
                made[kind] = model

    def _bring_model(
        self,
        tables: PublishedTables,
        conditions: Conditions,
        model: str,
        days: tuple[date, date],
        state: BrokerState,
    ) -> None:
        columns = tables.list_columns()
        span = DaySpan(*days, self._tenant.zone) if "day" in columns.get(model, ()) else None
        selection = Selection.from_models(columns, model, span, conditions)
        query = build_entity_query(
            self._vocabulary,
            selection,
            by_time=self._said.entities == "each",
            context=self._said.context,
        )
        current, waiting = set[str](), list[_Given]()
        for batch in tables.stream(query.sql, query.parameters, 20_000):
            for row in batch.to_pylist():
                current.add(row["id"])
                known = state.seen.get(row["id"])
                if known is None or known.digest != row["digest"]:
                    seen = SeenEntity(
                        row["digest"], row["type"], row["context"], model, row["source"], row["day"]
                    )
                    waiting.append(_Given(row["id"], row["entity"].encode(), seen))
                if len(waiting) >= _NOTED:
                    self._settle(waiting, state)
                    waiting = []
        self._settle(waiting, state)
        gone = {
            key
            for key, seen in state.seen.items()
            if seen.model == model and key not in current and _is_within(seen.day, days)
        }
        self._withdraw(gone, state)

    def _settle(self, waiting: Sequence[_Given], state: BrokerState) -> None:
        """Let the broker have these, as far as it takes them, and note what was read back."""
        chunks = [*_cut(waiting, self._said.batch)]
        with ThreadPoolExecutor(self._said.http.parallel, "sink") as pool:
            known = {given.id for given in waiting if given.id in state.seen}
            for outcome in pool.map(lambda chunk: self._put(chunk, known), chunks):
                state.seen |= {given.id: given.seen for given in outcome.good}
                self.report.created += outcome.created
                self.report.changed += outcome.changed
                for sentence in outcome.refused:
                    self.report.refuse(sentence)
        if waiting:
            self._files.write(self._key, msgspec.json.encode(state))

    def _put(self, chunk: Sequence[_Given], seen: Collection[str]) -> _Outcome:
        """Put entities of one type, together and then those alone of which the broker says no reason of their own."""
        unknown = [given.id for given in chunk if given.id not in seen]
        before = self._read(chunk, unknown)
        fresh = {*unknown} - before.keys()
        differing = {given.id for given in chunk if _explain(given, before) is not None}
        lacking = [given for given in chunk if given.id in differing]
        kept, why = {**before}, dict[str, str]()
        for size in (len(chunk), 1):
            asked = [given for given in lacking if given.id not in why]
            for begin in range(0, len(asked), size):
                part = asked[begin : begin + size]
                answer = self._broker.upsert([given.body for given in part], [given.id for given in part])
                # What is said of a request as a whole is no reason of each of several.
                why |= answer.refused if size == 1 or not answer.is_of_all else {}
            kept |= self._read(chunk, [given.id for given in asked])
            lacking = [given for given in lacking if _explain(given, kept) is not None]
        bad = {given.id for given in lacking}
        good = [given for given in chunk if given.id not in bad]
        put = [given.id for given in good if given.id in differing]
        outcome = _Outcome(good, sum(key in fresh for key in put), sum(key not in fresh for key in put))
        for given in lacking:
            text = why.get(given.id) or f"{_explain(given, kept)}, whatever the broker answers"
            outcome.refused.append(f"{given.id}: {text}")
        return outcome

    def _read(self, chunk: Sequence[_Given], identities: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        return self._broker.read(chunk[0].seen.type, chunk[0].seen.context, identities) if identities else {}

    def _withdraw(self, identities: Iterable[str], state: BrokerState) -> None:
        """Take away what is not published any more, or may not be given."""
        groups = defaultdict[tuple[str, str], list[str]](list)
        for key in sorted(identities):
            groups[state.seen[key].type, state.seen[key].context].append(key)
        for (kind, context), keys in groups.items():
            for begin in range(0, len(keys), self._said.batch):
                part = keys[begin : begin + self._said.batch]
                why = self._broker.delete(part).refused
                there = self._broker.read(kind, context, part)
                for key in part:
                    if key in there:
                        self.report.refuse(
                            f"{key} does not go: {why.get(key, 'whatever the broker answers')}"
                        )
                    else:
                        del state.seen[key]
                        self.report.deleted += 1

    def _read_state(self) -> BrokerState:
        state = read_state(self._files, self._key, BrokerState)
        if state is not None:
            if state.basis == self._basis:
                return state
            if state.basis.split(" ")[:2] == self._basis.split(" ")[:2]:
                # The same broker gets entities in another form: what does not come again is of no model, and goes.
                return BrokerState(
                    self._basis,
                    {
                        key: msgspec.structs.replace(seen, digest="", model="")
                        for key, seen in state.seen.items()
                    },
                )
        return BrokerState(self._basis)


def _explain(given: _Given, kept: Mapping[str, Mapping[str, Any]]) -> str | None:
    """What a broker has otherwise than it was to be; None where it has it so."""
    if given.id not in kept:
        return "is not there"
    name = find_difference(msgspec.json.decode(given.body), kept[given.id])
    return None if name is None else f"says something else, or nothing, of {name}"


def _find_closed(seen: Mapping[str, SeenEntity | SeenHistory], conditions: Conditions) -> set[str]:
    if conditions.everything:
        return set()
    return {key for key, each in seen.items() if each.source and each.source not in conditions.given}


def _is_within(day: date | None, days: tuple[date, date]) -> bool:
    return day is None or days[0] <= day <= days[1]


def _cut(waiting: Sequence[_Given], size: int) -> Iterator[list[_Given]]:
    """Entities of one type and context, so many at a time."""
    kinds = defaultdict[tuple[str, str], list[_Given]](list)
    for given in waiting:
        kinds[given.seen.type, given.seen.context].append(given)
    for found in kinds.values():
        for begin in range(0, len(found), size):
            yield found[begin : begin + size]

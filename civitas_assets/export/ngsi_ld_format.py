"""Shared models as NGSI-LD: normalised entities of the Smart Data Models, as a context broker takes them.

What an entity is made of is in the modules of the Smart Data Models.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import BinaryIO, ClassVar

import pyarrow as pa

from civitas_assets.errors import ExportError
from civitas_assets.export.entities import SAID_AS, Attribute, AttributeKind, Entity
from civitas_assets.export.export_vocabulary import ExportVocabulary
from civitas_assets.export.selection import Query, Selection, literal_sql
from civitas_assets.export.smart_data_observed import list_observed_entities
from civitas_assets.export.smart_data_things import THINGS
from civitas_assets.export.terms import Conditions


def list_exported_entities(vocabulary: ExportVocabulary) -> Mapping[str, tuple[Entity, ...]]:
    """The entities that rows become, by shared model."""
    found: dict[str, tuple[Entity, ...]] = {}
    for entity in chain(list_observed_entities(vocabulary), THINGS):
        found[entity.model] = (*found.get(entity.model, ()), entity)
    return found


def find_observed_models(vocabulary: ExportVocabulary, models: Sequence[str]) -> list[str]:
    """Those of the models whose entities have attributes with a time at which they were observed."""
    known = list_exported_entities(vocabulary)
    return [m for m in models if any(each.at for entity in known[m] for each in entity.attributes)]


@dataclass(frozen=True)
class NgsiLd:
    """A JSON array with an entity per line; with `batch`, one array per line, each with at most so many entities."""

    unit: ClassVar[str] = "entities"

    vocabulary: ExportVocabulary
    batch: int | None = None

    def build_query(self, selection: Selection) -> Query:
        """Entities as JSON.

        Raises:
            ExportError: the Smart Data Models have nothing for the model.
        """
        made = _find_entities(self.vocabulary, selection.model)
        said = _list_said(selection)
        written = ", ".join(entity.to_json_sql(self.vocabulary.unit_codes, said) for entity in made)
        rows = selection.build_query(f"[{written}] as made", _last_sql(made))
        each = f"(select unnest(made) as entity from ({rows.sql}))"  # noqa: S608 - all of it is ours
        return Query(f"select entity from {each} where entity is not null", rows.parameters)  # noqa: S608

    def write(self, batches: pa.RecordBatchReader, sink: BinaryIO, conditions: Conditions) -> Iterator[int]:
        """Write batch after batch; the entities of each."""
        if self.batch is None:
            sink.write(b"[\n")
            first = True
            for found in map(_texts, batches):
                if found:
                    sink.write(b"" if first else b",\n")
                    sink.write(b",\n".join(found))
                    first = False
                yield len(found)
            sink.write(b"\n]\n")
        else:
            waiting = chain.from_iterable(map(_texts, batches))
            while part := [*islice(waiting, self.batch)]:
                sink.write(b"[" + b",".join(part) + b"]\n")
                yield len(part)


def build_entity_query(
    vocabulary: ExportVocabulary, selection: Selection, *, by_time: bool, context: str | None = None
) -> Query:
    """Entities as a broker keeps them: `id`, `type`, `context`, `source`, `day`, `entity` as JSON, and its `digest`.

    Without `by_time`, an observed thing is one entity with the values of its last row.

    Raises:
        ExportError: the Smart Data Models have nothing for the model.
    """
    made, said = _find_entities(vocabulary, selection.model), _list_said(selection)
    structs = ", ".join(
        f"{{'id': {each.to_id_sql(by_time=by_time)}, 'type': {literal_sql(each.type)},"
        f" 'context': {literal_sql(context or each.context)}, 'at': {each.at}, 'entity': "
        f"{each.to_json_sql(vocabulary.unit_codes, said, by_time=by_time, context=context)}}}"
        for each in made
    )
    more = [
        f"picked.{name}" if name in selection.columns else f"null as {name}" for name in ("source", "day")
    ]
    rows = selection.build_query(f"[{structs}] as made, {', '.join(more)}", _last_sql(made))
    return Query(
        "select one.id as id, one.type as type, one.context as context, source, day, one.entity as entity,"  # noqa: S608
        f" md5(one.entity) as digest from (select unnest(made) as one, source, day from ({rows.sql}))"
        " where one.entity is not null"
        " qualify row_number() over (partition by one.id order by one.at desc nulls last) = 1",
        rows.parameters,
    )


def build_history_query(
    vocabulary: ExportVocabulary, selection: Selection, *, context: str | None = None
) -> Query:
    """What was observed, for the temporal interface: `id`, `type`, `context`, `source`, `day`, and `parts`, a list.

    A part is an entity as JSON, of a row, with those attributes alone that have a time at which they were observed.

    Raises:
        ExportError: the Smart Data Models have nothing for the model.
    """
    made = [
        replace(entity, attributes=tuple(each for each in entity.attributes if each.at))
        for entity in _find_entities(vocabulary, selection.model)
    ]
    structs = ", ".join(
        f"{{'id': {each.to_id_sql(by_time=False)}, 'type': {literal_sql(each.type)},"
        f" 'context': {literal_sql(context or each.context)}, 'part': "
        f"{each.to_json_sql(vocabulary.unit_codes, by_time=False, context=context)}}}"
        for each in made
    )
    rows = selection.build_query(f"[{structs}] as made, picked.source, picked.day")
    return Query(
        "select one.id as id, one.type as type, one.context as context, source, day,"  # noqa: S608 - all of it is ours
        f" list(one.part order by one.part) as parts from (select unnest(made) as one, source, day from ({rows.sql}))"
        " where one.part is not null group by all order by id, day",
        rows.parameters,
    )


def _find_entities(vocabulary: ExportVocabulary, model: str) -> tuple[Entity, ...]:
    known = list_exported_entities(vocabulary)
    if model not in known:
        raise ExportError(
            f"{model} is in no Smart Data Model, so it cannot be exported as ngsi-ld;"
            f" export it as csv. These can be: {', '.join(sorted(known))}"
        )
    return known[model]


def _list_said(selection: Selection) -> list[Attribute]:
    return [Attribute(SAID_AS[name], AttributeKind.TEXT, text) for name, text in selection.said.items()]


def _last_sql(made: Sequence[Entity]) -> str:
    """SQL that leaves the last row of each thing, where only that becomes an entity."""
    if made[0].latest is None:
        return ""
    key, at = made[0].latest
    return f" qualify row_number() over (partition by picked.{key} order by picked.{at} desc) = 1"


def _texts(batch: pa.RecordBatch) -> list[bytes]:
    return [text.encode() for text in batch.column(0).to_pylist()]

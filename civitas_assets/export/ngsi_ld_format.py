"""Shared models as NGSI-LD: normalised entities of the Smart Data Models, as a context broker takes them.

What an entity is made of is in the modules of the Smart Data Models.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import BinaryIO, ClassVar

import pyarrow as pa

from civitas_assets.errors import ExportError
from civitas_assets.export.entities import SAID_AS, Attribute, AttributeKind, Entity
from civitas_assets.export.export_vocabulary import ExportVocabulary
from civitas_assets.export.selection import Query, Selection
from civitas_assets.export.smart_data_observed import list_observed_entities
from civitas_assets.export.smart_data_things import THINGS
from civitas_assets.export.terms import Conditions


def list_exported_entities(vocabulary: ExportVocabulary) -> Mapping[str, tuple[Entity, ...]]:
    """The entities that rows become, by shared model."""
    found: dict[str, tuple[Entity, ...]] = {}
    for entity in chain(list_observed_entities(vocabulary), THINGS):
        found[entity.model] = (*found.get(entity.model, ()), entity)
    return found


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
        known = list_exported_entities(self.vocabulary)
        if selection.model not in known:
            raise ExportError(
                f"{selection.model} is in no Smart Data Model, so it cannot be exported as ngsi-ld;"
                f" export it as csv. These can be: {', '.join(sorted(known))}"
            )
        made = known[selection.model]
        said = [Attribute(SAID_AS[name], AttributeKind.TEXT, text) for name, text in selection.said.items()]
        written = ", ".join(entity.to_json_sql(self.vocabulary.unit_codes, said) for entity in made)
        latest = made[0].latest
        last = (
            f" qualify row_number() over (partition by picked.{latest[0]} order by picked.{latest[1]} desc) = 1"
            if latest
            else ""
        )
        rows = selection.build_query(f"[{written}] as made", last)
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


def _texts(batch: pa.RecordBatch) -> list[bytes]:
    return [text.encode() for text in batch.column(0).to_pylist()]

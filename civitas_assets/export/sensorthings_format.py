"""Shared models as SensorThings 1.1: the bodies that a server takes, one per line.

What entities say is in `described_entities.py`, which sinks use as well. Source: OGC SensorThings API 1.1,
https://docs.ogc.org/is/18-088/18-088.html, clauses 10.2 (deep insert) and 14.2 (data arrays).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, groupby, islice
from typing import Any, BinaryIO, ClassVar

import msgspec
import pyarrow as pa

from civitas_assets.errors import ExportError
from civitas_assets.export.described_entities import (
    MARK,
    build_mark,
    describe_property,
    describe_sensor,
    describe_stream,
    describe_thing,
)
from civitas_assets.export.selection import Query, Selection, iso_sql
from civitas_assets.export.terms import Conditions

ROWS = 1000  # observations of a body, where nothing else is said
_START, _END = "picked.phenomenon_start_at", "picked.phenomenon_end_at"
# What a Datastream needs, and an observation of it; texts would need another type of Datastream.
_IS_SERIES = "{of}.observed_property is not null"
_IS_NUMBER = "picked.value is not null and isfinite(picked.value)"
_COMPONENTS = b'"components":["phenomenonTime","resultTime","result","resultQuality"]'


@dataclass(frozen=True)
class SensorThings:
    """A line per Thing or Datastream to be posted, or per so many observations for `CreateObservations`."""

    unit: ClassVar[str] = "entities"

    rows: int = ROWS

    def build_query(self, selection: Selection) -> Query:
        """What each entity is made of.

        Raises:
            ExportError: SensorThings has nothing for the model.
        """
        match selection.model:
            case "station":
                streams = self._select(selection, "datastream")
                inner = streams.build_query(
                    _columns(streams), f" where {_IS_SERIES.format(of='picked')}", with_thing=False
                )
                rows = selection.build_query(_columns(selection), with_thing=False)
                return Query(
                    f"select thing.*, (select list(stream order by datastream_key) from ({inner.sql}) as stream"  # noqa: S608 - of ours
                    f" where stream.station_key = thing.station_key) as streams from ({rows.sql}) as thing",
                    rows.parameters,
                )
            case "datastream":
                where = f" where {_IS_SERIES.format(of='picked')}"
                return selection.build_query(_columns(selection), where, with_thing=False)
            case "observation":
                return selection.build_query(
                    f"picked.datastream_key, {_array_row_sql()} as content",
                    f" where {_IS_NUMBER} and {_IS_SERIES.format(of='picked')}"
                    f" order by picked.datastream_key, {_START}",
                    with_thing=False,
                )
        raise ExportError(
            f"{selection.model} is nothing that SensorThings has, so it cannot be exported so; export it as csv."
            " These can be: datastream, observation, station"
        )

    def write(self, batches: pa.RecordBatchReader, sink: BinaryIO, conditions: Conditions) -> Iterator[int]:
        """Write body after body; the entities of each, Things and Datastreams or observations."""
        if "content" in batches.schema.names:
            yield from self._write_arrays(batches, sink)
            return
        build = _build_thing if "streams" in batches.schema.names else _build_stream
        for batch in batches:
            rows = batch.to_pylist()
            sink.writelines(msgspec.json.encode(build(row)) + b"\n" for row in rows)
            yield len(rows)

    def _write_arrays(self, batches: pa.RecordBatchReader, sink: BinaryIO) -> Iterator[int]:
        rows = chain.from_iterable(
            zip(*(column.to_pylist() for column in batch), strict=True) for batch in batches
        )
        while part := [*islice(rows, self.rows)]:
            arrays = []
            for key, found in groupby(part, key=lambda row: row[0]):
                contents = [content.encode() for _, content in found]
                stream = msgspec.json.encode({"@iot.id": key})
                arrays.append(
                    b'{"Datastream":%b,%b,"dataArray@iot.count":%d,"dataArray":[%b]}'
                    % (stream, _COMPONENTS, len(contents), b",".join(contents))
                )
            sink.write(b"[" + b",".join(arrays) + b"]\n")
            yield len(part)

    @staticmethod
    def _select(selection: Selection, model: str) -> Selection:
        return Selection.from_models(selection.models, model, None, selection.conditions)


def _columns(selection: Selection) -> str:
    said = [f'{text} as "{name}"' for name, text in selection.said.items()]
    return ", ".join(["picked.*", *said])


def _array_row_sql() -> str:
    """SQL for a row of a data array as JSON; a span without length is an instant."""
    has_length = f"{_END} > {_START}"
    time = f"{iso_sql(_START)} || case when {has_length} then '/' || {iso_sql(_END)} else '' end"
    produced = iso_sql(f"coalesce(picked.result_at, {_END}, {_START})")
    quality = "to_json({'code': picked.quality_code})"
    return f"""'["' || {time} || '","' || {produced} || '",' || to_json(picked.value) || ',' || {quality} || ']'"""


def _build_thing(row: Mapping[str, Any]) -> dict[str, Any]:
    streams = [_build_stream(stream, with_thing=False) for stream in row["streams"] or ()]
    return _mark("Things", row, row["station_key"], {**describe_thing(row), "Datastreams": streams})


def _build_stream(row: Mapping[str, Any], *, with_thing: bool = True) -> dict[str, Any]:
    content = {
        **describe_stream(row),
        "Sensor": describe_sensor(row["sensor"] or "-"),
        "ObservedProperty": describe_property(row["observed_property"], {}),
    }
    if with_thing:
        content["Thing"] = {"@iot.id": row["station_key"]}
    return _mark("Datastreams", row, row["datastream_key"], content)


def _mark(entity_set: str, row: Mapping[str, Any], key: str, content: dict[str, Any]) -> dict[str, Any]:
    """The entity with its id and with the mark by which a sink finds it again."""
    mark = {MARK: build_mark(row["tenant"], entity_set, key)}
    return {"@iot.id": key, **content, "properties": {**content["properties"], **mark}}

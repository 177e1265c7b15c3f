"""From messages of MQTT to rows: what fills fields is in a message, around its rows, or in its topic.

How records in records become rows is in `mapping/levels.py`; a message is one of them, with its topic outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import polars as pl

from civitas_assets.connectors.content.nested_table import build_nested_table
from civitas_assets.connectors.mapping.levels import Level, build_level_rows, read_nested_level
from civitas_assets.connectors.mapping.nested_source import NestedSource
from civitas_assets.connectors.mqtt.mqtt_messages import TopicMessage, has_content
from civitas_assets.connectors.mqtt.mqtt_topics import TopicNames
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow, Note, RawTable
from civitas_assets.records.raw import ROW

RETAINED = "retained_message"


class _Numbered(NamedTuple):
    """A message, and its number in the payload."""

    row: int
    message: TopicMessage


def build_message_table(
    source: NestedSource, names: TopicNames, messages: Sequence[TopicMessage], *, has_retained: bool
) -> RawTable:
    """The rows of all messages; one that is no JSON, or not what the source says, is a rejected row.

    What a broker had kept as the last of its topic is left out where it has no time but that of receiving, because
    nobody knows since when it was so.
    """
    numbered = [_Numbered(row, message) for row, message in enumerate(messages, 1)]
    broken = [
        BrokenRow(n.row, "unreadable_message", n.message.unreadable, _text(n.message))
        for n in numbered
        if n.message.unreadable
    ]
    wanted, notes = [n for n in numbered if has_content(n.message)], list[Note]()
    if not has_retained:
        old = sum(n.message.retained for n in wanted)
        wanted = [n for n in wanted if not n.message.retained]
        if old:
            told = "retained by the broker and of an unknown time: left out, as time is that of receiving"
            notes.append(Note(RETAINED, f"{old} message(s) {told}"))
    try:
        return _table(source, names, wanted, broken, notes)
    except ReadError:
        fitting = _select_fitting(source, names, wanted, broken)
        return _table(source, names, fitting, broken, notes)


def _table(
    source: NestedSource,
    names: TopicNames,
    wanted: Sequence[_Numbered],
    broken: Sequence[BrokenRow],
    notes: Sequence[Note],
) -> RawTable:
    levels = _levels(source, names, wanted)
    table = build_nested_table(source, levels, broken, notes, is_stream=True)
    rows = pl.Series(ROW, [n.row for n in wanted], dtype=pl.Int64)
    for level in levels[1:]:
        rows = rows if level.parents is None else rows.gather(level.parents)
    frame = _exclude_silent(source, table.frame.with_columns(rows))
    return RawTable(table.record_type, frame, table.unknown_fields, table.broken, table.notes)


def _exclude_silent(source: NestedSource, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows without those that have nothing of what records are about.

    Devices send what has changed: a quantity that is not in a message has no other value than before.
    """
    measured = [name for name in source.measured if name in frame.columns]
    if not measured:
        return frame
    return frame.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in sorted(measured)))


def _levels(source: NestedSource, names: TopicNames, wanted: Sequence[_Numbered]) -> list[Level]:
    used = {*source.paths(0)}
    topics = [
        {name: text for name, text in names.resolve(n.message.topic).items() if name in used} for n in wanted
    ]
    bodies = Level(b"[" + b",".join(bytes(n.message.body) for n in wanted) + b"]")
    parents = pl.Series(range(len(wanted)), dtype=pl.UInt32)
    first = (
        read_nested_level(bodies, "@", keyed=True)
        if source.keyed[1]
        else Level(bodies.records, None, parents)
    )
    levels = [Level(msgspec.json.encode(topics)), first]
    for path, keyed in zip(source.levels[2:], source.keyed[2:], strict=True):
        levels.append(read_nested_level(levels[-1], path, keyed=keyed))
    return levels


def _select_fitting(
    source: NestedSource, names: TopicNames, wanted: Sequence[_Numbered], broken: list[BrokenRow]
) -> list[_Numbered]:
    """The messages that are what the source says, found by halving; the others become rejected rows."""
    try:
        build_level_rows(_levels(source, names, wanted), source.places)
    except ReadError as error:
        if len(wanted) == 1:
            broken.append(BrokenRow(wanted[0].row, "does_not_fit", str(error), _text(wanted[0].message)))
            return []
        half = len(wanted) // 2
        return [
            *_select_fitting(source, names, wanted[:half], broken),
            *_select_fitting(source, names, wanted[half:], broken),
        ]
    return [*wanted]


def _text(message: TopicMessage) -> str:
    return msgspec.json.encode(message).decode(errors="replace")

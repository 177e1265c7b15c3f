"""A table of records that lie in each other, with what is to be told of them.

Where the records are, and what fills which field, the source says.
"""

from __future__ import annotations

from collections.abc import Sequence

from civitas_assets.connectors.content.json_text import (
    collect_unread_members,
    decode_records,
    note_repeated_members,
)
from civitas_assets.connectors.mapping.levels import KEY, Level, build_level_rows
from civitas_assets.connectors.mapping.missing import MISSING_FIELD
from civitas_assets.connectors.mapping.nested_source import NestedSource
from civitas_assets.connectors.mapping.record_sample import (
    decode_texts,
    list_unmapped_members,
    note_missing_paths,
    read_first_texts,
)
from civitas_assets.errors import ReadError
from civitas_assets.records import BrokenRow, Note, RawTable


def build_nested_table(
    source: NestedSource,
    levels: Sequence[Level],
    broken: Sequence[BrokenRow] = (),
    notes: Sequence[Note] = (),
    *,
    is_stream: bool = False,
) -> RawTable:
    """A row per record of the innermost level; values keep their JSON type.

    In a stream, records are only those that came meanwhile: that none of them has what rows need is noted, and each
    is rejected for itself.

    Raises:
        ReadError: rows need what no record has, or a record is not what the source says.
    """
    frame = build_level_rows(levels, source.places)
    texts = [read_first_texts(level.records) for level in levels]
    samples = [*map(decode_texts, texts)]
    places = {
        name: [(place.path, samples[-1 - place.out]) for place in found if place.path != KEY]
        for name, found in source.places.items()
    }
    try:
        missing = note_missing_paths(source, frame, places)
    except ReadError as error:
        if not is_stream:
            raise
        missing = (Note(MISSING_FIELD, str(error)),)
    unknown = dict[str, None]()
    for depth, sample in enumerate(samples):
        unknown |= dict.fromkeys(list_unmapped_members(sample, source.looked_at(depth), source.ignore))
    if source.rest is not None:
        last = len(levels) - 1
        unknown = dict.fromkeys(name for name in unknown if last)
        records = decode_records(levels[last].records)
        rest = collect_unread_members(records, source.looked_at(last), source.ignore, source.nulls)
        frame = frame.with_columns(rest.alias(source.rest))
    twice = note_repeated_members(texts[-1])
    return RawTable(source.record_type, frame, tuple(unknown), tuple(broken), (*notes, *missing, *twice))

"""When records of a draft happened: the column of times, how they are written, and what else says when.

What times of a column look like is in `sample_columns.py`.
"""

from __future__ import annotations

import re
from typing import Any

from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.propose.concepts import has_hour, is_hour, select_times
from civitas_assets.propose.draft import Draft
from civitas_assets.propose.sample import shorten_names
from civitas_assets.propose.sample_columns import LOCAL, SampleColumn

_TIME_OF_DAY = re.compile(r"\d{1,2}:\d{2}(:\d{2})?")
_NEED_ONE = {"observation", "statistic"}
_OF_DAYS = {"observation", "statistic", "event"}


def propose_time_rule(draft: Draft) -> bool:
    """Give the draft its rule of time; where the data have none, the time of reception stands for it.

    False for records that mean nothing without a time of their own.
    """
    concepts, kind = draft.concepts, draft.kind.name
    if draft.contract.event_time is None:
        column = concepts.get("start_at") or concepts.get("end_at")
        if column is not None and kind == "event":
            _rule(draft, column)
        return True
    column = concepts.get("time")
    if kind == "statistic":
        column = concepts.get("period") or column
    clock = _clock(draft, column) if column is not None else None
    if column is not None and clock is not None:
        _rule_of_two(draft, column, *clock)
        return True
    if column is not None and kind not in _OF_DAYS and not has_hour(column):
        draft.note_doubt("time", f"{column.name} has days without an hour, which say too little of a status")
        column = None
    if column is None:
        if kind in _NEED_ONE:
            return False
        draft.settings["time"] = {"zone": "received"}
        draft.note_doubt("time", "nothing in it says when: the time of reception stands for it")
        return True
    _rule(draft, column)
    _offer_others(draft, column)
    return True


def _rule(draft: Draft, column: SampleColumn) -> None:
    written = column.written
    if written is None:
        return
    if column.name.startswith("^."):
        draft.settings |= draft.sample.reached
        draft.note_doubt("time", f"{column.name} stands beside the list and holds for all of it")
    rule: dict[str, Any] = {"column": column.name, "zone": written.zone}
    if written.format != "iso":
        rule["format"] = written.format
    if written.hour24:
        rule["hour24"] = True
    draft.settings["time"] = rule
    draft.used.append(column)
    if written.doubt:
        draft.note_doubt("time", written.doubt)


def _clock(draft: Draft, column: SampleColumn) -> tuple[SampleColumn, str] | None:
    """The column that has the time of day of a column of days, and how it is written."""
    model = CONNECTORS[draft.sample.connector].source_model
    if has_hour(column) or column.written is None or not getattr(model, "joins_times", False):
        return None
    for other in draft.sample.columns:
        if other.meant and all(_TIME_OF_DAY.fullmatch(text) for text in other.meant):
            seconds = all(text.count(":") == 2 for text in other.meant)
            return other, "%H:%M:%S" if seconds else "%H:%M"
        if is_hour(other):
            return other, "%H"
    return None


def _rule_of_two(draft: Draft, day: SampleColumn, clock: SampleColumn, form: str) -> None:
    written = day.written
    days = "%Y-%m-%d" if written is None or written.format == "iso" else written.format.partition(" ")[0]
    rule: dict[str, Any] = {
        "columns": [day.name, clock.name],
        "zone": "local_wall",
        "format": f"{days} {form}",
    }
    if any(text.startswith("24") for text in clock.meant):
        rule["hour24"] = True
    draft.settings["time"] = rule
    draft.used += [day, clock]
    draft.note_doubt("time", LOCAL)


def _offer_others(draft: Draft, column: SampleColumn) -> None:
    """Name the other columns that hold times, also those beside the list."""
    used = {*draft.fields.values()} if all(isinstance(v, str) for v in draft.fields.values()) else set()
    others = [
        other.name if not other.name.startswith("^.") else f"{other.name[2:]} (beside the list)"
        for other in [*select_times(draft.sample.columns), *select_times(draft.sample.outside)]
        if other.name != column.name and other.name not in used
    ]
    if others:
        draft.note_doubt("time", f"there are more times in it: {shorten_names(others)}")

"""What is written of an event: as Dagster writes it, without fields that say nothing, or what others say as well.

Dagster 1.13 writes every field of everything, and with each event the handles of its step and what loggers would be
told; its storages keep that for the run, the asset and the check, for good. What is left out here it takes for missing,
and shows the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import dagster as dg

from civitas_assets.defs.dagster_internals import serialize_value, sql_event_log

# By the names under which they are stored: fields that are None, or empty, where nothing is said of them.
_OPTIONAL: Mapping[str, frozenset[str]] = {
    "EventLogEntry": frozenset({"message", "pipeline_name", "step_key"}),
    "DagsterEvent": frozenset(
        {
            "event_specific_data",
            "logging_tags",
            "message",
            "solid_handle",
            "step_handle",
            "step_key",
            "step_kind_value",
        }
    ),
    "StepMaterializationData": frozenset({"asset_lineage"}),
    "AssetMaterialization": frozenset({"description", "partition", "tags"}),
    "AssetObservation": frozenset({"description", "partition", "tags"}),
    "AssetCheckEvaluation": frozenset(
        {"blocking", "description", "partition", "target_materialization_data"}
    ),
    "EventMetadataEntry": frozenset({"description"}),
}
_OF_ASSETS = {
    event.value
    for event in (
        dg.DagsterEventType.ASSET_CHECK_EVALUATION,
        dg.DagsterEventType.ASSET_MATERIALIZATION,
        dg.DagsterEventType.ASSET_OBSERVATION,
    )
}
# Of the step, whose own events say it, or made of the names of asset and check.
_SAID_ELSEWHERE = {"logging_tags", "message", "pid", "solid_handle", "step_handle", "step_kind_value"}

_last: tuple[object, str] = None, ""


def write_lean_events() -> None:
    """Have the storages of this process write events so, whichever they are."""
    sql_event_log.serialize_value = format_event  # type: ignore[assignment, attr-defined]


def format_event(value: Any, **options: Any) -> str:
    """What Dagster reads as the same.

    Its storages ask up to three times in a row for one event, which nobody can change: for the run, and for the check.
    """
    global _last  # noqa: PLW0603 - one value, of the event that was stored last
    if options:
        return serialize_value(value, **options)
    known, text = _last
    if known is not value:
        text = json.dumps(_lean(json.loads(serialize_value(value))), separators=(",", ":"))
        if isinstance(value, dg.EventLogEntry):
            _last = value, text
    return text


def _lean(found: Any) -> Any:
    if isinstance(found, list):
        return [_lean(one) for one in found]
    if not isinstance(found, dict):
        return found
    kind = found.get("__class__")
    if kind == "EventLogEntry" and (found["dagster_event"] or {}).get("event_type_value") in _OF_ASSETS:
        event = {name: held for name, held in found["dagster_event"].items() if name not in _SAID_ELSEWHERE}
        found = {**found, "user_message": "", "pipeline_name": None, "dagster_event": event}
    optional = _OPTIONAL.get(kind, frozenset()) if isinstance(kind, str) else frozenset()
    return {name: _lean(held) for name, held in found.items() if held or name not in optional}

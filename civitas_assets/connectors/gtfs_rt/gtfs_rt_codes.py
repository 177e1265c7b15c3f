"""Codes of GTFS-Realtime by their numbers, and what they are in records.

A number that is not here, and one that is not told, is no code: neither is ever taken for the default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from civitas_assets.errors import Note

TRIP_STATUS = {
    0: "scheduled", 1: "added", 2: "unscheduled", 3: "canceled", 5: "replacement", 6: "duplicated", 7: "deleted",
    8: "new",
}  # fmt: skip
DUPLICATED = 6  # runs as another trip does, under an id of its own
STOP_STATUS = {0: "scheduled", 1: "skipped", 2: "no_data", 3: "unscheduled"}
CAUSES = {
    1: "UNKNOWN_CAUSE", 2: "OTHER_CAUSE", 3: "TECHNICAL_PROBLEM", 4: "STRIKE", 5: "DEMONSTRATION", 6: "ACCIDENT",
    7: "HOLIDAY", 8: "WEATHER", 9: "MAINTENANCE", 10: "CONSTRUCTION", 11: "POLICE_ACTIVITY",
    12: "MEDICAL_EMERGENCY", 13: "SPECIAL_EVENT",
}  # fmt: skip
EFFECTS = {
    1: "NO_SERVICE", 2: "REDUCED_SERVICE", 3: "SIGNIFICANT_DELAYS", 4: "DETOUR", 5: "ADDITIONAL_SERVICE",
    6: "MODIFIED_SERVICE", 7: "OTHER_EFFECT", 8: "UNKNOWN_EFFECT", 9: "STOP_MOVED", 10: "NO_EFFECT",
    11: "ACCESSIBILITY_ISSUE",
}  # fmt: skip
SEVERITIES = {1: "UNKNOWN_SEVERITY", 2: "INFO", 3: "WARNING", 4: "SEVERE"}
# What an event is, by why it is; any other one is traffic of another kind.
EVENT_TYPES = {
    "ACCIDENT": "accident", "CONSTRUCTION": "roadworks", "SPECIAL_EVENT": "public_event", "WEATHER": "weather",
}  # fmt: skip
GRAVITY = {"INFO": "low", "WARNING": "medium", "SEVERE": "high"}


@dataclass
class Codes:
    """What numbers stand for, and which ones nobody knows."""

    unknown: dict[str, None] = field(default_factory=dict)

    def resolve(self, name: str, codes: Mapping[int, str], number: int | None) -> str | None:
        """The code; none where there is no number, or one that is not known."""
        if number is not None and number not in codes:
            self.unknown[f"{name} {number}"] = None
        return None if number is None else codes.get(number)

    def list_notes(self) -> tuple[Note, ...]:
        """A note of the numbers that are not known."""
        if not self.unknown:
            return ()
        return (Note("unknown_code", f"codes that nobody knows, left empty: {', '.join(self.unknown)}"),)

"""Events: what happens somewhere from one time to another, such as roadworks, closures, collections and meetings.

An event is told again while it changes; its current state counts.
"""

from civitas_assets.records.contract import GEOMETRY, Column, ColumnKind, RecordType

EVENT = RecordType(
    name="event",
    description="Something that happens at a place and a time.",
    columns=(
        Column("event_id", ColumnKind.TEXT, "Native id of the event.", required=True),
        Column(
            "event_type",
            ColumnKind.CODE,
            "Kind of event.",
            codes=(
                "roadworks", "closure", "accident", "congestion", "obstruction", "weather", "traffic_other",
                "public_event", "waste_collection", "meeting", "other",
            ),
        ),
        Column("event_type_native", ColumnKind.TEXT, "Kind of event as the publisher writes it."),
        Column("title", ColumnKind.TEXT, "Title in one line."),
        Column("description", ColumnKind.TEXT, "What the publisher says about it."),
        Column("start_at", ColumnKind.TIME, "When it starts."),
        Column("end_at", ColumnKind.TIME, "When it ends; empty while nobody knows."),
        Column(
            "severity", ColumnKind.CODE, "How grave it is.", codes=("lowest", "low", "medium", "high", "highest")
        ),
        Column("severity_native", ColumnKind.TEXT, "How grave it is as the publisher writes it."),
        Column(
            "status",
            ColumnKind.CODE,
            "Where it stands.",
            codes=("planned", "active", "suspended", "cancelled", "ended"),
        ),
        Column("status_native", ColumnKind.TEXT, "Where it stands as the publisher writes it."),
        Column("place_name", ColumnKind.TEXT, "Where it happens, in words."),
        Column("website", ColumnKind.TEXT, "Web address."),
        Column("changed_at", ColumnKind.TIME, "When the publisher last changed it."),
        Column("lon", ColumnKind.NUMBER, "Longitude, degrees WGS 84; of a point on it where it is larger."),
        Column("lat", ColumnKind.NUMBER, "Latitude, degrees WGS 84; of a point on it where it is larger."),
        GEOMETRY,
    ),
    key=("event_id",),
    validity=("start_at", "end_at"),
    position=("lon", "lat"),
)  # fmt: skip

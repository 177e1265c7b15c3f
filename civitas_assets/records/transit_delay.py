"""Transit delays: how a trip of public transport runs on a service day, as a whole and at each of its stops.

It is told again while the trip runs; its last state counts.
"""

from civitas_assets.records.contract import Column, ColumnKind, RecordType

TRANSIT_DELAY = RecordType(
    name="transit_delay",
    description="How a trip runs on a service day, as a whole or at one of its stops.",
    columns=(
        Column("trip_id", ColumnKind.TEXT, "Native id of the trip.", required=True),
        Column(
            "service_start",
            ColumnKind.TIME,
            "Start of the service day, midnight of the tenant.",
            required=True,
        ),
        Column(
            "stop_call",
            ColumnKind.TEXT,
            "Which stop of the trip: its number in it, or its id where there is none; * for the trip as a whole.",
            required=True,
        ),
        Column("route_id", ColumnKind.TEXT, "Native id of the route."),
        Column("stop_id", ColumnKind.TEXT, "Native id of the stop; empty for the trip as a whole."),
        Column("stop_sequence", ColumnKind.INTEGER, "Number of the stop in the trip.", minimum=0),
        Column(
            "status",
            ColumnKind.CODE,
            "How it runs: of the trip, or of the stop; empty while nobody says.",
            codes=(
                "scheduled", "added", "unscheduled", "canceled", "replacement", "duplicated", "deleted", "new",
                "skipped", "no_data",
            ),
        ),
        Column(
            "arrival_delay_s",
            ColumnKind.INTEGER,
            "Seconds by which the arrival is later than planned; negative: earlier.",
        ),
        Column("departure_delay_s", ColumnKind.INTEGER, "The same of the departure, or of the trip as a whole."),
        Column("arrival_at", ColumnKind.TIME, "When it arrives, or is expected to."),
        Column("departure_at", ColumnKind.TIME, "When it departs, or is expected to."),
    ),
    key=("trip_id", "service_start", "stop_call"),
    event_time="service_start",
    measures=("status", "arrival_delay_s", "departure_delay_s", "arrival_at", "departure_at"),
    grain=("trip", "service day", "stop"),
)  # fmt: skip

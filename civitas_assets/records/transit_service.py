"""Transit service: how often a route of public transport leaves a stop on a service day, as the timetable says.

A timetable is a plan: what really ran is not in it.
"""

from civitas_assets.records.contract import Column, ColumnKind, RecordType

TRANSIT_SERVICE = RecordType(
    name="transit_service",
    description="Departures of a route at a stop on a service day.",
    columns=(
        Column("stop_id", ColumnKind.TEXT, "Native id of the stop.", required=True),
        Column("route_id", ColumnKind.TEXT, "Native id of the route.", required=True),
        Column(
            "service_start",
            ColumnKind.TIME,
            "Start of the service day, midnight of the tenant.",
            required=True,
        ),
        Column(
            "departures",
            ColumnKind.INTEGER,
            "Planned departures; 0 where a day has none of any route at any stop.",
            minimum=0,
        ),
        Column(
            "first_departure_at", ColumnKind.TIME, "When the first of them is, where the timetable has times."
        ),
        Column(
            "last_departure_at",
            ColumnKind.TIME,
            "When the last of them is; it may be on the next calendar day.",
        ),
        Column(
            "timetable",
            ColumnKind.TEXT,
            "Digest of all that the source has for the day, which is told again as a whole when it changes.",
        ),
    ),
    key=("stop_id", "route_id", "service_start"),
    event_time="service_start",
    measures=("departures",),
    is_planned=True,
    grain=("stop", "route", "service day"),
)

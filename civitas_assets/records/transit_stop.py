"""Transit stops: where people board public transport, and the stations that such stops belong to.

What leaves them on a day is a transit service.
"""

from civitas_assets.records.contract import Column, ColumnKind, RecordType

TRANSIT_STOP = RecordType(
    name="transit_stop",
    description="A stop or station of public transport.",
    columns=(
        Column("stop_id", ColumnKind.TEXT, "Native id of the stop.", required=True),
        Column("name", ColumnKind.TEXT, "Name of the stop."),
        Column("code", ColumnKind.TEXT, "Short code that is written at the stop."),
        Column("description", ColumnKind.TEXT, "What the publisher says about it."),
        Column("platform", ColumnKind.TEXT, "Platform, such as G or 3."),
        Column(
            "stop_type",
            ColumnKind.CODE,
            "What of a station it is.",
            codes=("stop", "station", "entrance", "node", "boarding_area"),
        ),
        Column("parent_stop_id", ColumnKind.TEXT, "Native id of the station that it belongs to."),
        Column(
            "is_wheelchair_accessible",
            ColumnKind.BOOLEAN,
            "Whether some vehicles can be boarded in a wheelchair.",
        ),
        Column("fare_zone", ColumnKind.TEXT, "Fare zone."),
        Column("lon", ColumnKind.NUMBER, "Longitude, degrees WGS 84."),
        Column("lat", ColumnKind.NUMBER, "Latitude, degrees WGS 84."),
    ),
    key=("stop_id",),
    position=("lon", "lat"),
    described_events={"transit_service": "stop_id"},
)

"""Sharing stations: where shared vehicles are rented and returned.

How many are there at a time is a sharing status.
"""

from civitas_assets.records.contract import Column, ColumnKind, RecordType

SHARING_STATION = RecordType(
    name="sharing_station",
    description="A station of a sharing system.",
    columns=(
        Column("station_id", ColumnKind.TEXT, "Native id of the station.", required=True),
        Column("name", ColumnKind.TEXT, "Name of the station."),
        Column("address", ColumnKind.TEXT, "Postal address."),
        Column("capacity", ColumnKind.INTEGER, "Docking points in all.", minimum=0),
        Column("is_virtual", ColumnKind.BOOLEAN, "Whether it is an area without docking points."),
        Column("lon", ColumnKind.NUMBER, "Longitude, degrees WGS 84."),
        Column("lat", ColumnKind.NUMBER, "Latitude, degrees WGS 84."),
    ),
    key=("station_id",),
    has_versions=True,
    position=("lon", "lat"),
    described_events={"sharing_status": "station_id"},
)

"""Stations: where datastreams are measured.

A station's datastreams are records of their own.
"""

from civitas_assets.records.contract import Column, ColumnKind, RecordType

STATION = RecordType(
    name="station",
    description="A place or device at which something is observed.",
    columns=(
        Column("station_id", ColumnKind.TEXT, "Native id of the station.", required=True),
        Column("name", ColumnKind.TEXT, "Name of the station."),
        Column("description", ColumnKind.TEXT, "What the publisher says about it."),
        Column("lon", ColumnKind.NUMBER, "Longitude, degrees WGS 84."),
        Column("lat", ColumnKind.NUMBER, "Latitude, degrees WGS 84."),
        Column("elevation_m", ColumnKind.NUMBER, "Height above sea level in metres."),
        Column("operator", ColumnKind.TEXT, "Who runs it."),
    ),
    key=("station_id",),
    has_versions=True,
    position=("lon", "lat"),
)

"""Stations: where datastreams are measured.

A station's datastreams are records of their own.
"""

from civitas_assets.records.contract import Column, Kind, RecordType

STATION = RecordType(
    name="station",
    description="A place or device at which something is observed.",
    columns=(
        Column("station_id", Kind.TEXT, "Native id of the station.", required=True),
        Column("name", Kind.TEXT, "Name of the station."),
        Column("description", Kind.TEXT, "What the publisher says about it."),
        Column("lon", Kind.NUMBER, "Longitude, degrees WGS 84."),
        Column("lat", Kind.NUMBER, "Latitude, degrees WGS 84."),
        Column("elevation_m", Kind.NUMBER, "Height above sea level in metres."),
        Column("operator", Kind.TEXT, "Who runs it."),
    ),
    key=("station_id",),
    position=("lon", "lat"),
)

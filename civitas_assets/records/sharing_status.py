"""Sharing status: how many vehicles and docking points a sharing station had at a time.

Single vehicles are never recorded.
"""

from civitas_assets.records.contract import Column, ColumnKind, RecordType

SHARING_STATUS = RecordType(
    name="sharing_status",
    description="Availability at one sharing station at one time.",
    columns=(
        Column("station_id", ColumnKind.TEXT, "Native id of the station.", required=True),
        Column("observed_at", ColumnKind.TIME, "When the numbers were true.", required=True),
        Column("vehicles_available", ColumnKind.INTEGER, "Vehicles that can be rented.", minimum=0),
        Column(
            "vehicles_disabled",
            ColumnKind.INTEGER,
            "Vehicles that are there and cannot be rented.",
            minimum=0,
        ),
        Column("docks_available", ColumnKind.INTEGER, "Docking points that can take a vehicle.", minimum=0),
        Column("docks_disabled", ColumnKind.INTEGER, "Docking points that are out of order.", minimum=0),
        Column("is_installed", ColumnKind.BOOLEAN, "Whether the station is on the street."),
        Column("is_renting", ColumnKind.BOOLEAN, "Whether vehicles are rented."),
        Column("is_returning", ColumnKind.BOOLEAN, "Whether vehicles are taken back."),
    ),
    key=("station_id", "observed_at"),
    grain=("sharing station", "time of observation"),
    event_time="observed_at",
    measures=("vehicles_available", "docks_available", "is_renting", "is_returning"),
)

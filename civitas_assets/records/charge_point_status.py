"""Charge point status: whether a vehicle could be charged at a point at a time.

The codes are those of OCPI in lower case.
"""

from civitas_assets.records.contract import Column, ColumnKind, RecordType

CHARGE_POINT_STATUS = RecordType(
    name="charge_point_status",
    description="Availability of one charge point at one time.",
    columns=(
        Column("charge_point_id", ColumnKind.TEXT, "Native id of the point or installation.", required=True),
        Column("observed_at", ColumnKind.TIME, "When the status was true.", required=True),
        Column(
            "status",
            ColumnKind.CODE,
            "Whether it can be used.",
            codes=(
                "available", "charging", "reserved", "blocked", "out_of_order", "inoperative", "planned",
                "removed", "unknown",
            ),
        ),
        Column("status_native", ColumnKind.TEXT, "Status as the publisher writes it."),
        Column("points_available", ColumnKind.INTEGER, "Free points of an installation.", minimum=0),
    ),
    key=("charge_point_id", "observed_at"),
    grain=("charge point", "time of observation"),
    event_time="observed_at",
    measures=("status", "points_available"),
)  # fmt: skip

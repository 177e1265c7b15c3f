"""Charge points: where electric vehicles are charged, as far down as the publisher tells them apart.

Whether one is free at a time is a charge point status.
"""

from civitas_assets.records.contract import Column, ColumnKind, RecordType

CHARGE_POINT = RecordType(
    name="charge_point",
    description="A point, or an installation of several points, where electric vehicles are charged.",
    columns=(
        Column("charge_point_id", ColumnKind.TEXT, "Native id of the point or installation.", required=True),
        Column("evse_id", ColumnKind.TEXT, "Id by the rules of eMI3, as the publisher writes it."),
        Column(
            "installation_id", ColumnKind.TEXT, "Native id of the installation that the point belongs to."
        ),
        Column("name", ColumnKind.TEXT, "Name of the point or installation."),
        Column("operator", ColumnKind.TEXT, "Who runs it."),
        Column("points", ColumnKind.INTEGER, "Vehicles that can be charged at the same time.", minimum=0),
        Column("power_kw", ColumnKind.NUMBER, "Rated power in kilowatt.", minimum=0),
        Column(
            "current_type", ColumnKind.CODE, "Alternating or direct current.", codes=("ac", "dc", "ac_dc")
        ),
        Column(
            "current_type_native",
            ColumnKind.TEXT,
            "Kind of current or installation as the publisher writes it.",
        ),
        Column("plug_types", ColumnKind.TEXT, "Plugs and sockets as the publisher writes them."),
        Column("commissioned_on", ColumnKind.DATE, "Day of commissioning."),
        Column(
            "register_status",
            ColumnKind.CODE,
            "Whether it is in operation, by a register.",
            codes=("in_operation", "in_maintenance", "planned", "decommissioned", "unknown"),
        ),
        Column("register_status_native", ColumnKind.TEXT, "The register's word for it."),
        Column("street", ColumnKind.TEXT, "Street."),
        Column("house_number", ColumnKind.TEXT, "House number."),
        Column("postcode", ColumnKind.TEXT, "Postal code."),
        Column("city", ColumnKind.TEXT, "Town."),
        Column("opening_hours", ColumnKind.TEXT, "Opening hours as published."),
        Column("payment", ColumnKind.TEXT, "How it can be paid for, as published."),
        Column("lon", ColumnKind.NUMBER, "Longitude, degrees WGS 84."),
        Column("lat", ColumnKind.NUMBER, "Latitude, degrees WGS 84."),
    ),
    key=("charge_point_id",),
    has_versions=True,
    position=("lon", "lat"),
    described_events={"charge_point_status": "charge_point_id"},
)

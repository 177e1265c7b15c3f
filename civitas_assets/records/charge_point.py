"""Charge points: where electric vehicles are charged, as far down as the publisher tells them apart.

Whether one is free at a time is a charge point status.
"""

from civitas_assets.records.contract import Column, Kind, RecordType

CHARGE_POINT = RecordType(
    name="charge_point",
    description="A point, or an installation of several points, where electric vehicles are charged.",
    columns=(
        Column("charge_point_id", Kind.TEXT, "Native id of the point or installation.", required=True),
        Column("evse_id", Kind.TEXT, "Id by the rules of eMI3, as the publisher writes it."),
        Column("installation_id", Kind.TEXT, "Native id of the installation that the point belongs to."),
        Column("name", Kind.TEXT, "Name of the point or installation."),
        Column("operator", Kind.TEXT, "Who runs it."),
        Column("points", Kind.INTEGER, "Vehicles that can be charged at the same time.", minimum=0),
        Column("power_kw", Kind.NUMBER, "Rated power in kilowatt.", minimum=0),
        Column("current_type", Kind.CODE, "Alternating or direct current.", codes=("ac", "dc", "ac_dc")),
        Column(
            "current_type_native", Kind.TEXT, "Kind of current or installation as the publisher writes it."
        ),
        Column("plug_types", Kind.TEXT, "Plugs and sockets as the publisher writes them."),
        Column("commissioned_on", Kind.DATE, "Day of commissioning."),
        Column(
            "register_status",
            Kind.CODE,
            "Whether it is in operation, by a register.",
            codes=("in_operation", "in_maintenance", "planned", "decommissioned", "unknown"),
        ),
        Column("register_status_native", Kind.TEXT, "The register's word for it."),
        Column("street", Kind.TEXT, "Street."),
        Column("house_number", Kind.TEXT, "House number."),
        Column("postcode", Kind.TEXT, "Postal code."),
        Column("city", Kind.TEXT, "Town."),
        Column("opening_hours", Kind.TEXT, "Opening hours as published."),
        Column("payment", Kind.TEXT, "How it can be paid for, as published."),
        Column("lon", Kind.NUMBER, "Longitude, degrees WGS 84."),
        Column("lat", Kind.NUMBER, "Latitude, degrees WGS 84."),
    ),
    key=("charge_point_id",),
    position=("lon", "lat"),
    described_events={"charge_point_status": "charge_point_id"},
)

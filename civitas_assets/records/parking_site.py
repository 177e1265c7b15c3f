"""Parking sites: where vehicles can be parked, and how many.

Occupancy at a time is a parking status.
"""

from civitas_assets.records.contract import Column, ColumnKind, RecordType

PARKING_SITE = RecordType(
    name="parking_site",
    description="A place with parking spaces.",
    columns=(
        Column("site_id", ColumnKind.TEXT, "Native id of the site.", required=True),
        Column("name", ColumnKind.TEXT, "Name of the site."),
        Column(
            "purpose",
            ColumnKind.CODE,
            "What is parked.",
            codes=("car", "bicycle", "motorcycle", "bus", "truck"),
        ),
        Column(
            "site_type",
            ColumnKind.CODE,
            "Kind of site.",
            codes=("car_park", "underground", "off_street", "on_street", "park_and_ride", "other"),
        ),
        Column("site_type_native", ColumnKind.TEXT, "Kind of site as the publisher writes it."),
        Column("capacity", ColumnKind.INTEGER, "Spaces in all.", minimum=0),
        Column("capacity_disabled", ColumnKind.INTEGER, "Spaces for disabled persons.", minimum=0),
        Column("max_height_cm", ColumnKind.INTEGER, "Clearance in centimetres.", minimum=1),
        Column("has_fee", ColumnKind.BOOLEAN, "Whether parking costs something."),
        Column("is_park_and_ride", ColumnKind.BOOLEAN, "Whether it serves changing to public transport."),
        Column("address", ColumnKind.TEXT, "Postal address."),
        Column("operator", ColumnKind.TEXT, "Who runs it."),
        Column("opening_hours", ColumnKind.TEXT, "Opening hours as published."),
        Column("lon", ColumnKind.NUMBER, "Longitude, degrees WGS 84."),
        Column("lat", ColumnKind.NUMBER, "Latitude, degrees WGS 84."),
    ),
    key=("site_id",),
    has_versions=True,
    position=("lon", "lat"),
    described_events={"parking_status": "site_id"},
)

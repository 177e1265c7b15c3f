"""Parking sites: where vehicles can be parked, and how many.

Occupancy at a time is a parking status.
"""

from civitas_assets.records.contract import Column, Kind, RecordType

PARKING_SITE = RecordType(
    name="parking_site",
    description="A place with parking spaces.",
    columns=(
        Column("site_id", Kind.TEXT, "Native id of the site.", required=True),
        Column("name", Kind.TEXT, "Name of the site."),
        Column(
            "purpose", Kind.CODE, "What is parked.", codes=("car", "bicycle", "motorcycle", "bus", "truck")
        ),
        Column(
            "site_type",
            Kind.CODE,
            "Kind of site.",
            codes=("car_park", "underground", "off_street", "on_street", "park_and_ride", "other"),
        ),
        Column("site_type_native", Kind.TEXT, "Kind of site as the publisher writes it."),
        Column("capacity", Kind.INTEGER, "Spaces in all.", minimum=0),
        Column("capacity_disabled", Kind.INTEGER, "Spaces for disabled persons.", minimum=0),
        Column("max_height_cm", Kind.INTEGER, "Clearance in centimetres.", minimum=1),
        Column("has_fee", Kind.BOOLEAN, "Whether parking costs something."),
        Column("is_park_and_ride", Kind.BOOLEAN, "Whether it serves changing to public transport."),
        Column("address", Kind.TEXT, "Postal address."),
        Column("operator", Kind.TEXT, "Who runs it."),
        Column("opening_hours", Kind.TEXT, "Opening hours as published."),
        Column("lon", Kind.NUMBER, "Longitude, degrees WGS 84."),
        Column("lat", Kind.NUMBER, "Latitude, degrees WGS 84."),
    ),
    key=("site_id",),
    position=("lon", "lat"),
    described_events={"parking_status": "site_id"},
)

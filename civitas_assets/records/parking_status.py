"""Parking status: how full a site was at a time.

The same source often carries the site as well; the site is a record of its own.
"""

from civitas_assets.records.contract import Column, Companion, Kind, RecordType

PARKING_STATUS = RecordType(
    name="parking_status",
    description="Occupancy of one parking site at one time.",
    columns=(
        Column("site_id", Kind.TEXT, "Native id of the site.", required=True),
        Column("observed_at", Kind.TIME, "When the occupancy was true.", required=True),
        Column("free", Kind.INTEGER, "Free spaces.", minimum=0),
        Column("occupied", Kind.INTEGER, "Occupied spaces.", minimum=0),
        Column("capacity", Kind.INTEGER, "Spaces that count at this time.", minimum=0),
        Column("opening_status", Kind.CODE, "Whether the site is open.", codes=("open", "closed", "unknown")),
        Column("opening_status_native", Kind.TEXT, "Opening status as the publisher writes it."),
    ),
    key=("site_id", "observed_at"),
    event_time="observed_at",
    measures=("free", "occupied", "opening_status"),
    position=("lon", "lat"),
    carried=(
        Column("name", Kind.TEXT, "Name of the site."),
        Column("lon", Kind.NUMBER, "Longitude of the site, degrees WGS 84."),
        Column("lat", Kind.NUMBER, "Latitude of the site, degrees WGS 84."),
        Column(
            "site_type",
            Kind.CODE,
            "Kind of site.",
            codes=("car_park", "underground", "off_street", "on_street", "park_and_ride", "other"),
        ),
        Column("site_type_native", Kind.TEXT, "Kind of site as the publisher writes it."),
    ),
    companions=(
        Companion(
            "parking_site",
            {
                "site_id": "site_id",
                "name": "name",
                "capacity": "capacity",
                "lon": "lon",
                "lat": "lat",
                "site_type": "site_type",
                "site_type_native": "site_type_native",
            },
        ),
    ),
)

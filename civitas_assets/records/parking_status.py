"""Parking status: how full a site was at a time.

The same source often carries the site as well; the site is a record of its own.
"""

from civitas_assets.records.contract import Column, ColumnKind, Companion, RecordType

PARKING_STATUS = RecordType(
    name="parking_status",
    description="Occupancy of one parking site at one time.",
    columns=(
        Column("site_id", ColumnKind.TEXT, "Native id of the site.", required=True),
        Column("observed_at", ColumnKind.TIME, "When the occupancy was true.", required=True),
        Column("free", ColumnKind.INTEGER, "Free spaces.", minimum=0),
        Column("occupied", ColumnKind.INTEGER, "Occupied spaces.", minimum=0),
        Column("capacity", ColumnKind.INTEGER, "Spaces that count at this time.", minimum=0),
        Column(
            "opening_status",
            ColumnKind.CODE,
            "Whether the site is open.",
            codes=("open", "closed", "unknown"),
        ),
        Column("opening_status_native", ColumnKind.TEXT, "Opening status as the publisher writes it."),
    ),
    key=("site_id", "observed_at"),
    grain=("parking site", "time of observation"),
    event_time="observed_at",
    measures=("free", "occupied", "opening_status"),
    position=("lon", "lat"),
    carried=(
        Column("name", ColumnKind.TEXT, "Name of the site."),
        Column("lon", ColumnKind.NUMBER, "Longitude of the site, degrees WGS 84."),
        Column("lat", ColumnKind.NUMBER, "Latitude of the site, degrees WGS 84."),
        Column(
            "site_type",
            ColumnKind.CODE,
            "Kind of site.",
            codes=("car_park", "underground", "off_street", "on_street", "park_and_ride", "other"),
        ),
        Column("site_type_native", ColumnKind.TEXT, "Kind of site as the publisher writes it."),
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

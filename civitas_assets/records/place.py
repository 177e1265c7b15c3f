"""Places: what can be found at a location, such as a container, a playground, a stop or a public building.

Places that have a record type of their own, such as parking sites, are not repeated here.
"""

from civitas_assets.records.contract import GEOMETRY, Column, ColumnKind, RecordType

PLACE = RecordType(
    name="place",
    description="Something that the public can find at a place.",
    columns=(
        Column("place_id", ColumnKind.TEXT, "Native id of the place.", required=True),
        Column("category", ColumnKind.TEXT, "What kind of place it is, in the publisher's words."),
        Column("name", ColumnKind.TEXT, "Name of the place."),
        Column("description", ColumnKind.TEXT, "What the publisher says about it."),
        Column("address", ColumnKind.TEXT, "Street and number, or whole postal address."),
        Column("postcode", ColumnKind.TEXT, "Postal code."),
        Column("city", ColumnKind.TEXT, "Town or district."),
        Column("operator", ColumnKind.TEXT, "Who runs it."),
        Column("opening_hours", ColumnKind.TEXT, "Opening hours as published."),
        Column("website", ColumnKind.TEXT, "Web address."),
        Column(
            "attributes", ColumnKind.TEXT, "Whatever else is known of it, as a JSON object.", is_object=True
        ),
        Column("lon", ColumnKind.NUMBER, "Longitude, degrees WGS 84; of a point within where it is larger."),
        Column("lat", ColumnKind.NUMBER, "Latitude, degrees WGS 84; of a point within where it is larger."),
        GEOMETRY,
    ),
    key=("place_id",),
    position=("lon", "lat"),
)

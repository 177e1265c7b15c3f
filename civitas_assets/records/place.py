"""Places: what can be found at a location, such as a container, a playground, a stop or a public building.

Places that have a record type of their own, such as parking sites, are not repeated here.
"""

from civitas_assets.records.contract import GEOMETRY, Column, Kind, RecordType

PLACE = RecordType(
    name="place",
    description="Something that the public can find at a place.",
    columns=(
        Column("place_id", Kind.TEXT, "Native id of the place.", required=True),
        Column("category", Kind.TEXT, "What kind of place it is, in the publisher's words."),
        Column("name", Kind.TEXT, "Name of the place."),
        Column("description", Kind.TEXT, "What the publisher says about it."),
        Column("address", Kind.TEXT, "Street and number, or whole postal address."),
        Column("postcode", Kind.TEXT, "Postal code."),
        Column("city", Kind.TEXT, "Town or district."),
        Column("operator", Kind.TEXT, "Who runs it."),
        Column("opening_hours", Kind.TEXT, "Opening hours as published."),
        Column("website", Kind.TEXT, "Web address."),
        Column("attributes", Kind.TEXT, "Whatever else is known of it, as a JSON object.", is_object=True),
        Column("lon", Kind.NUMBER, "Longitude, degrees WGS 84; of a point within where it is larger."),
        Column("lat", Kind.NUMBER, "Latitude, degrees WGS 84; of a point within where it is larger."),
        GEOMETRY,
    ),
    key=("place_id",),
    position=("lon", "lat"),
)

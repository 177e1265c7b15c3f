"""Area features: areas and lines of a municipality, such as districts, protected areas, plans and routes.

What happens there at a time is an event.
"""

from civitas_assets.records.contract import GEOMETRY, Column, ColumnKind, RecordType

AREA_FEATURE = RecordType(
    name="area_feature",
    description="An area or a line that a municipality keeps.",
    columns=(
        Column("feature_id", ColumnKind.TEXT, "Native id of the feature.", required=True),
        Column("feature_class", ColumnKind.TEXT, "What kind of feature it is, in the publisher's words."),
        Column("name", ColumnKind.TEXT, "Name of the feature."),
        Column("description", ColumnKind.TEXT, "What the publisher says about it."),
        Column("valid_from", ColumnKind.DATE, "First day of its validity."),
        Column("valid_to", ColumnKind.DATE, "Last day of its validity."),
        Column(
            "attributes", ColumnKind.TEXT, "Whatever else is known of it, as a JSON object.", is_object=True
        ),
        Column("lon", ColumnKind.NUMBER, "Longitude of a point within, degrees WGS 84."),
        Column("lat", ColumnKind.NUMBER, "Latitude of a point within, degrees WGS 84."),
        GEOMETRY,
    ),
    key=("feature_id",),
    validity=("valid_from", "valid_to"),
    position=("lon", "lat"),
)

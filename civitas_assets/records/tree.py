"""Trees that a register counts, such as those of streets, parks and cemeteries, with what was measured of them.

A place for anything else that the public finds somewhere is `place`.
"""

from civitas_assets.records.contract import Column, ColumnKind, RecordType

_UNMEASURED = (0,)  # of a size: registers write it where nobody has measured

TREE = RecordType(
    name="tree",
    description="A tree, as a register has it.",
    columns=(
        Column("tree_id", ColumnKind.TEXT, "Native id of the tree.", required=True),
        Column(
            "tree_number",
            ColumnKind.TEXT,
            "Number of the register, as on the tag of the tree; often counted anew in each street.",
        ),
        Column("species", ColumnKind.TEXT, "Botanical name, as far as the register has it."),
        Column("species_common", ColumnKind.TEXT, "Common name, in the publisher's language."),
        Column("genus", ColumnKind.TEXT, "Botanical name of the genus."),
        Column("cultivar", ColumnKind.TEXT, "Cultivar, where the register has it apart."),
        Column(
            "planted_year", ColumnKind.INTEGER, "Year in which it was planted.", minimum=1000, maximum=2100,
            unknown=(0, 9999),
        ),
        Column("height_m", ColumnKind.NUMBER, "Height in metres.", minimum=0, maximum=100, unknown=_UNMEASURED),
        Column("height_class", ColumnKind.TEXT, "Height as a class, as in 10-15 m, where it is written as one."),
        Column(
            "crown_diameter_m", ColumnKind.NUMBER, "Diameter of the crown in metres.", minimum=0, maximum=60,
            unknown=_UNMEASURED,
        ),
        Column(
            "crown_diameter_class", ColumnKind.TEXT,
            "Diameter of the crown as a class, as in 4-6 m, where it is written as one.",
        ),
        Column(
            "trunk_circumference_cm", ColumnKind.NUMBER,
            "Circumference of the trunk in centimetres, of several trunks as the register adds or chooses them.",
            minimum=0, maximum=3000, unknown=_UNMEASURED,
        ),
        Column(
            "trunk_circumference_class", ColumnKind.TEXT,
            "Circumference of the trunk as a class, as in 50-100 cm, where it is written as one.",
        ),
        Column(
            "trunk_diameter_cm", ColumnKind.NUMBER,
            "Diameter of the trunk in centimetres, where the register has it; never worked out.",
            minimum=0, maximum=1000, unknown=_UNMEASURED,
        ),
        Column(
            "trunk_diameter_class", ColumnKind.TEXT, "Diameter of the trunk as a class, where it is written as one."
        ),
        Column("stems", ColumnKind.INTEGER, "Stems of the tree.", minimum=1, unknown=_UNMEASURED),
        Column(
            "location_type", ColumnKind.CODE, "Where it stands.",
            codes=(
                "street", "park", "cemetery", "school", "playground", "sports_ground", "allotment", "forest",
                "waterside", "other",
            ),
        ),
        Column("location_type_native", ColumnKind.TEXT, "The register's word for it."),
        Column("street", ColumnKind.TEXT, "Street or green space in which it stands."),
        Column("house_number", ColumnKind.TEXT, "House number next to which it stands."),
        Column("district", ColumnKind.TEXT, "District or quarter."),
        Column("operator", ColumnKind.TEXT, "Office that looks after it."),
        Column("felled_on", ColumnKind.DATE, "Day on which it was felled; empty while it stands."),
        Column("attributes", ColumnKind.TEXT, "Whatever else is known of it, as a JSON object.", is_object=True),
        Column("lon", ColumnKind.NUMBER, "Longitude, degrees WGS 84."),
        Column("lat", ColumnKind.NUMBER, "Latitude, degrees WGS 84."),
    ),
    key=("tree_id",),
    position=("lon", "lat"),
)  # fmt: skip

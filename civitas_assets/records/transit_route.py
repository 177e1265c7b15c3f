"""Transit routes: lines of public transport as passengers know them, such as bus 4 or S1.

How often a route leaves a stop on a day is a transit service.
"""

from civitas_assets.records.contract import Column, ColumnKind, RecordType

TRANSIT_ROUTE = RecordType(
    name="transit_route",
    description="A line of public transport.",
    columns=(
        Column("route_id", ColumnKind.TEXT, "Native id of the route.", required=True),
        Column("short_name", ColumnKind.TEXT, "Number or short name, such as 4 or S1."),
        Column("long_name", ColumnKind.TEXT, "Name in words, often with where it goes."),
        Column("description", ColumnKind.TEXT, "What the publisher says about it."),
        Column(
            "mode",
            ColumnKind.CODE,
            "Kind of vehicle.",
            codes=(
                "tram", "subway", "rail", "bus", "ferry", "cable_tram", "aerial_lift", "funicular", "trolleybus",
                "monorail", "coach", "air", "taxi", "other",
            ),
        ),
        Column("mode_native", ColumnKind.TEXT, "Kind of vehicle as the publisher writes it."),
        Column("operator", ColumnKind.TEXT, "Who runs it."),
        Column("color", ColumnKind.TEXT, "Colour of its line on maps, six hexadecimal digits."),
        Column("text_color", ColumnKind.TEXT, "Colour of text on that colour, six hexadecimal digits."),
    ),
    key=("route_id",),
    described_events={"transit_service": "route_id"},
)  # fmt: skip

"""Statistics: one figure of one indicator for one area and one period, such as a year's emissions of a town.

What is measured by a device is an observation.
"""

from civitas_assets.records.contract import Column, ColumnKind, RecordType

STATISTIC = RecordType(
    name="statistic",
    description="One figure of an indicator for an area and a period.",
    columns=(
        Column("indicator_id", ColumnKind.TEXT, "Native code or name of the indicator.", required=True),
        Column("area_id", ColumnKind.TEXT, "Native code or name of the area.", required=True),
        Column("period_start", ColumnKind.TIME, "Start of the period.", required=True),
        Column("period_end", ColumnKind.TIME, "End of the period, which is the start of the next one."),
        Column("category", ColumnKind.TEXT, "Topic or table that the indicator belongs to.", required=True),
        Column("indicator", ColumnKind.TEXT, "The indicator in words, where its code is none."),
        Column("value", ColumnKind.NUMBER, "The figure in its native unit."),
        Column("value_text", ColumnKind.TEXT, "The figure where it is not a number."),
        Column("unit", ColumnKind.TEXT, "Unit as the publisher writes it."),
        Column("publisher", ColumnKind.TEXT, "Office or institution that the figure comes from."),
    ),
    key=("category", "indicator_id", "area_id", "period_start"),
    grain=("category", "indicator", "area", "period"),
    event_time="period_start",
    interval_end="period_end",
    measures=("value", "value_text"),
)

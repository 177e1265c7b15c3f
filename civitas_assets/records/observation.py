"""Observations: one measured value of one datastream at one time.

Unit and property may come with the value or with the datastream; neither is converted here.
"""

from civitas_assets.records.contract import Column, ColumnKind, Companion, RecordType

_DATASTREAM = (
    Column("station_id", ColumnKind.TEXT, "Native id of the station that the datastream belongs to."),
    Column("datastream_name", ColumnKind.TEXT, "Name of the datastream."),
    Column("station_name", ColumnKind.TEXT, "Name of the station."),
    Column("lon", ColumnKind.NUMBER, "Longitude of the station, degrees WGS 84."),
    Column("lat", ColumnKind.NUMBER, "Latitude of the station, degrees WGS 84."),
)

OBSERVATION = RecordType(
    name="observation",
    description="One value of one datastream at one phenomenon time.",
    columns=(
        Column("datastream_id", ColumnKind.TEXT, "Native id of the datastream.", required=True),
        Column(
            "phenomenon_start",
            ColumnKind.TIME,
            "Start of the time that the value stands for.",
            required=True,
            staged_as="phenomenon_start_at",
        ),
        Column(
            "phenomenon_end",
            ColumnKind.TIME,
            "End of that time; equal to the start for an instant.",
            staged_as="phenomenon_end_at",
        ),
        Column(
            "time_flag",
            ColumnKind.CODE,
            "How a wall-clock time that occurs twice was read, or that a clock shows which nobody has set.",
            codes=("fold_first", "fold_second", "fold_by_order", "fold_summed", "clock_unset"),
        ),
        Column(
            "result_time", ColumnKind.TIME, "When the publisher produced the value.", staged_as="result_at"
        ),
        Column("value", ColumnKind.NUMBER, "The value in its native unit.", staged_as="value_native"),
        Column("value_text", ColumnKind.TEXT, "The value where it is not a number."),
        Column(
            "value_flag",
            ColumnKind.CODE,
            "Why there is no value, where the data say so.",
            codes=("sentinel",),
        ),
        Column(
            "observed_property",
            ColumnKind.TEXT,
            "Native name or code of the property, where the value carries it.",
            staged_as="observed_property_native",
        ),
        Column("unit", ColumnKind.TEXT, "Native unit, where the value carries it.", staged_as="unit_native"),
        Column("quality_native", ColumnKind.TEXT, "The publisher's own quality mark."),
    ),
    key=("datastream_id", "phenomenon_start"),
    grain=("datastream", "start of the phenomenon time"),
    event_time="phenomenon_start",
    interval_end="phenomenon_end",
    measures=("value", "value_text"),
    position=("lon", "lat"),
    carried=_DATASTREAM,
    companions=(
        Companion(
            "datastream",
            {
                "datastream_id": "datastream_id",
                "station_id": "station_id",
                "name": "datastream_name",
                "observed_property": "observed_property",
                "unit": "unit",
            },
        ),
        Companion(
            "station", {"station_id": "station_id", "name": "station_name", "lon": "lon", "lat": "lat"}
        ),
    ),
)

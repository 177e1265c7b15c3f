"""Observations: one measured value of one datastream at one time.

Unit and property may come with the value or with the datastream; neither is converted here.
"""

from civitas_assets.records.contract import Column, Companion, Kind, RecordType

_DATASTREAM = (
    Column("station_id", Kind.TEXT, "Native id of the station that the datastream belongs to."),
    Column("datastream_name", Kind.TEXT, "Name of the datastream."),
    Column("station_name", Kind.TEXT, "Name of the station."),
    Column("lon", Kind.NUMBER, "Longitude of the station, degrees WGS 84."),
    Column("lat", Kind.NUMBER, "Latitude of the station, degrees WGS 84."),
)

OBSERVATION = RecordType(
    name="observation",
    description="One value of one datastream at one phenomenon time.",
    columns=(
        Column("datastream_id", Kind.TEXT, "Native id of the datastream.", required=True),
        Column("phenomenon_start", Kind.TIME, "Start of the time that the value stands for.", required=True),
        Column("phenomenon_end", Kind.TIME, "End of that time; equal to the start for an instant."),
        Column(
            "time_flag",
            Kind.CODE,
            "How a wall-clock time that occurs twice was read, or that a clock shows which nobody has set.",
            codes=("fold_first", "fold_second", "fold_by_order", "fold_summed", "clock_unset"),
        ),
        Column("result_time", Kind.TIME, "When the publisher produced the value."),
        Column("value", Kind.NUMBER, "The value in its native unit."),
        Column("value_text", Kind.TEXT, "The value where it is not a number."),
        Column(
            "value_flag",
            Kind.CODE,
            "Why there is no value, where the data say so.",
            codes=("sentinel",),
        ),
        Column(
            "observed_property", Kind.TEXT, "Native name or code of the property, where the value carries it."
        ),
        Column("unit", Kind.TEXT, "Native unit, where the value carries it."),
        Column("quality_native", Kind.TEXT, "The publisher's own quality mark."),
    ),
    key=("datastream_id", "phenomenon_start"),
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

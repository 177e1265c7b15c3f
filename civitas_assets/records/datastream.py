"""Datastreams: one property measured at one station by one procedure.

Property and unit stay as the publisher writes them; the seeds of the dbt project know what they mean.
"""

from civitas_assets.records.contract import Column, ColumnKind, RecordType

DATASTREAM = RecordType(
    name="datastream",
    description="A series of observations of one property at one station.",
    columns=(
        Column("datastream_id", ColumnKind.TEXT, "Native id of the datastream.", required=True),
        Column("station_id", ColumnKind.TEXT, "Native id of its station."),
        Column("name", ColumnKind.TEXT, "Name of the datastream."),
        Column("description", ColumnKind.TEXT, "What the publisher says about it."),
        Column(
            "observed_property",
            ColumnKind.TEXT,
            "Native name or code of the observed property.",
            staged_as="observed_property_native",
        ),
        Column("unit", ColumnKind.TEXT, "Native unit of measurement.", staged_as="unit_native"),
        Column("sensor", ColumnKind.TEXT, "Sensor or procedure."),
        Column("interval_s", ColumnKind.INTEGER, "Time between two values in seconds.", minimum=1),
    ),
    key=("datastream_id",),
    described_events={"observation": "datastream_id"},
)

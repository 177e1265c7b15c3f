"""Energy units: what makes or stores electricity, such as a roof's solar modules, a wind turbine or a battery.

Who runs one is told of organisations alone: persons are none of our business.
"""

from civitas_assets.records.contract import Column, ColumnKind, RecordType

ENERGY_UNIT = RecordType(
    name="energy_unit",
    description="A unit that makes or stores electricity, as a register has it.",
    columns=(
        Column("unit_id", ColumnKind.TEXT, "Native id of the unit.", required=True),
        Column("name", ColumnKind.TEXT, "Name of the unit; of a person's none."),
        Column("operator", ColumnKind.TEXT, "Organisation that runs it; of a person's none."),
        Column(
            "operator_type", ColumnKind.CODE, "Who runs it, as a kind.", codes=("organisation", "person")
        ),
        Column(
            "energy_carrier",
            ColumnKind.CODE,
            "What it makes electricity of; storage is fed by electricity itself.",
            codes=(
                "solar", "wind", "hydro", "biomass", "geothermal", "solar_thermal", "storage", "natural_gas",
                "other_gas", "mine_gas", "hard_coal", "lignite", "mineral_oil", "nuclear", "waste",
                "sewage_sludge", "heat", "pipe_pressure", "other",
            ),
        ),
        Column("energy_carrier_native", ColumnKind.TEXT, "The register's word for it."),
        Column("technology", ColumnKind.TEXT, "Technology, in the register's words."),
        Column("siting", ColumnKind.TEXT, "Where it stands, as a kind, in the register's words."),
        Column("gross_power_kw", ColumnKind.NUMBER, "Gross power in kilowatt.", minimum=0),
        Column("net_power_kw", ColumnKind.NUMBER, "Net rated power in kilowatt.", minimum=0),
        Column("storage_kwh", ColumnKind.NUMBER, "Usable capacity of a storage in kilowatt hours.", minimum=0),
        Column("modules", ColumnKind.INTEGER, "Solar modules.", minimum=0),
        Column(
            "status",
            ColumnKind.CODE,
            "Whether it is in operation.",
            codes=("planned", "in_operation", "suspended", "decommissioned"),
        ),
        Column("status_native", ColumnKind.TEXT, "The register's word for it."),
        Column("registered_on", ColumnKind.DATE, "Day of its registration."),
        Column("planned_on", ColumnKind.DATE, "Day for which its commissioning is planned."),
        Column("commissioned_on", ColumnKind.DATE, "Day of commissioning."),
        Column("decommissioned_on", ColumnKind.DATE, "Day on which it was shut down for good."),
        Column("feed_in", ColumnKind.TEXT, "Whether all or a part is fed into the grid, in the register's words."),
        Column("is_checked", ColumnKind.BOOLEAN, "Whether the grid operator has checked what is said of it."),
        Column("municipality_id", ColumnKind.TEXT, "Official key of its municipality."),
        Column("street", ColumnKind.TEXT, "Street; of a person's none."),
        Column("house_number", ColumnKind.TEXT, "House number; of a person's none."),
        Column("postcode", ColumnKind.TEXT, "Postal code."),
        Column("city", ColumnKind.TEXT, "Town."),
        Column("changed_at", ColumnKind.TIME, "When the register was last changed about it."),
        Column("lon", ColumnKind.NUMBER, "Longitude, degrees WGS 84; of a person's none."),
        Column("lat", ColumnKind.NUMBER, "Latitude, degrees WGS 84; of a person's none."),
    ),
    key=("unit_id",),
    position=("lon", "lat"),
)  # fmt: skip
